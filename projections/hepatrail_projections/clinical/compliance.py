"""The status of a time point, a pure function of what is known and of the instant asked for (`visits.md` section 5).

Decided here, because the reference leaves room: participants whom nothing can bring to treatment any more have the
cause that stopped them at the baseline and NOT_TREATED at every later point (section 5.1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.evidence import (
    Done,
    Lacking,
    VisitEvidence,
    leaves_survival,
    reductions,
)
from hepatrail_projections.clinical.inputs import Collected, Stop
from hepatrail_projections.clinical.visits import AE_ITEM, SURVIVAL_ITEM, VisitPlan
from hepatrail_projections.clinical.windows import Window

__all__ = ["AE_ITEM", "SURVIVAL_ITEM", "Done", "State", "VisitEvidence", "VisitStatus", "status"]

State: TypeAlias = Literal[
    "not_yet_due", "due", "complete_in_window", "complete_out_of_window", "partial", "missed", "not_applicable"
]

_PRECEDENCE = ("DEATH", "WITHDRAWAL", "TRANSPLANT", "SUPERSEDED", "NOT_TREATED")


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """A status and what it rests on.

    `missing` pairs an item with the reason of its unusable row (HEMOLYSED, NOT_ACCEPTED, ...), or None when there
    is no row; `lacking` names, by missing item with sub-inputs, those that are not there, with their reasons.
    `cause` says why a point does not apply or was cut short. `provisional`: the baseline before T0.
    `during_session` are the satisfied items that were observed while a later session ran.
    """

    code: str
    status: State
    satisfied: tuple[str, ...]
    required: tuple[str, ...]
    missing: tuple[tuple[str, str | None], ...]
    cause: str | None = None
    provisional: bool = False
    lacking: Lacking = field(default_factory=dict)
    during_session: tuple[str, ...] = ()


def status(
    visit: VisitEvidence, stops: Sequence[Stop], required: Sequence[str], as_of: datetime, plan: VisitPlan
) -> VisitStatus:
    """The status at `as_of` (aware); `required` are the item codes of this point, in the order to show."""
    if visit.t0 is None:
        stops = [stop for stop in stops if stop.cause != "TRANSPLANT"]
    if visit.point.kind == "pre":
        return _baseline(visit, stops, required, as_of, plan)
    if visit.t0 is None and stops:
        return _not_applicable(visit, "NOT_TREATED")
    window = visit.window
    if window is None:
        return _answer(visit, "not_yet_due", required)
    owed, reduced_by = _owed(visit, window, stops, required, plan)
    before = _first_cause(stop for stop in stops if stop.time < window.earliest and stop.cause != "NOT_TREATED")
    if not owed:
        return _not_applicable(visit, before or reduced_by)
    stop = _full_stop(visit, stops, required)
    if stop is not None and stop.time < window.earliest:
        return _not_applicable(visit, before)
    return _in_time(visit, window, owed, stop, as_of)


def _in_time(
    visit: VisitEvidence, window: Window, owed: Sequence[str], stop: Stop | None, as_of: datetime
) -> VisitStatus:
    satisfied = [item for item in owed if item in visit.done]
    if len(satisfied) == len(owed):
        in_window = all(visit.done[item].in_window for item in owed)
        return _answer(visit, "complete_in_window" if in_window else "complete_out_of_window", owed)
    if as_of < window.earliest:
        return _answer(visit, "not_yet_due", owed)
    if stop is not None and stop.time < window.ends:
        return _answer(visit, "partial", owed, stop.cause) if satisfied else _not_applicable(visit, stop.cause)
    if as_of < window.ends:
        return _answer(visit, "due", owed)
    return _answer(visit, "partial" if satisfied else "missed", owed)


def _baseline(
    visit: VisitEvidence, stops: Sequence[Stop], required: Sequence[str], as_of: datetime, plan: VisitPlan
) -> VisitStatus:
    if visit.t0 is None:
        if stops:
            return _not_applicable(visit, _first_cause(stops))
        fresh = [item for item in required if item in visit.done and _is_fresh(visit.done[item], as_of, plan)]
        state: State = "complete_in_window" if len(fresh) == len(required) else "due"
        return _answer(visit, state, required, satisfied=fresh, provisional=True)
    satisfied = [item for item in required if item in visit.done]
    if len(satisfied) < len(required):
        return _answer(visit, "partial" if satisfied else "missed", required)
    in_window = all(visit.done[item].in_window for item in satisfied)
    return _answer(visit, "complete_in_window" if in_window else "complete_out_of_window", required)


def _is_fresh(done: Done, as_of: datetime, plan: VisitPlan) -> bool:
    """Whether the item would still be baseline if treatment began at `as_of`."""
    return all(_is_recent(collected, as_of, plan) for collected in done.times)


def _is_recent(collected: Collected, as_of: datetime, plan: VisitPlan) -> bool:
    earliest = as_of - plan.lookback
    if collected.instant is not None:
        return earliest <= collected.instant <= as_of
    zone, day = site_zone(plan.zone), collected.local_date
    return day is not None and local_date(earliest, zone) <= day <= local_date(as_of, zone)


def _owed(
    visit: VisitEvidence, window: Window, stops: Sequence[Stop], required: Sequence[str], plan: VisitPlan
) -> tuple[Sequence[str], str | None]:
    """The required items after reductions, and the cause of the reduction that took the last one away."""
    owed, cause = required, None
    for stop, kept in reductions(visit.point, stops, required, plan):
        if owed and stop.time < window.ends:
            inside = stop.time >= window.earliest
            owed = [item for item in owed if item in kept or (inside and item in visit.done)]
            cause = stop.cause
    return owed, cause


def _full_stop(visit: VisitEvidence, stops: Sequence[Stop], required: Sequence[str]) -> Stop | None:
    full = [
        stop
        for stop in stops
        if stop.cause == "DEATH" or (stop.cause == "WITHDRAWAL" and not leaves_survival(visit.point, stop, required))
    ]
    return min(full, key=lambda stop: (stop.time, _PRECEDENCE.index(stop.cause)), default=None)


def _first_cause(stops: Iterable[Stop]) -> str | None:
    return min((stop.cause for stop in stops), key=_PRECEDENCE.index, default=None)


def _not_applicable(visit: VisitEvidence, cause: str | None) -> VisitStatus:
    return VisitStatus(visit.point.code, "not_applicable", (), (), (), cause)


def _answer(
    visit: VisitEvidence,
    state: State,
    required: Sequence[str],
    cause: str | None = None,
    *,
    satisfied: Sequence[str] | None = None,
    provisional: bool = False,
) -> VisitStatus:
    have = [item for item in required if item in visit.done] if satisfied is None else satisfied
    missing = tuple((item, visit.unusable.get(item)) for item in required if item not in have)
    return VisitStatus(
        code=visit.point.code,
        status=state,
        satisfied=tuple(have),
        required=tuple(required),
        missing=missing,
        cause=cause,
        provisional=provisional,
        lacking={item: visit.lacking[item] for item, _ in missing if item in visit.lacking},
        during_session=tuple(item for item in have if visit.done[item].during_session),
    )
