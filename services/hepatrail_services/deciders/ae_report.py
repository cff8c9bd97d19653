"""The first report of an adverse event, a fatal one together with the death (`safety.md` 4.1)."""

from collections.abc import Iterable
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import (
    ActionTaken,
    AEReported,
    Causality,
    CausalityStatement,
    CausalityTarget,
    Criterion,
    Outcome,
)
from hepatrail_events.ae_terms import AeCode
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import SITE, Role
from hepatrail_events.types import Fact, Grade, Instant, Label, PartialDate
from hepatrail_services.command import Comment, SubjectCommand
from hepatrail_services.deciders.ae_rules import (
    AdverseEvent,
    distinct,
    refuse_against_death,
    refuse_disorder,
    refuse_half_fatal,
    refuse_missing_grade,
    refuse_unaware,
)
from hepatrail_services.deciders.assessments import AssessmentsState, refuse_onset_after_death
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import same_time


class ReportedCausality(Fact):
    """One target's causality as the investigator judges it."""

    target: CausalityTarget = Field(description="What the adverse event may have been caused by")
    value: Causality = Field(description="WHO-UMC category")
    rationale: Comment | None = Field(default=None, description="Why, in the investigator's words")


class ReportedDeath(Fact):
    """The death that a fatal adverse event led to."""

    death_at: PartialDate = Field(description="When the participant died; the one on record, when there is one")
    primary_cause: bool = Field(description="Whether this adverse event is the primary cause of the death")
    autopsy_done: bool | None = Field(default=None, description="Whether an autopsy was done")


class ReportAdverseEvent(SubjectCommand):
    """The site reports an adverse event for the first time; serious is what has a seriousness criterion."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    code: AeCode = Field(description="The trial's own code")
    ctcae_term: Label | None = Field(default=None, description="CTCAE v5.0 term, when not the code's own")
    verbatim: Comment = Field(description="The event in the reporter's words, without anything that identifies")
    onset: PartialDate = Field(description="When it began, as far as it is known")
    end_at: PartialDate | None = Field(
        None, description="When it ended; required by the outcomes RECOVERED and RECOVERED_WITH_SEQUELAE"
    )
    aware_at: Instant = Field(description="When the responsible person first knew")
    criteria: tuple[Criterion, ...] = Field((), max_length=6, description="Seriousness criteria (ICH E2A)")
    grade: Grade | None = Field(default=None, description="CTCAE v5.0 grade; absent while unknown")
    grade_at: PartialDate | None = Field(
        default=None, description="Since when it has this grade; stated with every grade"
    )
    outcome: Outcome = Field(description="Outcome so far")
    action_taken: ActionTaken = Field(description="Action taken with the bioartificial liver")
    reporter: Label = Field(description="Function of the reporter; no name")
    age_years: Annotated[int, Field(ge=0, le=120)] | None = Field(
        default=None, description="Age at onset in completed years"
    )
    baseline_condition_id: UUID | None = Field(default=None, description="Baseline condition that worsened")
    recurrence_of: UUID | None = Field(default=None, description="Earlier adverse event that came back")
    replaces: UUID | None = Field(
        default=None, description="Adverse event void under another participant that this replaces"
    )
    onset_before_first_session: bool | None = Field(
        None, description="Whether it began before the first session, where the date alone does not tell"
    )
    frequency_worsened_at: PartialDate | None = Field(default=None, description="Since when it came more often")
    causality: tuple[ReportedCausality, ...] = Field(
        (), max_length=5, description="Causality by target; never stated by a coordinator"
    )
    death: ReportedDeath | None = Field(default=None, description="The death, where the event is fatal")


def report(
    assessments: AssessmentsState, onsets: Iterable[PartialDate], command: ReportAdverseEvent, situation: Situation
) -> tuple[Event, ...]:
    """The report, and the record of the death that comes with it; `onsets` are those of the other events."""
    if command.causality and situation.context.actor.role is Role.COORDINATOR:
        raise CommandRejected("A coordinator does not judge causality.", code="FORBIDDEN", field="causality")
    if (command.grade is None) != (command.grade_at is None):
        lacking = "gradeAt" if command.grade_at is None else "grade"
        raise CommandRejected("grade and gradeAt are stated together.", code="SHAPE", field=lacking)
    ae_id = object_id(command.command_id, "ae")
    death = _death(assessments, onsets, ae_id, command, situation)
    known_death = death or assessments.death
    death_at = known_death.death_at if known_death else None
    event = _event(command, death_at)
    refuse_half_fatal(event, death_at, "outcome", situation.zone)
    if command.death is not None and not event.fatal:
        raise CommandRejected("Only a fatal adverse event comes with a death.", rule="INV-02", field="death")
    if event.fatal and death is None and (assessments.death is None or not assessments.death.primary_cause_ae_id):
        raise CommandRejected(
            "The death on record has no primary cause: name this event in a correction of the death record.",
            rule="INV-08",
            field="death.primaryCause",
        )
    refuse_missing_grade(event, "grade")
    refuse_disorder(event, situation)
    refuse_unaware(command.onset, command.aware_at, situation)
    situation.past("frequencyWorsenedAt", command.frequency_worsened_at)
    refuse_against_death(event, death_at, situation)
    reported = _reported(ae_id, event, command)
    return (reported, death) if death else (reported,)


def _death(
    assessments: AssessmentsState,
    onsets: Iterable[PartialDate],
    ae_id: UUID,
    command: ReportAdverseEvent,
    situation: Situation,
) -> ParticipantDied | None:
    if command.death is None:
        return None
    if assessments.death is not None:
        _refuse_other_death(assessments.death, command.death, situation)
        return None
    situation.past("death.deathAt", command.death.death_at)
    if not command.death.primary_cause:
        raise CommandRejected(
            "A death with a fatal adverse event has a primary cause, and this is its only fatal event.",
            rule="INV-08",
            field="death.primaryCause",
        )
    for onset in onsets:
        refuse_onset_after_death(onset, command.death.death_at, "death.deathAt", situation)
    return ParticipantDied(
        death_at=command.death.death_at,
        aware_at=command.aware_at,
        primary_cause_ae_id=ae_id,
        autopsy_done=command.death.autopsy_done,
    )


def _refuse_other_death(on_record: ParticipantDied, stated: ReportedDeath, situation: Situation) -> None:
    if not same_time(on_record.death_at, stated.death_at, situation.zone):
        raise CommandRejected("Another time of death is on record.", rule="INV-08", field="death.deathAt")
    if stated.primary_cause:
        raise CommandRejected(
            "The death is on record; its primary cause changes with a correction of the death record only.",
            rule="VIS-02",
            field="death.primaryCause",
        )


def _event(command: ReportAdverseEvent, death_at: PartialDate | None) -> AdverseEvent:
    fatal = command.outcome is Outcome.FATAL
    return AdverseEvent(
        version=1,
        code=command.code,
        ctcae_term=command.ctcae_term,
        onset=command.onset,
        grades=((command.grade_at, command.grade),) if command.grade_at and command.grade else (),
        of_investigator=frozenset(command.criteria),
        of_sponsor=frozenset(),
        outcome=command.outcome,
        end_at=command.end_at or (death_at if fatal else None),
    )


def _reported(ae_id: UUID, event: AdverseEvent, command: ReportAdverseEvent) -> AEReported:
    return AEReported(
        ae_id=ae_id,
        ae_version=event.version,
        code=command.code,
        ctcae_term=command.ctcae_term,
        verbatim=command.verbatim,
        onset=command.onset,
        end_at=event.end_at,
        aware_at=command.aware_at,
        criteria=distinct(command.criteria),
        grade=command.grade,
        grade_at=command.grade_at,
        outcome=command.outcome,
        action_taken=command.action_taken,
        reporter=command.reporter,
        age_years=command.age_years,
        baseline_condition_id=command.baseline_condition_id,
        recurrence_of=command.recurrence_of,
        replaces=command.replaces,
        onset_before_first_session=command.onset_before_first_session,
        frequency_worsened_at=command.frequency_worsened_at,
        causality=tuple(
            CausalityStatement(target=one.target, value=one.value, rationale=one.rationale) for one in command.causality
        ),
    )
