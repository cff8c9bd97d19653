"""The status of a time point, a pure function of what is known and of the instant asked for (`visits.md` section 5).

`VisitEvidence` is all that a projection has to keep; no clock is in it. Decided here: participants whom nothing can
bring to treatment any more have the cause that stopped them at the baseline and NOT_TREATED at every later point
(section 5.1); an item observed on the civil date of a transplant, its time unknown, counts as observed before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from hepatrail_projections.clinical.assignment import PointAssignment
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.inputs import Collected, Stop
from hepatrail_projections.clinical.visits import TimePoint, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window

State: TypeAlias = Literal[
    "not_yet_due", "due", "complete_in_window", "complete_out_of_window", "partial", "missed", "not_applicable"
]

AE_ITEM = "AE"
SURVIVAL_ITEM = "SURV"

_PRECEDENCE = ("DEATH", "WITHDRAWAL", "TRANSPLANT", "NOT_TREATED")


@dataclass(frozen=True, slots=True)
class Done:
    """An item that was observed: when, and whether inside the window."""

    collected: Collected
    in_window: bool


@dataclass(frozen=True, slots=True)
class VisitEvidence:
    """What is known of one time point, by item code; `t0` is None before treatment, `window` while undefined."""

    point: TimePoint
    window: Window | None
    t0: datetime | None
    done: Mapping[str, Done]
    unusable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """A status and what it rests on.

    `missing` pairs an item with the reason of its unusable row (HEMOLYSED, NOT_ACCEPTED, ...), or None when there
    is no row. `cause` says why a point does not apply or was cut short. `provisional`: the baseline before T0.
    """

    code: str
    status: State
    satisfied: tuple[str, ...]
    required: tuple[str, ...]
    missing: tuple[tuple[str, str | None], ...]
    cause: str | None = None
    provisional: bool = False


def evidence(
    point: TimePoint, windows: Iterable[Window], assigned: PointAssignment, anchored: Anchor | None
) -> VisitEvidence:
    """Gathers what `status` needs of one point."""
    done = {code: Done(found.observation.collected, found.placement.in_window) for code, found in assigned.used.items()}
    window = next((window for window in windows if window.code == point.code), None)
    return VisitEvidence(point, window, None if anchored is None else anchored.t0, done, assigned.unusable)


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
    earliest = as_of - plan.lookback
    if done.collected.instant is not None:
        return earliest <= done.collected.instant <= as_of
    zone, day = site_zone(plan.zone), done.collected.local_date
    return day is not None and local_date(earliest, zone) <= day <= local_date(as_of, zone)


def _owed(
    visit: VisitEvidence, window: Window, stops: Sequence[Stop], required: Sequence[str], plan: VisitPlan
) -> tuple[Sequence[str], str | None]:
    """The required items after reductions, and the cause of the last reduction."""
    owed, cause = required, None
    for stop in stops:
        if stop.cause == "TRANSPLANT" and plan.post_transplant != "ALL":
            kept = {AE_ITEM, SURVIVAL_ITEM}
        elif _leaves_survival(visit, stop, required):
            kept = {SURVIVAL_ITEM}
        else:
            continue
        if stop.time < window.ends:
            inside = stop.time >= window.earliest
            owed = [item for item in owed if item in kept or (inside and _observed_before(visit, item, stop, plan))]
            cause = stop.cause
    return owed, cause


def _leaves_survival(visit: VisitEvidence, stop: Stop, required: Sequence[str]) -> bool:
    """Whether this withdrawal still lets the site ask, at this point, whether the participant lives."""
    asked = visit.point.surv and SURVIVAL_ITEM in required
    return stop.cause == "WITHDRAWAL" and stop.vital_status_allowed and asked


def _full_stop(visit: VisitEvidence, stops: Sequence[Stop], required: Sequence[str]) -> Stop | None:
    full = [
        stop
        for stop in stops
        if stop.cause == "DEATH" or (stop.cause == "WITHDRAWAL" and not _leaves_survival(visit, stop, required))
    ]
    return min(full, key=lambda stop: (stop.time, _PRECEDENCE.index(stop.cause)), default=None)


def _observed_before(visit: VisitEvidence, item: str, stop: Stop, plan: VisitPlan) -> bool:
    done = visit.done.get(item)
    if done is None:
        return False
    if done.collected.instant is not None:
        return done.collected.instant < stop.time
    day = done.collected.local_date
    return day is not None and day <= local_date(stop.time, site_zone(plan.zone))


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
    return VisitStatus(visit.point.code, state, tuple(have), tuple(required), missing, cause, provisional)
