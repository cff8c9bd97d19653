"""Rows of scores that still hold: what a point's scores rest on, and the rows that were made of it.

A participant's scores are derived again at every event, and nearly all of them rest on the same facts as before.
Rows are pure functions of these facts, so that remembering them changes nothing but the time that it takes. Every
fact is compared, the objects of the view by identity first, which is what makes it quick.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.clinical.scores.companions import LOOKED_BACK
from hepatrail_projections.clinical.scores.feed import ScoreContext
from hepatrail_projections.clinical.scores.gcs import VERBAL

Made = TypeVar("Made")
Basis = tuple[Any, ...]

_KEPT_PARTICIPANTS = 256
_BEFORE = timedelta(hours=2)


class ScoreMemory(Generic[Made]):
    """What was made last of each point of the participants seen last."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Basis, dict[str, tuple[Basis, Made]]]] = OrderedDict()

    def points(self, subject_id: str, common: Basis) -> dict[str, tuple[Basis, Made]]:
        """By point, what was made and of what; empty when what all points rest on is another."""
        known = self._known.get(subject_id)
        if known is None or known[0] != common:
            known = self._known[subject_id] = (common, {})
        self._known.move_to_end(subject_id)
        if len(self._known) > _KEPT_PARTICIPANTS:
            self._known.popitem(last=False)
        return known[1]


def common_basis(context: ScoreContext, version: str, *further: object) -> Basis:
    """What the scores of every point rest on."""
    return (
        version,
        context.plan,
        context.rules,
        context.statics,
        tuple(context.stops),
        tuple(context.procedures),
        tuple(context.medications),
        None if context.anchored is None else context.anchored.t0,
        *further,
    )


def point_basis(point: str, context: ScoreContext) -> Basis:
    """What the scores of one point rest on beside that: its observations and what was in force around them."""
    assigned = context.assignment.points[point]
    rows = tuple(each.observation for candidates in assigned.candidates.values() for each in candidates)
    window = context.window(point)
    if any(code == point for _, code in context.rules.worst):
        return (window, rows, assigned.unusable, context.history, tuple(context.sessions))
    instants = [row.collected.instant for row in rows if row.collected.instant is not None]
    if not instants:
        return (window, rows, assigned.unusable, [*_looked_back(context)])
    first, last = min(instants) - _BEFORE, max(instants)
    samples = {row.sample_id for row in rows if row.sample_id is not None}
    return (
        window,
        rows,
        assigned.unusable,
        [row for row in _looked_back(context) if _matters(row, samples, first, last, context)],
        [each for each in context.sessions if each.started_at <= last and (each.ended_at or last) >= first],
    )


def _looked_back(context: ScoreContext) -> Iterable[Observation]:
    return (row for code in LOOKED_BACK for row in context.history.get(code, ()))


def _matters(row: Observation, samples: set[UUID], first: datetime, last: datetime, context: ScoreContext) -> bool:
    at = row.collected.instant
    if at is None or first <= at <= last or row.sample_id in samples:
        return True
    return row.code == VERBAL and context.rules.options.verbal_nt_policy == "pre_intubation"
