"""The structured columns of `adverse_event`: what was said of it, by whom and when, in the log's order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import Assessor
from hepatrail_events.types import Fact, format_instant
from hepatrail_projections.ae_facts import (
    AdverseEventFact,
    CausalityJudgement,
    CriteriaChange,
    Entry,
    GradeCorrection,
    GradePoint,
)


def optional(fact: Fact | None) -> Any:
    """The JSON of a value that may be absent."""
    return None if fact is None else fact.payload()


def grades(fact: AdverseEventFact) -> list[dict[str, Any]]:
    """The timeline: `{grade, gradeAt, eventId}`."""
    return [_point(point) for point in fact.grades]


def grade_corrections(fact: AdverseEventFact) -> list[dict[str, Any]]:
    """Points that were replaced or removed: `{gradeEventId, old, new, reason, recordedAt, actorId, eventId}`."""
    return [_grade_correction(each) for each in fact.grade_corrections]


def criteria(fact: AdverseEventFact) -> dict[str, list[str]]:
    """The criteria in force by assessor: `{INVESTIGATOR: [...], SPONSOR: [...]}`."""
    return {who.value: [each.value for each in fact.criteria_of(who)] for who in Assessor}


def criteria_history(fact: AdverseEventFact) -> list[dict[str, Any]]:
    """Who set which criteria when: `{assessor, criteria, since, awareAt, reasonCode, reason, ...}`."""
    return [_criteria_change(each) for each in fact.criteria_history]


def causality(fact: AdverseEventFact) -> list[dict[str, Any]]:
    """The latest value of each assessor for each target: `{assessor, target, value, rationale, ...}`."""
    return [_judgement(each) for each in fact.causality_in_force.values()]


def causality_history(fact: AdverseEventFact) -> list[dict[str, Any]]:
    """Every judgement of the causality."""
    return [_judgement(each) for each in fact.causality]


def rsi(fact: AdverseEventFact) -> dict[str, Any] | None:
    """The latest assessment of expectedness: `{value, rsiVersion, rsiTerm, ...}`; None while there is none."""
    return _entry(fact.expectedness_history[-1]) if fact.expectedness_history else None


def entries(said: tuple[Entry[Any], ...]) -> list[dict[str, Any]]:
    """Events of one kind with when and by whom they were recorded, without the ids of the adverse event."""
    return [_entry(each) for each in said]


def entry(said: Entry[Any] | None) -> dict[str, Any] | None:
    """One such event, or None."""
    return None if said is None else _entry(said)


def _entry(said: Entry[Any]) -> dict[str, Any]:
    body = {name: value for name, value in said.event.payload().items() if name not in ("aeId", "aeVersion")}
    return body | _origin(said.recorded_at, said.actor_id, said.event_id)


def _point(point: GradePoint) -> dict[str, Any]:
    return {"grade": point.grade, "gradeAt": optional(point.grade_at), "eventId": str(point.event_id)}


def _grade_correction(made: GradeCorrection) -> dict[str, Any]:
    return {
        "gradeEventId": str(made.old.event_id),
        "old": {"grade": made.old.grade, "gradeAt": optional(made.old.grade_at)},
        "new": None if made.new is None else {"grade": made.new.grade, "gradeAt": optional(made.new.grade_at)},
        "reason": made.reason.payload(),
    } | _origin(made.recorded_at, made.actor_id, made.event_id)


def _criteria_change(change: CriteriaChange) -> dict[str, Any]:
    return {
        "assessor": change.assessor.value,
        "criteria": [each.value for each in change.criteria],
        "since": optional(change.since),
        "awareAt": None if change.aware_at is None else format_instant(change.aware_at),
        "reasonCode": None if change.reason_code is None else change.reason_code.value,
        "reason": optional(change.reason),
    } | _origin(change.recorded_at, change.actor_id, change.event_id)


def _judgement(made: CausalityJudgement) -> dict[str, Any]:
    return {
        "assessor": made.assessor.value,
        "target": made.target.value,
        "value": made.value.value,
        "rationale": optional(made.rationale),
    } | _origin(made.recorded_at, made.actor_id, made.event_id)


def _origin(recorded_at: datetime, actor_id: str, event_id: UUID) -> dict[str, Any]:
    return {"recordedAt": format_instant(recorded_at), "actorId": actor_id, "eventId": str(event_id)}
