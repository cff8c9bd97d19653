"""Which observation belongs to which time point (`visits.md` sections 3 and 4).

Decided here, because the reference leaves room:

- Every observation before T0 belongs to the baseline, whatever its visit code: one older than the look-back is
  out of window there, as the baseline rule of section 5 says, and the latest value wins (section 6).
- A date alone is in the window of a date point that holds it, and out of window (`TIME_UNKNOWN`) at an instant
  point named by the visit code; without code it matches no instant window, because no time is ever made up.
- To rank, a date alone stands at noon of the site; before T0 at the start of its day, so that a timed value of
  the same day counts as later.
- Of two observations of one item at the very same time, the one recorded later is the latest version.
- An explicit `UNS` keeps an observation after T0 unscheduled. Codes of auxiliary points (`S2_H12`, `SFU12`) say
  nothing about main points: rules 2 and 3 apply to these.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple, TypeAlias

from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.inputs import Collected, Observation
from hepatrail_projections.clinical.visits import BASELINE, UNSCHEDULED, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window

Remark: TypeAlias = Literal["OUT_OF_WINDOW", "TIME_UNKNOWN"]

_AUXILIARY = re.compile(r"S[1-9][0-9]*_(P0_5_1H|H12|H24)|SFU12")
_UNTREATED = datetime(9999, 1, 1, tzinfo=UTC)
_NOON = time(12)


class Placement(NamedTuple):
    """Where a collection time falls: its main point or None; lower `rank` is preferred within an item."""

    point: str | None
    in_window: bool
    remark: Remark | None
    rank: tuple[bool, timedelta, datetime]
    impossible_code: bool


class Assigned(NamedTuple):
    """An observation at the one main point that it serves."""

    observation: Observation
    placement: Placement


class _Hung(NamedTuple):
    """What every placement depends on."""

    anchored: Anchor | None
    windows: Sequence[Window]
    plan: VisitPlan


@dataclass(frozen=True, slots=True)
class PointAssignment:
    """What one time point has: per item code the observation that counts, and all that were in question.

    `unusable` gives the reason of the last unusable row of an item without usable one.
    """

    used: Mapping[str, Assigned]
    candidates: Mapping[str, Sequence[Assigned]]
    unusable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Every observation's place: at one main point at most, else unscheduled."""

    points: Mapping[str, PointAssignment]
    unscheduled: tuple[Observation, ...]
    impossible_codes: tuple[Observation, ...]

    def observations(self, point_code: str) -> Mapping[str, Observation]:
        """The observation that counts, by item code."""
        return {code: assigned.observation for code, assigned in self.points[point_code].used.items()}


def assign(
    observations: Iterable[Observation], windows: Sequence[Window], anchored: Anchor | None, plan: VisitPlan
) -> Assignment:
    """Assigns all observations of a participant, given in the log's order; every point of the plan is answered."""
    hung = _Hung(anchored, windows, plan)
    places: dict[tuple[object, ...], Placement] = {}
    found: dict[str, dict[str, list[Assigned]]] = {point.code: {} for point in plan.points}
    unusable: dict[str, dict[str, str]] = {point.code: {} for point in plan.points}
    unscheduled: list[Observation] = []
    impossible: list[Observation] = []
    for observation in observations:
        collected = observation.collected
        key = (collected.instant, collected.local_date, observation.visit_code, observation.pre_session)
        place = places.get(key)
        if place is None:
            place = places[key] = _place(collected, observation.visit_code, observation.pre_session, hung)
        if place.impossible_code:
            impossible.append(observation)
        if place.point is None:
            unscheduled.append(observation)
            continue
        reason = observation.unusable
        if reason is None:
            found[place.point].setdefault(observation.code, []).append(Assigned(observation, place))
        else:
            unusable[place.point][observation.code] = reason
    points = {code: _settle(items, unusable[code]) for code, items in found.items()}
    return Assignment(points, tuple(unscheduled), tuple(impossible))


def _settle(items: Mapping[str, list[Assigned]], unusable: Mapping[str, str]) -> PointAssignment:
    used = {code: candidates[0] if len(candidates) == 1 else best(candidates) for code, candidates in items.items()}
    return PointAssignment(used, items, {code: reason for code, reason in unusable.items() if code not in used})


def best(candidates: Iterable[Assigned]) -> Assigned:
    """In the window before out of it, then nearest to the target, then earlier, then recorded later (rule 4)."""
    chosen, *others = candidates
    for other in others:
        if other.placement.rank <= chosen.placement.rank:
            chosen = other
    return chosen


def before_t0(collected: Collected, pre_session: bool | None, anchored: Anchor) -> bool:
    """Whether the time lies before treatment (`visits.md` section 6).

    T0 itself, or only its civil date, counts as before when the collector recorded `preSession`.
    """
    if collected.instant is not None:
        return collected.instant < anchored.t0 or (collected.instant == anchored.t0 and bool(pre_session))
    day = collected.local_date
    return day is not None and (day < anchored.t0_date or (day == anchored.t0_date and bool(pre_session)))


def _place(collected: Collected, visit_code: str | None, pre_session: bool | None, hung: _Hung) -> Placement:
    anchored = hung.anchored
    if anchored is None or before_t0(collected, pre_session, anchored):
        return _baseline(collected, hung, impossible=visit_code not in (None, BASELINE, UNSCHEDULED))
    if visit_code is None or _AUXILIARY.fullmatch(visit_code):
        return _by_window(collected, hung, impossible=False)
    if visit_code == UNSCHEDULED:
        return _nowhere(impossible=False)
    if visit_code in hung.plan.by_code and visit_code != BASELINE:
        if anchored.instant is None:
            return _nowhere(impossible=False)
        if _after_anchor(collected, anchored):
            named = next(window for window in hung.windows if window.code == visit_code)
            return _at(named, collected, hung, impossible=False)
    return _by_window(collected, hung, impossible=True)


def _after_anchor(collected: Collected, anchored: Anchor) -> bool:
    if collected.instant is not None:
        return anchored.instant is not None and collected.instant > anchored.instant
    return collected.local_date is not None and anchored.date is not None and collected.local_date >= anchored.date


def _by_window(collected: Collected, hung: _Hung, *, impossible: bool) -> Placement:
    """Rule 2: the nearest target among the windows that contain the time; a tie goes to the earlier point."""
    holding = [window for window in hung.windows if window.kind != "pre" and _inside(window, collected)]
    if not holding:
        return _nowhere(impossible=impossible)
    stand_in = _stand_in(collected, _NOON, hung)
    nearest = min(holding, key=lambda window: abs(stand_in - window.target))
    return _at(nearest, collected, hung, impossible=impossible)


def _at(window: Window, collected: Collected, hung: _Hung, *, impossible: bool) -> Placement:
    inside = _inside(window, collected)
    remark: Remark | None = None
    if not inside:
        remark = "TIME_UNKNOWN" if collected.instant is None and window.kind == "instant" else "OUT_OF_WINDOW"
    stand_in = _stand_in(collected, _NOON, hung)
    return Placement(window.code, inside, remark, (not inside, abs(stand_in - window.target), stand_in), impossible)


def _baseline(collected: Collected, hung: _Hung, *, impossible: bool) -> Placement:
    """Before T0 the last one counts; before there is a T0 none is too old yet (`compliance.py` looks at the time)."""
    target, inside = _UNTREATED, True
    if hung.anchored is not None:
        target = hung.anchored.t0
        earliest = target - hung.plan.lookback
        if collected.local_date is not None:
            inside = local_date(earliest, site_zone(hung.plan.zone)) <= collected.local_date
        elif collected.instant is not None:
            inside = earliest <= collected.instant
    stand_in = _stand_in(collected, time.min, hung)
    remark: Remark | None = None if inside else "OUT_OF_WINDOW"
    return Placement(BASELINE, inside, remark, (not inside, abs(target - stand_in), stand_in), impossible)


def _inside(window: Window, collected: Collected) -> bool:
    if collected.instant is not None:
        return window.contains(collected.instant)
    return collected.local_date is not None and window.contains_date(collected.local_date)


def _stand_in(collected: Collected, clock: time, hung: _Hung) -> datetime:
    """The instant itself; for a date alone, only to rank it, `clock` on that day at the site."""
    if collected.instant is not None:
        return collected.instant
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return datetime.combine(collected.local_date, clock, site_zone(hung.plan.zone)).astimezone(UTC)


def _nowhere(*, impossible: bool) -> Placement:
    return Placement(None, False, None, (True, timedelta(0), _UNTREATED), impossible)
