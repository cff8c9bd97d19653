"""`score`: one score at one time point, with everything that it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from hepatrail_events.concomitant import MedicationRecorded
from hepatrail_events.types import format_instant
from hepatrail_events.units import fraction_str
from hepatrail_projections.clinical.inputs import Observation, Period, Statics
from hepatrail_projections.clinical.scores.at_point import PointScore, ScoreContext, score_at_moment, score_at_point
from hepatrail_projections.clinical.scores.catalogue import SCORES
from hepatrail_projections.clinical.scores.common import Change, ScoreInput, change_from_baseline
from hepatrail_projections.clinical.scores.companions import LOOKED_BACK
from hepatrail_projections.clinical.scores.feed import FeedRules
from hepatrail_projections.clinical.scores.periods import ALBUMIN, ANTICOAGULATION, PLASMA
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.measurements import canonical_unit
from hepatrail_projections.score_memory import ScoreMemory, common_basis, point_basis
from hepatrail_projections.table import Json, Table

_KIND_OF_ATC: Mapping[str, str] = {"B05AA01": ALBUMIN, "B05AA02": PLASMA, "B05AX03": PLASMA}
"""Human albumin; other plasma protein fractions; blood plasma."""


@dataclass(frozen=True, slots=True)
class ScoreValue:
    """The columns of a `ScoreRow` that outcomes look at."""

    subject_id: str
    score_id: str
    point: str
    ordinal: int
    status: str
    value: int | None
    change_reason: str | None
    inputs: Json
    during_session: bool
    post_transplant: bool
    algorithm: str
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ScoreRow(ScoreValue):
    """A score (`scores.md`): `value` after rounding and cap, `unrounded` decimal text before.

    `inputs` are `{code, value, comparator, unit, collectedAt | collectedOn, problem, derived, eventIds}` in canonical
    units; `missing` are `{code, reason}`, `invalid` codes. `components` are points, or decimal text where a bounded
    value entered; `details` further results by name; `assumed` the points that an option put in place of what is
    missing; `display` the coma scale as E4VNTM6; `range` the least and greatest total still possible. `flags` are
    rules that replaced a measured value and circumstances of the measurement, `warnings` what to know before using
    the score, `options` the protocol's choices that it depends on, `confounders` `{code, eventIds}` of treatments of
    the 24 h before. `baseline` is the score before treatment, `change` the difference from it, `change_reason` why
    there is none. `algorithm` names the formula.
    """

    unrounded: str | None
    baseline: int | None
    change: int | None
    missing: Json
    invalid: Json
    components: Json
    details: Json
    assumed: Json
    display: str | None
    range: Json | None
    flags: Json
    warnings: Json
    options: Json
    confounders: Json
    provisional: bool
    protocol_version: str


SCORE = Table("score", ScoreRow, ("subject_id", "score_id", "point"))
SCORE_VALUE = Table("score", ScoreValue, ("subject_id", "score_id", "point"))
"""The same table, read in part; only `SCORE` makes and writes it."""


@dataclass(frozen=True, slots=True)
class Made:
    """The scores of one point, in the order of the protocol, and their rows: what is remembered."""

    scores: tuple[PointScore, ...]
    rows: tuple[ScoreRow, ...]


_MEMORY: ScoreMemory[Made] = ScoreMemory()


def score_rows(view: SubjectView, state: ClinicalState, memory: ScoreMemory[Made] = _MEMORY) -> tuple[ScoreRow, ...]:
    """Every score of the protocol at every time point of its plan; auxiliary points have none (section 9, rule 1).

    `memory` keeps rows that still hold; it changes nothing but the time that this takes.
    """
    context = _context(view, state, LOOKED_BACK)
    version = state.published.version
    enabled = state.published.protocol.scores.enabled
    known = memory.points(view.subject_id, common_basis(context, version, enabled))
    made: dict[str, Made] = {}
    for ordinal, point in _baseline_first(state):
        basis = (*point_basis(point, context), made[BASELINE].scores if made else None)
        before = known.get(point)
        if before is not None and before[0] == basis:
            made[point] = before[1]
            continue
        scores = tuple(score_at_point(SCORES[each], point, context) for each in enabled)
        baselines = made[BASELINE].scores if made else scores
        made[point] = Made(
            scores,
            tuple(
                _row(view.subject_id, ordinal, score, baseline, version)
                for score, baseline in zip(scores, baselines, strict=True)
            ),
        )
        known[point] = (basis, made[point])
    by_score = zip(*(made[point.code].rows for point in state.plan.points), strict=True)
    return tuple(row for rows in by_score for row in rows)


def scores_at(view: SubjectView, state: ClinicalState, at: datetime) -> tuple[ScoreRow, ...]:
    """Every score of the protocol at any moment (aware), as rows of point `AT`.

    Each input is the latest accepted value at or before the moment, at most `moment_lookback_hours` of the protocol
    old; oxygen, infusions, dialysis and all flags are as at a time point. The change is from the baseline.
    """
    context = _context(view, state, None)
    rows = []
    for score_id in state.published.protocol.scores.enabled:
        score = SCORES[score_id]
        scored, baseline = score_at_moment(score, at, context), score_at_point(score, BASELINE, context)
        rows.append(_row(view.subject_id, len(state.plan.points), scored, baseline, state.published.version))
    return tuple(rows)


def _baseline_first(state: ClinicalState) -> list[tuple[int, str]]:
    """The points with their places in the plan; the baseline first, because every change is from it."""
    places = [(ordinal, point.code) for ordinal, point in enumerate(state.plan.points)]
    return sorted(places, key=lambda place: place[1] != BASELINE)


def _context(view: SubjectView, state: ClinicalState, codes: frozenset[str] | None) -> ScoreContext:
    """`codes`: those whose history is wanted; None: all of them."""
    rules = FeedRules.of(state.published.protocol)
    if rules.worst:
        codes = None
    history: dict[str, list[Observation]] = {}
    for fact in view.results.values():
        if fact.voided is None and (codes is None or fact.code in codes):
            history.setdefault(fact.code, []).append(fact.observation)
    return ScoreContext(
        state.assignment,
        state.anchored,
        state.windows,
        state.plan,
        state.sessions,
        state.stops,
        statics=_statics(view),
        procedures=[
            Period(each.fact.kind.value, each.fact.started_at, each.fact.ended_at, each.event_ids)
            for each in view.procedures.values()
            if each.voided is None
        ],
        medications=[
            Period(kind, each.fact.started_at, each.fact.ended_at, each.event_ids)
            for each in view.medications.values()
            if each.voided is None and (kind := _kind(each.fact)) is not None
        ],
        history=history,
        rules=rules,
    )


def _statics(view: SubjectView) -> Statics | None:
    enrolled = view.enrolment
    if enrolled is None:
        return None
    return Statics(
        sex=enrolled.sex.value,
        age_years=enrolled.age_years,
        chronic_health=enrolled.chronic_health,
        admission_type=enrolled.admission_type.value,
        event_ids=view.enrolment_event_ids,
    )


def _kind(medication: MedicationRecorded) -> str | None:
    """What kind of confounder a medication is; the therapeutic anticoagulant comes first."""
    if medication.therapeutic_anticoagulant:
        return ANTICOAGULATION
    return _KIND_OF_ATC.get(medication.atc or "")


def _row(subject_id: str, ordinal: int, scored: PointScore, baseline: PointScore, version: str) -> ScoreRow:
    result = scored.result
    first = scored is baseline
    change = Change(None) if first else change_from_baseline(baseline.result, result)
    complete = baseline.result.status == "complete"
    ids = result.event_ids if first or change.value is None else (*result.event_ids, *baseline.result.event_ids)
    return ScoreRow(
        subject_id=subject_id,
        score_id=result.score_id,
        point=scored.point,
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
        components={name: _plain(value) for name, value in result.components.items()},
        details={name: _plain(value) for name, value in result.details.items()},
        assumed=dict(result.assumed),
        display=result.display,
        range=None if result.range is None else list(result.range),
        flags=list(result.flags),
        warnings=list(result.warnings),
        options=dict(result.options),
        confounders=[{"code": code, "eventIds": _texts(events)} for code, events in scored.confounders.items()],
        during_session=scored.during_session,
        post_transplant=scored.post_transplant,
        provisional=scored.provisional,
        algorithm=result.score_id,
        protocol_version=version,
        event_ids=tuple(dict.fromkeys(ids)),
    )


def _input(given: ScoreInput) -> dict[str, Any]:
    collected = given.collected
    instant = None if collected is None or collected.instant is None else format_instant(collected.instant)
    day = None if collected is None or collected.local_date is None else collected.local_date.isoformat()
    return {
        "code": given.code,
        "value": _plain(given.value),
        "comparator": given.comparator,
        "unit": canonical_unit(given.code),
        "collectedAt": instant,
        "collectedOn": day,
        "problem": given.problem,
        "derived": given.derived,
        "eventIds": _texts(given.event_ids),
    }


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(each) for each in ids]


def _plain(value: Fraction | int | str | None) -> int | str | None:
    return fraction_str(value) if isinstance(value, Fraction) else value
