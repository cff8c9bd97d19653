"""Procedures and medication around a sample: dialysis counts and confounders (`scores.md` sections 3, 9.8).

Decided here, because the reference leaves room: a treatment counts as one of the 168 h when a part of it lies in
them; without an end it goes on, but a hemodialysis counts where it began. Where dates are known in part, the number
that is certain counts, as `>=` when more is possible, so that the dialysis rule of the score decides whether it
suffices (section 0.5). Hours of treatments that overlap count once. Confounders are a hint to the reader: one that is
only possible is shown too.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.calendar import end_of_day, start_of_day
from hepatrail_projections.clinical.inputs import Collected, Period
from hepatrail_projections.clinical.scores.common import ScoreInput
from hepatrail_projections.clinical.scores.meld_common import HOURS, SESSIONS

HD, CRRT = "HD", frozenset({"CVVHD", "CVVHDF", "CVVH"})
ANTICOAGULATION, PLASMA, ALBUMIN = "ANTICOAGULATION", "PLASMA", "ALBUMIN"

CONFOUNDERS: Mapping[str, str] = {
    PLASMA: "plasma_24h",
    "PLASMA_EXCHANGE": "plasma_exchange_24h",
    HD: "hemodialysis_24h",
    **dict.fromkeys(sorted(CRRT), "crrt"),
    "ALBUMIN_DIALYSIS": "albumin_dialysis_24h",
    ANTICOAGULATION: "anticoagulant",
    ALBUMIN: "albumin_24h",
}
"""What moves INR, bilirubin or creatinine, by the kind of period."""

_LOOK_BACK = timedelta(hours=168)
_DAY = timedelta(hours=24)
_EVER, _NEVER = datetime(1800, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Range(NamedTuple):
    """The earliest and the latest instant that a time can mean."""

    first: datetime
    last: datetime


class Counts(NamedTuple):
    """The dialysis of the 168 h before a sample, as inputs of the MELD family."""

    sessions: ScoreInput
    hours: ScoreInput


def dialysis_counts(
    procedures: Iterable[Period], sample: Collected, crrt_kinds: frozenset[str], zone: ZoneInfo
) -> Counts | None:
    """Sessions and hours from recorded procedures; None when none of these kinds may lie in the 168 h.

    A part of a treatment inside them is enough. The counts rest on the events of every procedure that may count.
    """
    taken = collected_range(sample, zone)
    opens = Range(taken.first - _LOOK_BACK, taken.last - _LOOK_BACK)
    near = [
        each
        for each in procedures
        if (each.kind == HD or each.kind in crrt_kinds) and _may_lie_in(each, opens.first, taken.last, zone)
    ]
    if not near:
        return None
    sessions = [each for each in near if each.kind == HD]
    sure = sum(_lies_in(each, opens.last, taken.first, zone) for each in sessions)
    running = [each for each in near if each.kind != HD]
    certain = _hours(_certain(each, opens.last, taken.first, zone) for each in running)
    possible = _hours(_possible(each, opens.first, taken.last, zone) for each in running)
    ids = tuple(dict.fromkeys(event_id for each in near for event_id in each.event_ids))
    return Counts(
        _counted(SESSIONS, Fraction(sure), sure == len(sessions), sample, ids),
        _counted(HOURS, certain, certain == possible, sample, ids),
    )


def confounders(periods: Sequence[Period], sample: Collected | None, zone: ZoneInfo) -> Mapping[str, tuple[UUID, ...]]:
    """What was given or done in the 24 h before a sample, with its events; see `CONFOUNDERS`."""
    if sample is None or not periods:
        return {}
    taken = collected_range(sample, zone)
    found: dict[str, tuple[UUID, ...]] = {}
    for period in periods:
        name = CONFOUNDERS.get(period.kind)
        if name is not None and _may_lie_in(period, taken.first - _DAY, taken.last, zone):
            found[name] = (*found.get(name, ()), *period.event_ids)
    return dict(sorted(found.items()))


def collected_range(collected: Collected, zone: ZoneInfo) -> Range:
    """The instants that a collection time can mean."""
    if collected.instant is not None:
        return Range(collected.instant, collected.instant)
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return Range(start_of_day(collected.local_date, zone), end_of_day(collected.local_date, zone))


def partial_range(when: PartialDate, zone: ZoneInfo) -> Range:
    """The instants that a partial date can mean; all of them when nothing is known."""
    if when.instant is not None:
        return Range(when.instant, when.instant)
    if when.value is None:
        return Range(_EVER, _NEVER)
    year, *rest = (int(part) for part in when.value.split("-"))
    first_month, last_month = (rest[0], rest[0]) if rest else (1, 12)
    first_day, last_day = (rest[1], rest[1]) if len(rest) > 1 else (1, monthrange(year, last_month)[1])
    return Range(
        start_of_day(date(year, first_month, first_day), zone), end_of_day(date(year, last_month, last_day), zone)
    )


def _ends(period: Period, zone: ZoneInfo) -> Range:
    if period.ended is not None:
        return partial_range(period.ended, zone)
    if period.kind == HD:
        return partial_range(period.started, zone)
    return Range(_NEVER, _NEVER)


def _may_lie_in(period: Period, opens: datetime, closes: datetime, zone: ZoneInfo) -> bool:
    return partial_range(period.started, zone).first < closes and _ends(period, zone).last >= opens


def _lies_in(period: Period, opens: datetime, closes: datetime, zone: ZoneInfo) -> bool:
    begins, ends = partial_range(period.started, zone), _ends(period, zone)
    return begins.last < closes and (begins.first >= opens or ends.first >= opens)


def _certain(period: Period, opens: datetime, closes: datetime, zone: ZoneInfo) -> Range:
    return Range(max(partial_range(period.started, zone).last, opens), min(_ends(period, zone).first, closes))


def _possible(period: Period, opens: datetime, closes: datetime, zone: ZoneInfo) -> Range:
    return Range(max(partial_range(period.started, zone).first, opens), min(_ends(period, zone).last, closes))


def _hours(ranges: Iterable[Range]) -> Fraction:
    """The time that the ranges cover, at most the 168 h."""
    covered, reached = timedelta(0), _EVER
    for first, last in sorted(ranges):
        begin = max(first, reached)
        if last > begin:
            covered, reached = covered + (last - begin), last
    return Fraction(min(covered, _LOOK_BACK) // timedelta(milliseconds=1), 3_600_000)


def _counted(code: str, number: Fraction, exact: bool, sample: Collected, ids: tuple[UUID, ...]) -> ScoreInput:
    return ScoreInput(code, number, None if exact else ">=", collected=sample, event_ids=ids, derived=True)
