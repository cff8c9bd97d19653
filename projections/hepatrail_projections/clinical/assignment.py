"""Which observation serves which time point (`visits.md` sections 2.1, 3 and 4).

Decided here, because the reference leaves room: of two observations of one item at the very same time, the one
recorded later is the latest version; of unusable rows the one that would have counted gives the reason. Where a time
falls is decided in `placement.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hepatrail_projections.clinical.auxiliary import AuxiliaryPoint
from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.clinical.placement import Placement, Places, Remark, Schedule, before_t0
from hepatrail_projections.clinical.visits import VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window

__all__ = [
    "NOTHING",
    "Assigned",
    "Assignment",
    "Placement",
    "PointAssignment",
    "Remark",
    "assign",
    "before_t0",
    "best",
]


class Assigned(NamedTuple):
    """An observation at a point that it serves: at one main point, and at one auxiliary point, at most."""

    observation: Observation
    placement: Placement


@dataclass(frozen=True, slots=True)
class PointAssignment:
    """What one time point has: per item code the observation that counts, and all that were in question.

    `refused` is, per code without usable row, the unusable one that would have counted, and `unusable` its reason.
    """

    used: Mapping[str, Assigned]
    candidates: Mapping[str, Sequence[Assigned]]
    unusable: Mapping[str, str]
    refused: Mapping[str, Assigned] = field(default_factory=dict)


NOTHING = PointAssignment({}, {}, {})
"""A point that nothing serves."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Every observation's place: at one main point at most, else unscheduled; and at one auxiliary point at most.

    `points` are the main ones, `auxiliary` those beside the main schedule, each by its code.
    """

    points: Mapping[str, PointAssignment]
    unscheduled: tuple[Observation, ...]
    impossible_codes: tuple[Observation, ...]
    auxiliary: Mapping[str, PointAssignment] = field(default_factory=dict)

    def observations(self, point_code: str) -> Mapping[str, Observation]:
        """The observation that counts, by item code."""
        return {code: assigned.observation for code, assigned in self.points[point_code].used.items()}


def assign(
    observations: Iterable[Observation],
    windows: Sequence[Window],
    anchored: Anchor | None,
    plan: VisitPlan,
    auxiliary: Sequence[AuxiliaryPoint] = (),
) -> Assignment:
    """Assigns all observations of a participant, given in the log's order; every point is answered."""
    schedule = Schedule(anchored, windows, plan, {each.point.code: each for each in auxiliary})
    known: dict[tuple[object, ...], Places] = {}
    found = {code: _Found({}, {}) for code in (*plan.by_code, *schedule.auxiliary)}
    unscheduled: list[Observation] = []
    impossible: list[Observation] = []
    before: Observation | None = None
    places: Places | None = None
    for observation in observations:
        if places is None or before is None or not _go_together(before, observation):
            key = (observation.collected, observation.visit_code, observation.pre_session)
            places = known.get(key)
            if places is None:
                places = known[key] = schedule.place(*key)
        before = observation
        main, beside = places
        if main.impossible_code:
            impossible.append(observation)
        if main.point is None:
            unscheduled.append(observation)
        else:
            found[main.point].add(observation, main)
        if beside is not None and beside.point is not None:
            found[beside.point].add(observation, beside)
    return Assignment(
        {code: found[code].settled() for code in plan.by_code},
        tuple(unscheduled),
        tuple(impossible),
        {code: found[code].settled() for code in schedule.auxiliary},
    )


def best(candidates: Iterable[Assigned]) -> Assigned:
    """In the window before out of it, then nearest to the target, then earlier, then recorded later (rule 4)."""
    chosen, *others = candidates
    for other in others:
        if other.placement.rank <= chosen.placement.rank:
            chosen = other
    return chosen


def settle(usable: Mapping[str, Sequence[Assigned]], refused: Mapping[str, Sequence[Assigned]]) -> PointAssignment:
    """What counts at a point, of its usable and unusable rows by code, each in the log's order."""
    used = {code: rows[0] if len(rows) == 1 else best(rows) for code, rows in usable.items()}
    why = {code: best(rows) for code, rows in refused.items() if code not in used}
    unusable = {code: each.observation.unusable or "NO_VALUE" for code, each in why.items()}
    return PointAssignment(used, usable, unusable, why)


class _Found(NamedTuple):
    """The usable and the unusable rows of one point."""

    usable: dict[str, list[Assigned]]
    refused: dict[str, list[Assigned]]

    def add(self, observation: Observation, placement: Placement) -> None:
        """One more row of the point."""
        rows = self.usable if observation.unusable is None else self.refused
        each = Assigned(observation, placement)
        known = rows.get(observation.code)
        if known is None:
            rows[observation.code] = [each]
        else:
            known.append(each)

    def settled(self) -> PointAssignment:
        """The answer of the point."""
        return settle(self.usable, self.refused) if self.usable or self.refused else NOTHING


def _go_together(one: Observation, other: Observation) -> bool:
    """Whether two rows are of one sample, or of one moment at the bedside, and so have one place."""
    return (
        one.collected is other.collected and one.visit_code == other.visit_code and one.pre_session == other.pre_session
    )
