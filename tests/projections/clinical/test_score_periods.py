"""Dialysis and confounders from procedures whose times are known in part (scores.md sections 3, 9.8)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import uuid4

import pytest

from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.inputs import Collected, Period
from hepatrail_projections.clinical.scores.periods import Counts, confounders, dialysis_counts, partial_range

ZONE = site_zone("Asia/Shanghai")
SAMPLE = datetime(2026, 3, 12, 4, tzinfo=UTC)
"""12:00 at the site."""
KINDS = frozenset({"CVVHD", "CVVHDF", "CVVH"})
WEEK = timedelta(hours=168)


def when(text: str | None) -> PartialDate:
    if text is None:
        return PartialDate(value=None, precision=Precision.UNKNOWN)
    kind = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}.get(len(text), Precision.MINUTE)
    return PartialDate(value=text, precision=kind)


def period(kind: str, started: str | None, ended: str | None = "") -> Period:
    return Period(kind, when(started), None if ended == "" else when(ended), (uuid4(),))


def counts(*periods: Period, collected: Collected | None = None) -> Counts | None:
    return dialysis_counts(periods, collected or Collected(SAMPLE), KINDS, ZONE)


def shown(found: Counts | None) -> tuple[object, ...] | None:
    if found is None:
        return None
    return (found.sessions.value, found.sessions.comparator, found.hours.value, found.hours.comparator)


def minute(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


@pytest.mark.parametrize(
    ("begin", "end", "inside"),
    [
        (-WEEK, -WEEK + timedelta(hours=4), True),
        (-WEEK - timedelta(hours=1), -WEEK + timedelta(minutes=1), True),
        (-WEEK - timedelta(hours=5), -WEEK - timedelta(minutes=1), False),
        (timedelta(minutes=-1), timedelta(hours=3), True),
        (timedelta(0), timedelta(hours=3), False),
    ],
)
def test_a_session_counts_when_a_part_lies_in_the_168_hours_before_the_sample(
    begin: timedelta, end: timedelta, inside: bool
) -> None:
    found = counts(period("HD", minute(SAMPLE + begin), minute(SAMPLE + end)))
    assert shown(found) == ((1, None, 0, None) if inside else None)


def test_a_session_without_end_counts_where_it_began() -> None:
    assert counts(period("HD", minute(SAMPLE - WEEK - timedelta(minutes=1)))) is None
    assert shown(counts(period("HD", minute(SAMPLE - WEEK)))) == (1, None, 0, None)


def test_a_day_that_lies_inside_whole_is_certain_and_one_on_the_edge_is_not() -> None:
    assert shown(counts(period("HD", "2026-03-08"), period("HD", "2026-03-10"))) == (2, None, 0, None)
    assert shown(counts(period("HD", "2026-03-08"), period("HD", "2026-03-05"))) == (1, ">=", 0, None)
    assert shown(counts(period("HD", "2026-03"), period("HD", None))) == (0, ">=", 0, None)
    assert counts(period("HD", "2026-02")) is None


def test_hours_are_those_inside_and_overlaps_count_once() -> None:
    begin, end = SAMPLE - WEEK - timedelta(hours=5), SAMPLE - WEEK + timedelta(hours=10)
    assert shown(counts(period("CVVHD", minute(begin), minute(end)))) == (0, None, 10, None)
    overlapping = period("CVVH", minute(end - timedelta(hours=4)), minute(end + timedelta(minutes=90)))
    found = counts(period("CVVHD", minute(begin), minute(end)), overlapping)
    assert shown(found) == (0, None, Fraction("11.5"), None)
    assert shown(counts(period("CVVHDF", "2026-01-01", ""))) == (0, None, 168, None)


def test_hours_of_days_alone_are_at_least_what_is_certain() -> None:
    assert shown(counts(period("CVVHD", "2026-03-08", "2026-03-10"))) == (0, None, 24, ">=")


def test_other_kinds_are_no_dialysis() -> None:
    assert counts(period("PLASMA_EXCHANGE", minute(SAMPLE - timedelta(hours=3)))) is None
    assert dialysis_counts([period("CVVH", "2026-03-08")], Collected(SAMPLE), frozenset({"CVVHD"}), ZONE) is None


def test_a_sample_of_a_day_alone_leaves_open_what_its_edges_do() -> None:
    day = Collected(None, date(2026, 3, 12))
    assert shown(counts(period("HD", "2026-03-12"), collected=day)) == (0, ">=", 0, None)
    assert shown(counts(period("HD", "2026-03-07"), collected=day)) == (1, None, 0, None)


def test_what_a_partial_date_can_mean() -> None:
    assert partial_range(when("2026-02"), ZONE) == (
        datetime(2026, 1, 31, 16, tzinfo=UTC),
        datetime(2026, 2, 28, 16, tzinfo=UTC),
    )
    assert partial_range(when("2028"), ZONE).last == datetime(2028, 12, 31, 16, tzinfo=UTC)


def test_confounders_are_shown_when_they_are_possible() -> None:
    plasma = Period("PLASMA", when("2026-03-12"), None, (uuid4(),))
    ended = Period("ALBUMIN", when("2026-03-01"), when("2026-03-10"), (uuid4(),))
    assert confounders([plasma, ended], Collected(SAMPLE), ZONE) == {"plasma_24h": plasma.event_ids}
    assert confounders([plasma], None, ZONE) == {}
    two = [period("CVVH", "2026-03-11"), period("CVVHD", "2026-03-12")]
    assert confounders(two, Collected(SAMPLE), ZONE) == {"crrt": (*two[0].event_ids, *two[1].event_ids)}
