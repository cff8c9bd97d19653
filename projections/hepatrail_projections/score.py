"""`score`: one score at one time point, with everything that it rests on."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from hepatrail_events.types import format_instant
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.scores.at_point import PointScore, ScoreContext, score_at_point
from hepatrail_projections.clinical.scores.common import Change, Score, ScoreInput, change_from_baseline
from hepatrail_projections.clinical.scores.meld import MELD_2002
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.measurements import canonical_unit
from hepatrail_projections.table import Json, Table

SCORES: tuple[Score, ...] = (MELD_2002,)
"""The scores of this slice; each is computed at every time point."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score (`scores.md`): `value` after rounding and cap, `unrounded` decimal text before.

    `inputs` are `{code, value, comparator, unit, collectedAt | collectedOn, problem, eventIds}` in canonical units;
    `missing` are `{code, reason}`, `invalid` codes, `flags` rules that replaced a measured value. `baseline` is the
    score before treatment, `change` the difference from it, `change_reason` why there is none. `algorithm` names
    the formula.
    """

    subject_id: str
    score_id: str
    point: str
    ordinal: int
    status: str
    value: int | None
    unrounded: str | None
    baseline: int | None
    change: int | None
    change_reason: str | None
    missing: Json
    invalid: Json
    inputs: Json
    flags: Json
    during_session: bool
    provisional: bool
    algorithm: str
    protocol_version: str
    event_ids: tuple[UUID, ...]


SCORE = Table("score", ScoreRow, ("subject_id", "score_id", "point"))


def score_rows(view: SubjectView, state: ClinicalState) -> tuple[ScoreRow, ...]:
    """Every score at every time point of the plan."""
    context = ScoreContext(state.assignment, state.anchored, state.windows, state.plan, state.sessions, state.stops)
    rows = []
    for score in SCORES:
        baseline = score_at_point(score, BASELINE, context)
        for ordinal, point in enumerate(state.plan.points):
            at_point = baseline if point.code == BASELINE else score_at_point(score, point.code, context)
            rows.append(_row(view.subject_id, ordinal, at_point, baseline, state))
    return tuple(rows)


def _row(subject_id: str, ordinal: int, at_point: PointScore, baseline: PointScore, state: ClinicalState) -> ScoreRow:
    result = at_point.result
    first = at_point is baseline
    change = Change(None) if first else change_from_baseline(baseline.result, result)
    complete = baseline.result.status == "complete"
    ids = result.event_ids if first or change.value is None else (*result.event_ids, *baseline.result.event_ids)
    return ScoreRow(
        subject_id=subject_id,
        score_id=result.score_id,
        point=at_point.point,
        ordinal=ordinal,
        status=result.status,
        value=result.score,
        unrounded=None if result.unrounded is None else format(result.unrounded, "f"),
        baseline=baseline.result.score if complete else None,
        change=change.value,
        change_reason=change.reason,
        missing=[{"code": code, "reason": result.reasons.get(code)} for code in result.missing],
        invalid=list(result.invalid),
        inputs=[_input(each) for each in result.inputs],
        flags=list(result.flags),
        during_session=at_point.during_session,
        provisional=at_point.provisional,
        algorithm=result.score_id,
        protocol_version=state.published.version,
        event_ids=tuple(dict.fromkeys(ids)),
    )


def _input(given: ScoreInput) -> dict[str, Any]:
    collected = given.collected
    instant = None if collected is None or collected.instant is None else format_instant(collected.instant)
    day = None if collected is None or collected.local_date is None else collected.local_date.isoformat()
    return {
        "code": given.code,
        "value": fraction_str(given.value) if isinstance(given.value, Fraction) else given.value,
        "comparator": given.comparator,
        "unit": canonical_unit(given.code),
        "collectedAt": instant,
        "collectedOn": day,
        "problem": given.problem,
        "eventIds": [str(event_id) for event_id in given.event_ids],
    }
