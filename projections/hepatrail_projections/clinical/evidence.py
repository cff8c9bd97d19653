"""What a projection has to keep of one time point, so that its status is a pure function of it and of the clock.

Reductions (`visits.md` section 5.1) are applied here to the observations: where one lies inside the window, an item
that it takes away counts by what was observed before it. Decided here, because the reference leaves room: an item
observed on the civil date of a reduction, its time unknown, counts as observed before it; an item with sub-inputs
does when all of them were; a withdrawal that allows vital status is treated as a transplant is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hepatrail_projections.clinical.assignment import NOTHING, PointAssignment, settle
from hepatrail_projections.clinical.auxiliary import AuxiliaryPoint
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.inputs import Collected, Session, Stop
from hepatrail_projections.clinical.items import ItemRules, Part, composite, nothing_there
from hepatrail_projections.clinical.visits import AE_ITEM, SURVIVAL_ITEM, TimePoint, VisitPlan
from hepatrail_projections.clinical.windows import Window, during_session

Lacking = Mapping[str, Sequence[tuple[str, str | None]]]

_SAFETY = frozenset({AE_ITEM, SURVIVAL_ITEM})
_SURVIVAL = frozenset({SURVIVAL_ITEM})


@dataclass(frozen=True, slots=True)
class Done:
    """An item that was observed: the times of all that it consists of, and whether they lie inside the window.

    `during_session`: something of it was observed while a later session ran (section 2.1).
    """

    times: tuple[Collected, ...]
    in_window: bool
    during_session: bool = False


@dataclass(frozen=True, slots=True)
class VisitEvidence:
    """What is known of one time point, by item code; `t0` is None before treatment, `window` while undefined.

    `unusable` are reasons of rows that do not count, `lacking` the sub-inputs of an item that are not there. `parts`
    are the observations that the done items consist of, as far as they are at hand.
    """

    point: TimePoint
    window: Window | None
    t0: datetime | None
    done: Mapping[str, Done]
    unusable: Mapping[str, str]
    lacking: Lacking = field(default_factory=dict)
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the evidence of every point of a participant depends on; `later` are the sessions after the first."""

    t0: datetime | None
    stops: Sequence[Stop]
    rules: ItemRules
    later: Sequence[Session] = ()

    @property
    def plan(self) -> VisitPlan:
        """The plan of visits."""
        return self.rules.plan


def evidence(
    point: TimePoint,
    window: Window | None,
    assigned: PointAssignment,
    required: Sequence[str],
    known: Circumstances,
) -> VisitEvidence:
    """Gathers what `status` needs of one point whose required items are given."""
    if assigned is NOTHING:
        lacks = nothing_there(tuple(required), enrolled=known.rules.enrolled)
        return VisitEvidence(point, window, known.t0, {}, {}, lacks)
    assigned = _before_reductions(point, window, assigned, required, known)
    done: dict[str, Done] = {}
    unusable: dict[str, str] = {}
    lacking: dict[str, Sequence[tuple[str, str | None]]] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    for item in required:
        found = composite(item, point.code, assigned, known.rules)
        if found is not None:
            if found.lacking:
                lacking[item] = found.lacking
            else:
                parts[item] = found.parts
        elif item in assigned.used:
            parts[item] = (Part(item, assigned.used[item], "VALUE"),)
        elif item in assigned.unusable:
            unusable[item] = assigned.unusable[item]
    for item, found_parts in parts.items():
        done[item] = _done(found_parts, known.later)
    return VisitEvidence(point, window, known.t0, done, unusable, lacking, parts)


def reductions(
    point: TimePoint, stops: Iterable[Stop], required: Sequence[str], plan: VisitPlan
) -> list[tuple[Stop, frozenset[str]]]:
    """What reduces the items of a point, in the order of time, each with the items that it leaves (section 5.1)."""
    found = []
    for stop in stops:
        if stop.cause == "TRANSPLANT" and plan.post_transplant != "ALL":
            found.append((stop, _SAFETY))
        elif stop.cause == "SUPERSEDED":
            found.append((stop, frozenset[str]()))
        elif leaves_survival(point, stop, required):
            found.append((stop, _SURVIVAL))
    return sorted(found, key=lambda each: each[0].time)


def leaves_survival(point: TimePoint, stop: Stop, required: Sequence[str]) -> bool:
    """Whether this withdrawal still lets the site ask, at this point, whether the participant lives."""
    asked = point.surv and SURVIVAL_ITEM in required
    return stop.cause == "WITHDRAWAL" and stop.vital_status_allowed and asked


def superseded(auxiliary: AuxiliaryPoint, assigned: PointAssignment, plan: VisitPlan) -> Stop | None:
    """The start of the next session, where it takes the point away: before the window, or with nothing collected."""
    following, window, zone = auxiliary.following, auxiliary.window, site_zone(plan.zone)
    if following is None or window is None or following.started_at >= window.ends:
        return None
    start = following.started_at
    collected = (each.observation.collected for rows in assigned.candidates.values() for each in rows)
    if start >= window.earliest and any(_lies_before(each, start, zone) for each in collected):
        return None
    return Stop("SUPERSEDED", start, event_ids=following.event_ids)


def _done(parts: Sequence[Part], later: Sequence[Session]) -> Done:
    times = tuple(part.assigned.observation.collected for part in parts)
    return Done(
        times,
        all(part.assigned.placement.in_window for part in parts),
        bool(later) and any(during_session(collected, later) for collected in times),
    )


def _before_reductions(
    point: TimePoint,
    window: Window | None,
    assigned: PointAssignment,
    required: Sequence[str],
    known: Circumstances,
) -> PointAssignment:
    if window is None or not assigned.candidates:
        return assigned
    for stop, kept in reductions(point, known.stops, required, known.plan):
        if window.earliest <= stop.time < window.ends:
            assigned = _until(stop.time, assigned, kept, site_zone(known.plan.zone))
    return assigned


def _until(time: datetime, assigned: PointAssignment, kept: frozenset[str], zone: ZoneInfo) -> PointAssignment:
    usable = {
        code: rows if code in kept else [each for each in rows if _lies_before(each.observation.collected, time, zone)]
        for code, rows in assigned.candidates.items()
    }
    refused = {code: [each] for code, each in assigned.refused.items()}
    return settle({code: rows for code, rows in usable.items() if rows}, refused)


def _lies_before(collected: Collected, time: datetime, zone: ZoneInfo) -> bool:
    if collected.instant is not None:
        return collected.instant < time
    day = collected.local_date
    return day is not None and day <= local_date(time, zone)
