"""Adverse events in their latest state (`safety.md` sections 4 and 9)."""

from datetime import datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import PartialDate, Provenance, needed_date, partial_date, provenance
from hepatrail_graphql.enums import ActionTaken, Causality, CausalityTarget, Criterion, Outcome
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.adverse_event import AdverseEventRow


@strawberry.enum(description="Where an adverse event stands.")
class AdverseEventState(Enum):
    """Where an adverse event stands."""

    OPEN = strawberry.enum_value("OPEN", description="It lasts, or its end is not known.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="It ended.")
    FATAL = strawberry.enum_value("FATAL", description="The participant died of it.")


@strawberry.type(description="One point of the severity's course.")
class GradePoint:
    """One point of the severity's course."""

    grade: int = strawberry.field(description="CTCAE v5.0 grade, 1 to 5.")
    grade_at: PartialDate | None = strawberry.field(description="Since when.")
    event_id: UUID = strawberry.field(description="The event that recorded it.")


@strawberry.type(description="What one assessor found serious.")
class AssessorCriteria:
    """What one assessor found serious."""

    assessor: str = strawberry.field(description="INVESTIGATOR or SPONSOR.")
    criteria: list[Criterion] = strawberry.field(description="The criteria that hold in the assessor's view.")


@strawberry.type(description="One target's causality.")
class CausalityAssessment:
    """One target's causality."""

    target: CausalityTarget = strawberry.field(description="What may have caused the event.")
    value: Causality = strawberry.field(description="WHO-UMC causality.")
    rationale: Text | None = strawberry.field(description="Why.")


@strawberry.type(description="An adverse event of the participant, whatever its cause.")
class AdverseEvent:
    """An adverse event of the participant, whatever its cause."""

    id: UUID = strawberry.field(description="The adverse event.")
    version: int = strawberry.field(description="Number of its events: give it as `expectedAeVersion`.")
    code: str = strawberry.field(description="The trial's own code (`safety.md` 2.1).")
    ctcae_term: str | None = strawberry.field(description="The CTCAE term.")
    verbatim: Text = strawberry.field(description="The reporter's own words.")
    state: AdverseEventState = strawberry.field(description="Where it stands.")
    onset: PartialDate = strawberry.field(description="When it began.")
    end_at: PartialDate | None = strawberry.field(description="When it ended.")
    aware_at: datetime = strawberry.field(description="When the responsible person first knew: reporting clocks start.")
    reported_at: datetime = strawberry.field(description="When it was recorded.")
    grade: int | None = strawberry.field(description="The present CTCAE grade.")
    max_grade: int | None = strawberry.field(description="The greatest grade so far.")
    grades: list[GradePoint] = strawberry.field(description="The course of the severity, as recorded.")
    serious: bool = strawberry.field(description="Whether any criterion holds: an SAE.")
    ever_serious: bool = strawberry.field(description="Whether any criterion ever held.")
    serious_since: PartialDate | None = strawberry.field(description="Since when it is serious.")
    criteria: list[Criterion] = strawberry.field(description="The criteria in force, of either assessor.")
    criteria_by_assessor: list[AssessorCriteria] = strawberry.field(description="The criteria by assessor.")
    aesi: bool = strawberry.field(description="Whether the code is of special interest in this trial.")
    outcome: Outcome = strawberry.field(description="Its outcome.")
    action_taken: ActionTaken = strawberry.field(description="What was done with the bioartificial liver.")
    causality: list[CausalityAssessment] = strawberry.field(description="The reporter's causality, by target.")
    reporter: str = strawberry.field(description="Function of the reporter; no name.")
    reporter_id: str = strawberry.field(description="The account that reported it.")
    age_years: int | None = strawberry.field(description="Age at onset, in completed years.")
    baseline_condition_id: UUID | None = strawberry.field(description="The condition that worsened.")
    recurrence_of: UUID | None = strawberry.field(description="The adverse event that came again.")
    replaces: UUID | None = strawberry.field(description="The void record that it replaces.")
    onset_before_first_session: bool | None = strawberry.field(description="As the reporter stated it.")
    related_session_id: UUID | None = strawberry.field(description="The latest session started at or before onset.")
    ongoing_at_death: bool = strawberry.field(description="Whether it lasted when the participant died.")
    provenance: Provenance = strawberry.field(description="What the record rests on.")


def adverse_event(row: AdverseEventRow, opener: Opener) -> AdverseEvent:
    """An adverse event's row as the schema shows it."""
    by_assessor = {who: [Criterion(each) for each in stated] for who, stated in _object(row.criteria).items()}
    stated = {each for criteria in by_assessor.values() for each in criteria}
    return AdverseEvent(
        id=row.ae_id,
        version=row.ae_version,
        code=row.code,
        ctcae_term=row.ctcae_term,
        verbatim=opener.needed(sealed_text(_object(row.verbatim))),
        state=AdverseEventState(row.state),
        onset=needed_date(_object(row.onset)),
        end_at=partial_date(cast(dict[str, Any] | None, row.end_at)),
        aware_at=row.aware_at,
        reported_at=row.reported_at,
        grade=row.current_grade,
        max_grade=row.max_grade,
        grades=[_grade(each) for each in cast(list[dict[str, Any]], row.grades)],
        serious=row.serious,
        ever_serious=row.ever_serious,
        serious_since=partial_date(cast(dict[str, Any] | None, row.serious_since)),
        criteria=[each for each in Criterion if each in stated],
        criteria_by_assessor=[AssessorCriteria(assessor=who, criteria=each) for who, each in by_assessor.items()],
        aesi=row.aesi,
        outcome=Outcome(row.outcome),
        action_taken=ActionTaken(row.action_taken),
        causality=[_causality(each, opener) for each in cast(list[dict[str, Any]], row.causality)],
        reporter=row.reporter,
        reporter_id=row.reporter_id,
        age_years=row.age_years,
        baseline_condition_id=row.baseline_condition_id,
        recurrence_of=row.recurrence_of,
        replaces=row.replaces,
        onset_before_first_session=row.onset_before_first_session,
        related_session_id=row.related_session_id,
        ongoing_at_death=row.ongoing_at_death,
        provenance=provenance("adverse-event", row.event_ids, row.protocol_version),
    )


def _object(stored: Any) -> dict[str, Any]:
    return cast(dict[str, Any], stored)


def _grade(stored: dict[str, Any]) -> GradePoint:
    return GradePoint(
        grade=stored["grade"], grade_at=partial_date(stored.get("gradeAt")), event_id=UUID(stored["eventId"])
    )


def _causality(stored: dict[str, Any], opener: Opener) -> CausalityAssessment:
    return CausalityAssessment(
        target=CausalityTarget(stored["target"]),
        value=Causality(stored["value"]),
        rationale=opener.open(sealed_text(stored.get("rationale"))),
    )
