"""What held at collection: partial dates cover what they may cover, and the nearest statement counts for a while."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from clinical_builders import collected, lab_result
from hepatrail_events.concomitant import ProcedureKind
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.grading.circumstances import ANTICOAGULATION, Circumstances, covers
from hepatrail_projections.clinical.inputs import Observation, Period

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = timedelta(days=7)
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)


def partial(text: str | None) -> PartialDate:
    precision = {None: "UNKNOWN", 4: "YEAR", 7: "MONTH", 10: "DAY"}.get(None if text is None else len(text), "MINUTE")
    return PartialDate(value=text, precision=Precision(precision))


@pytest.mark.parametrize(
    ("started", "ended", "at", "expected"),
    [
        ("2026-03-10", "2026-03-10", NOON, True),
        # 23:30 of 9 March in Greenwich is the 10th at the site.
        ("2026-03-10", None, datetime(2026, 3, 9, 16, 30, tzinfo=UTC), True),
        ("2026-03-10", None, datetime(2026, 3, 9, 15, 30, tzinfo=UTC), False),
        ("2026-03-10T04:00Z", None, NOON, True),
        ("2026-03-10T04:01Z", None, NOON, False),
        ("2026-01-01", "2026-03-10T03:59Z", NOON, False),
        ("2026-03", "2026-03", NOON, True),
        ("2026-04", None, NOON, False),
        ("2025", "2026", NOON, True),
        (None, "2026-03-09", NOON, False),
        (None, None, NOON, True),
        ("2026-03-10T22:00Z", None, date(2026, 3, 11), True),
        ("2026-03-11", None, date(2026, 3, 10), False),
    ],
)
def test_a_period_covers_a_collection(
    started: str | None, ended: str | None, at: datetime | date, expected: bool
) -> None:
    assert covers(partial(started), None if ended is None else partial(ended), collected(at), ZONE) is expected


def test_an_unknown_end_may_lie_behind_everything() -> None:
    assert covers(partial("2026-03-01"), partial(None), collected(NOON), ZONE)


def circumstances(*statements: Observation, periods: Sequence[Period] = ()) -> Circumstances:
    return Circumstances.of(periods, statements, ZONE, WEEK)


def stated(text: str, at: datetime | date) -> Observation:
    return lab_result("on_anticoagulation", text, at)


def test_the_nearest_statement_counts_on_either_side() -> None:
    known = circumstances(stated("true", NOON - timedelta(hours=30)), stated("false", NOON + timedelta(hours=20)))
    assert not known.anticoagulated(collected(NOON)).holds
    assert known.anticoagulated(collected(NOON - timedelta(hours=6))).holds


def test_of_two_statements_as_near_the_earlier_counts_and_of_the_same_moment_the_later_recorded() -> None:
    known = circumstances(stated("true", NOON - WEEK), stated("false", NOON + WEEK))
    assert known.anticoagulated(collected(NOON)).holds
    assert not circumstances(stated("true", NOON), stated("false", NOON)).anticoagulated(collected(NOON)).holds


def test_a_statement_further_away_than_the_look_back_says_nothing() -> None:
    known = circumstances(stated("true", NOON))
    assert known.anticoagulated(collected(NOON + WEEK)).holds
    assert not known.anticoagulated(collected(NOON + WEEK + timedelta(minutes=1))).holds


def test_a_date_alone_stands_at_noon_of_the_site() -> None:
    known = circumstances(stated("true", date(2026, 3, 10)))
    assert known.anticoagulated(collected(NOON + WEEK)).holds
    assert not known.anticoagulated(collected(NOON + WEEK + timedelta(seconds=1))).holds


def test_a_drug_that_covers_the_collection_wins_over_what_was_observed_and_is_named() -> None:
    drug = Period(ANTICOAGULATION, partial("2026-03-01"), None, (uuid4(),))
    found = circumstances(stated("false", NOON), periods=[drug]).anticoagulated(collected(NOON))
    assert (found.holds, found.event_ids) == (True, (str(drug.event_ids[0]),))


@pytest.mark.parametrize("kind", list(ProcedureKind))
def test_dialysis_and_filtration_are_renal_replacement_and_nothing_else_is(kind: ProcedureKind) -> None:
    done = Period(kind, partial("2026-03-08"), partial("2026-03-08"), (uuid4(),))
    expected = kind in {ProcedureKind.HD, ProcedureKind.CVVHD, ProcedureKind.CVVHDF, ProcedureKind.CVVH}
    assert circumstances(periods=[done]).renal_replacement(collected(NOON)).holds is expected


def test_renal_replacement_reaches_back_seven_days_and_never_forward() -> None:
    done = Period("HD", partial("2026-03-10T04:00Z"), partial("2026-03-10T08:00Z"), (uuid4(),))
    known = circumstances(periods=[done])
    ended = datetime(2026, 3, 10, 8, tzinfo=UTC)
    assert known.renal_replacement(collected(ended + WEEK)).holds
    assert not known.renal_replacement(collected(ended + WEEK + timedelta(minutes=1))).holds
    assert not known.renal_replacement(collected(NOON - timedelta(minutes=1))).holds


def test_observed_hours_of_dialysis_above_0_are_renal_replacement() -> None:
    assert circumstances(lab_result("cvvhd_hours_7d", "3", NOON)).renal_replacement(collected(NOON)).holds
    assert not circumstances(lab_result("dialysis_sessions_7d", "0", NOON)).renal_replacement(collected(NOON)).holds
