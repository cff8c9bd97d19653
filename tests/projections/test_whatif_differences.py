"""What would differ under another protocol: windows, anchor, scores, emergence, clocks, exposure, and nothing."""

from datetime import datetime, timedelta

import pytest

from clinical_builders import T0, A
from hepatrail_events.adverse_events import Criterion
from hepatrail_events.measurements import LabResultsRecorded, Measured
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.types import format_instant
from hepatrail_projections.whatif_counts import ByColumn, Count, counts_of
from hepatrail_projections.whatif_kinds import Kind
from log_commits import adverse_event, enrol, publish, sample
from projection_log import LogWriter
from visit_course import STREAM, VisitCourse
from whatif_course import asked, behind, other, recorded, told, with_point

DAY = timedelta(days=1)
TWO_DAYS = {"days_after": 2}


@pytest.fixture
def course() -> VisitCourse:
    """A treated participant with a sample nine days after the session, which no window takes."""
    made = VisitCourse()
    made.session()
    made.labs(A + 9 * DAY, ["alt"])
    return made


def test_another_window_moves_an_assignment_and_names_the_event(course: VisitCourse) -> None:
    at = A + 20 * DAY
    found = asked(course.log, with_point("D7", **TWO_DAYS), at)
    sample = recorded(course.log)[STREAM][-1].envelope
    assert list(told(found, "lab_result", "point").values()) == [(None, "D7")]
    assert list(told(found, "lab_result", "used").values()) == [(False, True)]
    assert told(found, "visit", "last_date") == {"D7": ("2026-03-18", "2026-03-19")}
    for column in ("point", "used"):
        (one,) = [each for each in found if (each.table, each.column) == ("lab_result", column)]
        (event,) = one.events
        assert (event.event_id, event.stream, event.streamseq) == (sample.id, STREAM, sample.streamseq)
        assert (event.type, event.actor_id, event.recorded_at) == ("LabResultsRecorded", "dr-li", sample.recordedat)
        assert (one.subject_id, one.kind, one.parameter) == ("S-1", Kind.ASSIGNMENT, "alt")
    # The visit has the sample now, and rests on it.
    assert told(found, "visit", "status") == {"D7": ("missed", "partial")}
    assert behind(found, "visit", "status") == {"LabResultsRecorded"}
    # Where its window lies follows from the session alone.
    assert behind(found, "visit", "last_date") == {"SessionStarted", "SessionEnded"}
    assert {each.key for each in found if each.table == "visit"} == {"D7"}


def test_what_is_counted_by_kind_column_and_parameter_adds_up(course: VisitCourse) -> None:
    found = asked(course.log, with_point("D7", **TWO_DAYS), A + 20 * DAY)
    counts = counts_of(found)
    assert counts.total == Count(len(found), len({(each.table, each.key) for each in found}), 1)
    assert sum(each.values for each in counts.kinds.values()) == counts.total.values
    assert sum(each.values for each in counts.columns.values()) == counts.total.values
    assert counts.columns[ByColumn(Kind.ASSIGNMENT, "lab_result", "point", "changed")] == Count(1, 1, 1)
    assert [key.parameter for key in counts.parameters if key.kind is Kind.VISIT_WINDOW] == ["D7"]
    assert list(counts.kinds) == [kind for kind in Kind if kind in counts.kinds], "in the order of reading"
    assert counts_of(reversed(found)) == counts


def test_another_anchor_moves_every_window_behind_it_and_names_the_sessions() -> None:
    course = VisitCourse()
    course.session()
    later = T0 + 5 * DAY
    course.session(later, later + timedelta(hours=6))
    found = asked(course.log, other(anchor="LAST_SESSION_END"), later + DAY)
    assert told(found, "subject", "anchor") == {"": (format_instant(A), format_instant(later + timedelta(hours=6)))}
    moved = told(found, "visit", "target")
    assert set(moved) >= {"P0_5_1H", "H12", "D2", "W4", "M12"} and "BL" not in moved
    for old, new in (moved["H12"], moved["W4"]):
        assert datetime.fromisoformat(new) - datetime.fromisoformat(old) == 5 * DAY
    assert behind(found, "visit", "target") >= {"SessionEnded"}
    assert {each.kind for each in found if each.column == "target"} == {Kind.VISIT_WINDOW}


def test_a_meld_that_is_switched_off_goes_and_one_that_is_switched_on_comes(course: VisitCourse) -> None:
    off = other(scores={"enabled": ("meld_2002", "gcs")})
    gone = asked(course.log, off)
    scores = [each for each in gone if each.table == "score"]
    assert {each.parameter for each in scores} == {"meld_na_2016", "meld_3_0", "sofa_1996", "apache_ii_1985"}
    assert {(each.change, each.then, each.kind) for each in scores} == {("gone", None, Kind.SCORE)}
    course.log.tick()
    publish(course.log, "2.0", **off.model_dump())
    new = asked(course.log, shipped_protocol())
    assert {(each.key, each.change) for each in new if each.table == "score"} == {(each.key, "new") for each in scores}


def test_another_rule_of_a_meld_changes_its_value_and_names_the_inputs() -> None:
    course = VisitCourse()
    course.session()
    at = course.log.now = A + 7 * DAY
    sample(course.log, STREAM, at=at, tbil="700", inr="9", creatinine="600", albumin=("10", "g/L"))
    course.bedside(at, sodium="120")
    found = asked(course.log, other(scores={"meld3_cap": "none"}))
    ((old, new),) = told(found, "score", "value").values()
    assert (old, new) == (40, 54)
    assert "LabResultsRecorded" in behind(found, "score", "value")
    assert not [each for each in found if each.column == "options"], "what the protocol says is no value"


def test_another_look_back_takes_another_baseline(course: VisitCourse) -> None:
    course = VisitCourse()
    course.labs(T0 - 5 * DAY, ["alt"])
    course.session()
    found = asked(course.log, other(baseline_lookback_days=3))
    ((old, new),) = told(found, "lab_result", "baseline").values()
    assert (old, new) == (True, False)
    assert behind(found, "lab_result", "baseline") == {"LabResultsRecorded"}


def test_a_grade_that_was_held_against_the_baseline_names_the_baseline() -> None:
    course = VisitCourse()
    for days, value in ((-5, "100"), (7, "250")):
        at = T0 + days * DAY
        if days > 0:
            course.session()
        row = {"result_id": course.log.uuid(), "code": "alt", "value": value, "unit": "U/L", "high": "40"}
        result = Measured.model_validate({**row, "accepted": True})
        course.record(
            LabResultsRecorded(sample_id=course.log.uuid(), collected_at=at, laboratory="Central", results=(result,)),
            at,
        )
    found = asked(course.log, other(baseline_lookback_days=3))
    first, _ = (each.envelope.id for each in recorded(course.log)[STREAM] if "LabResults" in each.envelope.type)
    graded = [each for each in found if each.kind is Kind.GRADE]
    grades = [[side[0]["grade"] for side in (each.now or [], each.then or [])] for each in graded]
    assert sorted(grades, key=str) == [[0, None], [1, None]], "without baseline it cannot be graded (R6)"
    for each in graded:
        assert [event.event_id for event in each.events] == [first], "on it the grade rests no longer"


def test_another_end_of_the_window_changes_treatment_emergence() -> None:
    course = VisitCourse()
    course.session()
    course.log.now = A + 100 * DAY
    adverse_event(course.log, STREAM)
    found = asked(course.log, other(safety={"safety_end_months": 2}))
    assert list(told(found, "adverse_event", "teae").values()) == [(True, False)]
    assert {each.kind for each in found if each.table == "adverse_event"} <= {Kind.TEAE, Kind.ADVERSE_EVENT}
    assert "AEReported" in behind(found, "adverse_event", "teae")


def serious(course: VisitCourse) -> None:
    course.session()
    course.log.now = A + 10 * DAY
    adverse_event(course.log, STREAM, criteria=(Criterion.HOSPITALISATION,), grade=3)


def test_clocks_stay_under_their_rules_and_only_always_takes_them_away() -> None:
    course = VisitCourse()
    serious(course)
    off = other(safety={"ec_sae_24h": False})
    at = course.log.now + timedelta(hours=2)
    since = [each for each in asked(course.log, off, at) if each.kind is Kind.CLOCK]
    assert told(since, "reporting_clock", "status").popitem()[1] == ("RUNNING", "CANCELLED")
    always = [each for each in asked(course.log, off, at, always=True) if each.kind is Kind.CLOCK]
    assert {(each.parameter, each.change) for each in always} == {("EC_SAE_24H", "gone")}
    for each in (*since, *always):
        assert {event.type for event in each.events} == {"AEReported"}


def test_another_tolerance_of_the_dose_and_other_queries(course: VisitCourse) -> None:
    found = asked(course.log, other(cells_per_kg=100_000_000))
    assert list(told(found, "session", "in_tolerance").values()) == [(True, False)]
    assert behind(found, "session", "in_tolerance") >= {"SessionStarted"}
    assert not told(found, "exposure", "target_cells_per_kg")
    assert {each.kind for each in found} <= {Kind.EXPOSURE, Kind.QUERY}


@pytest.mark.parametrize("always", [False, True])
def test_the_same_protocol_makes_no_difference(always: bool) -> None:
    course = VisitCourse()
    serious(course)
    course.everything(A + 7 * DAY)
    assert asked(course.log, shipped_protocol(), always=always) == []


def test_a_change_that_touches_nobody_makes_none(course: VisitCourse) -> None:
    log = course.log
    nobody = other(title="Another title", laboratories=("Central",), safety={"stopping_rules": ()}, self_ack=True)
    assert asked(log, nobody) == []
    grace = other(visits={"entry_grace_hours": 48})
    assert asked(log, grace, A + 30 * DAY) == []
    assert told(asked(log, grace, A + DAY), "visit", "notices") == {"BL": (["OVERDUE"], [])}, "on that day it does"
    untreated = LogWriter(7)
    publish(untreated)
    enrol(untreated, "S-1")
    assert asked(untreated, with_point("D7", **TWO_DAYS)) == []


def test_as_of_an_earlier_instant_only_what_was_recorded_by_then_is_known(course: VisitCourse) -> None:
    wide = with_point("D7", **TWO_DAYS)
    before = recorded(course.log)[STREAM][-1].envelope.recordedat - timedelta(milliseconds=1)
    early = asked(course.log, wide, before)
    assert {(each.table, each.key) for each in early} == {("visit", "D7")}
    assert not told(early, "lab_result", "point")
    assert asked(course.log, wide, T0 - 60 * DAY) == [], "nothing was recorded yet"
    late = told(asked(course.log, with_point("W4", days_after=5), A + 32 * DAY), "visit", "status")
    assert late == {"W4": ("missed", "due")}, "time alone decides what a window is worth"
