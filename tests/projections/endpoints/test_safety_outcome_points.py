"""TEAEs by assessment time point, unknown onsets, and exposure-adjusted rates (`endpoints.md` section 2)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from clinical_builders import T0, A
from hepatrail_events.adverse_events import AEGradeChanged, Criterion
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.types import PartialDate, Precision
from safety_outcome_course import OutcomeTrial, facts, minute, only

DAY = timedelta(days=1)
POINTS = ["D7", "W4", "W12", "M6", "M12"]
EVE = datetime(2026, 3, 17, 15, 59, tzinfo=UTC)
"""23:59 at the site on 17 March, the target date of D7."""


@pytest.fixture
def trial() -> OutcomeTrial:
    made = OutcomeTrial()
    made.treated("S-1", "S-2", "S-3")
    return made


def test_cumulative_to_the_end_of_the_target_date_and_new_in_the_interval_behind_the_one_before(
    trial: OutcomeTrial,
) -> None:
    trial.ae("S-1", EVE)
    trial.ae("S-1", EVE + timedelta(minutes=1))
    trial.ae("S-2", T0 + 60 * DAY, criteria=(Criterion.HOSPITALISATION,))
    cumulative = trial.counts("TEAE_CUMULATIVE", "TEAE")
    assert cumulative == {"D7": 1, "W4": 1, "W12": 2, "M6": 2, "M12": 2, "TOTAL": 2}
    assert list(trial.counts("TEAE_CUMULATIVE", "TEAE_EVENTS").values()) == [1, 2, 3, 3, 3, 3]
    assert list(trial.counts("TEAE_CUMULATIVE", "TESAE").values()) == [0, 0, 1, 1, 1, 1]
    new = trial.counts("TEAE_BY_INTERVAL", "TEAE")
    assert new == {"D7": 1, "W4": 1, "W12": 1, "M6": 0, "M12": 0, "AFTER": 0, "UNKNOWN": 0}
    assert list(trial.counts("TEAE_BY_INTERVAL", "TESAE_EVENTS").values()) == [0, 0, 1, 0, 0, 0, 0]
    assert trial.tables()["TEAE_CUMULATIVE"].row("D7").cell("TEAE").of == 3


def test_an_unknown_onset_counts_in_cumulative_totals_and_is_listed_as_unknown_in_intervals(
    trial: OutcomeTrial,
) -> None:
    trial.ae("S-1", only(Precision.UNKNOWN))
    assert list(trial.counts("TEAE_CUMULATIVE", "TEAE_EVENTS").values()) == [1, 1, 1, 1, 1, 1]
    assert list(trial.counts("TEAE_BY_INTERVAL", "TEAE_EVENTS").values()) == [0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("precision", "value", "first", "interval"),
    [
        (Precision.DAY, "2026-03-17", "D7", "D7"),
        (Precision.DAY, "2026-03-18", "W4", "W4"),
        (Precision.MONTH, "2026-03", "D7", "UNKNOWN"),  # 10 to 31 March lies on both sides of 17 March
        (Precision.MONTH, "2026-05", "W12", "W12"),
        (Precision.MONTH, "2027-03", "M12", "M12"),  # the window ends on 10 March 2027
        (Precision.YEAR, "2026", "D7", "UNKNOWN"),
        (Precision.YEAR, "2027", "M12", "M12"),
    ],
)
def test_a_date_of_which_a_part_is_known_is_new_only_where_all_its_days_lie_in_one_interval(
    trial: OutcomeTrial, precision: Precision, value: str, first: str, interval: str
) -> None:
    trial.ae("S-1", only(precision, value), aware_at=T0 + 400 * DAY)
    cumulative = trial.counts("TEAE_CUMULATIVE", "TEAE")
    assert next(point for point, n in cumulative.items() if n) == first
    assert [point for point, n in trial.counts("TEAE_BY_INTERVAL", "TEAE").items() if n] == [interval]


@pytest.mark.parametrize(
    ("onset", "first", "last"),
    [
        (only(Precision.MONTH, "2026-03"), date(2026, 3, 9), date(2026, 3, 31)),
        (only(Precision.YEAR, "2027"), date(2027, 1, 1), date(2027, 3, 10)),
        (only(Precision.DAY, "2026-03-12"), date(2026, 3, 12), date(2026, 3, 12)),
        (minute(EVE), date(2026, 3, 17), date(2026, 3, 17)),
        (only(Precision.UNKNOWN), date(2026, 3, 9), None),
    ],
)
def test_an_onset_is_any_day_of_it_within_the_window_which_an_access_opens(
    onset: PartialDate, first: date, last: date | None
) -> None:
    made = OutcomeTrial()
    made.enrolled("S-1")
    made.session("S-1", T0, access_placed_at=T0 - DAY)
    made.ae("S-1", onset, aware_at=T0 + 400 * DAY)
    ((event,),) = (each.events for each in facts(made.log, T0 + 500 * DAY)[0])
    assert (event.onset_from, event.onset_to) == (first, last)


def test_the_rows_say_from_where_to_where_they_reach(trial: OutcomeTrial) -> None:
    labels = [row.label for row in trial.tables()["TEAE_BY_INTERVAL"].rows]
    assert labels[:2] == ["To Day 7", "After Day 7, to Week 4"]
    assert labels[-2:] == ["After Month 12", "Onset unknown"]


def test_an_onset_behind_the_last_target_date_after_a_later_session_has_its_own_line(trial: OutcomeTrial) -> None:
    trial.session("S-1", T0 + 20 * DAY)
    trial.ae("S-1", T0 + 380 * DAY)
    assert trial.counts("TEAE_CUMULATIVE", "TEAE")["M12"] == 0
    assert trial.counts("TEAE_CUMULATIVE", "TEAE")["TOTAL"] == 1
    assert [point for point, n in trial.counts("TEAE_BY_INTERVAL", "TEAE").items() if n] == ["AFTER"]


def test_beside_each_point_stands_how_many_were_followed_to_it(trial: OutcomeTrial) -> None:
    trial.seen("S-1", EVE - timedelta(minutes=1))
    trial.asked("S-2", A + 6 * DAY)  # a day early, in the window of D7
    trial.seen("S-3", A + 6 * DAY)  # the same day, but nobody asked for adverse events
    trial.asked("S-3", A + 100 * DAY)
    table = trial.tables()["TEAE_CUMULATIVE"]
    reached = {point: [each.subject_id for each in table.row(point).cell("FOLLOWED").contributions] for point in POINTS}
    assert reached == {"D7": ["S-1", "S-2", "S-3"], "W4": ["S-3"], "W12": ["S-3"], "M6": [], "M12": []}
    assert (table.row("D7").cell("FOLLOWED").n, table.row("D7").cell("FOLLOWED").of) == (3, 3)
    assert table.row("D7").cell("FOLLOWED").contributions[1].event_ids != ()
    assert table.row("TOTAL").cell("FOLLOWED").display == ""


def test_while_the_first_session_runs_the_target_dates_count_from_its_start() -> None:
    made = OutcomeTrial()
    made.enrolled("S-1")
    made.session("S-1", T0, hours=None)
    made.ae("S-1")
    made.ae("S-1", T0 + 8 * DAY)
    assert list(made.counts("TEAE_CUMULATIVE", "TEAE_EVENTS").values()) == [1, 2, 2, 2, 2, 2]


def _rate(trial: OutcomeTrial, at: datetime = T0 + 500 * DAY) -> tuple[int | None, Fraction, str | None, str]:
    row = trial.tables(at)["TEAE_EXPOSURE_ADJUSTED"].row("TEAE")
    days = sum(each.days_at_risk(at.date()) for each in facts(trial.log, at)[0])
    return row.cell("EVENTS").n, Fraction(days), row.cell("YEARS").value, row.cell("RATE").display


def test_events_by_participant_years_to_the_first_of_last_contact_end_of_window_and_death() -> None:
    made = OutcomeTrial()
    made.treated("S-1", "S-2", "S-3", "S-4")
    made.seen("S-1", T0 + 100 * DAY)  # 100 days
    made.seen("S-2", T0 + 420 * DAY)  # 365 days: TE_END is 10 March 2027
    made.seen("S-3", T0 + 40 * DAY)
    made.died("S-3", T0 + 50 * DAY)  # 40 days: last contact is before death
    for subject in ("S-1", "S-1", "S-2"):
        made.ae(subject)
    events, days, years, shown = _rate(made)
    assert (events, days, years) == (3, Fraction(505), str(505 / 365.25))
    assert shown == "2.17"
    assert _rate(made, T0 + 20 * DAY)[1] == 60  # as of day 20, the longest three


def test_without_time_at_risk_a_rate_is_not_estimable() -> None:
    made = OutcomeTrial()
    made.enrolled("S-1")
    assert _rate(made) == (0, Fraction(0), "0.0", "NE")
    assert made.tables()["TEAE_EXPOSURE_ADJUSTED"].row("TESAE").cell("RATE").value is None


def test_a_worsened_event_begins_in_the_tables_when_it_worsened(trial: OutcomeTrial) -> None:
    event = trial.ae("S-1", T0 - 5 * DAY, grade=1)
    trial.say("S-1", AEGradeChanged(ae_id=event.ae_id, ae_version=2, to_grade=3, grade_at=minute(T0 + 30 * DAY)))
    assert [point for point, n in trial.counts("TEAE_BY_INTERVAL", "TEAE").items() if n] == ["W12"]


def test_a_protocol_without_assessments_of_adverse_events_has_the_whole_window_alone() -> None:
    points = [each.model_copy(update={"ae": False}).model_dump() for each in shipped_protocol().points]
    made = OutcomeTrial(points=points)
    made.treated("S-1")
    made.ae("S-1")
    assert made.counts("TEAE_CUMULATIVE", "TEAE") == {"TOTAL": 1}
    assert made.counts("TEAE_BY_INTERVAL", "TEAE") == {"AFTER": 1, "UNKNOWN": 0}
    assert made.tables()["TEAE_BY_INTERVAL"].rows[0].label == "Whole treatment-emergent window"
