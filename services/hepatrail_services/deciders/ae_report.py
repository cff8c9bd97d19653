"""The first report of an adverse event, a fatal one together with the death (`safety.md` 4.1).

Decided here, because the reference leaves room: where the death is on record and this event becomes its primary cause,
the reporter's words for the event are the reason of the correction. A coordinator may so name the first primary cause;
to replace one is a correction of the death record, which is an investigator's.
"""

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
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import object_id
from hepatrail_events.roles import SITE, Role
from hepatrail_events.types import Fact, Grade, Instant, Label, PartialDate
from hepatrail_services.command import Comment, SubjectCommand
from hepatrail_services.deciders.ae_rules import (
    Commit,
    as_named,
    distinct,
    refuse_broken,
    refuse_wrong_cause,
)
from hepatrail_services.deciders.assessments_state import (
    AssessmentsState,
    corrected_death,
    refuse_onset_after_death,
)
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import same_time


class ReportedCausality(Fact):
    """One target's causality as the investigator judges it."""

    target: CausalityTarget = Field(description="What the adverse event may have been caused by")
    value: Causality = Field(description="WHO-UMC category")
    rationale: Comment | None = Field(default=None, description="Why, in the investigator's words")


class ReportedDeath(Fact):
    """The death that a fatal adverse event led to: a new one, or the one on record."""

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


def report(commit: Commit, assessments: AssessmentsState, command: ReportAdverseEvent, situation: Situation) -> Commit:
    """The report, and what it says of the death: ParticipantDied, or DeathRecordCorrected once that is on record."""
    if command.causality and situation.context.actor.role is Role.COORDINATOR:
        raise CommandRejected("A coordinator does not judge causality.", code="FORBIDDEN", field="causality")
    if (command.grade is None) != (command.grade_at is None):
        lacking = "gradeAt" if command.grade_at is None else "grade"
        raise CommandRejected("grade and gradeAt are stated together.", code="SHAPE", field=lacking)
    if command.death is not None and command.outcome is not Outcome.FATAL:
        raise CommandRejected("Only a fatal adverse event comes with a death.", rule="INV-02", field="death")
    ae_id = object_id(command.command_id, "ae")
    told = _told_of_death(commit, assessments.death, ae_id, command, situation)
    death = _death_after(assessments.death, told)
    death_at = death.death_at if death else None
    commit = commit.then(_reported(ae_id, death_at, command), *((told,) if told else ()))
    refuse_broken(commit[ae_id], death_at, situation, as_named)
    if commit[ae_id].fatal:
        refuse_wrong_cause(commit.state, death, "death.primaryCause")
    return commit


def _told_of_death(
    commit: Commit,
    on_record: ParticipantDied | None,
    ae_id: UUID,
    command: ReportAdverseEvent,
    situation: Situation,
) -> ParticipantDied | DeathRecordCorrected | None:
    stated = command.death
    if stated is None:
        return None
    if on_record is not None:
        return _primary_cause(on_record, stated, ae_id, command, situation)
    situation.past("death.deathAt", stated.death_at)
    for other in commit.state.standing().values():
        refuse_onset_after_death(other.onset, stated.death_at, "death.deathAt", situation)
    return ParticipantDied(
        death_at=stated.death_at,
        aware_at=command.aware_at,
        primary_cause_ae_id=ae_id if stated.primary_cause else None,
        autopsy_done=stated.autopsy_done,
    )


def _primary_cause(
    on_record: ParticipantDied, stated: ReportedDeath, ae_id: UUID, command: ReportAdverseEvent, situation: Situation
) -> DeathRecordCorrected | None:
    if not same_time(on_record.death_at, stated.death_at, situation.zone):
        raise CommandRejected("Another time of death is on record.", rule="INV-08", field="death.deathAt")
    if not stated.primary_cause:
        if stated.autopsy_done not in (None, on_record.autopsy_done):
            raise CommandRejected(
                "Whether an autopsy was done is told by a correction of the death record.",
                rule="VIS-02",
                field="death.autopsyDone",
            )
        return None
    if on_record.primary_cause_ae_id is not None and situation.context.actor.role is Role.COORDINATOR:
        raise CommandRejected(
            "Another primary cause is on record: an investigator corrects the death record.",
            code="FORBIDDEN",
            field="death.primaryCause",
        )
    return DeathRecordCorrected(
        revived=False, primary_cause_ae_id=ae_id, autopsy_done=stated.autopsy_done, reason=command.verbatim
    )


def _death_after(
    on_record: ParticipantDied | None, told: ParticipantDied | DeathRecordCorrected | None
) -> ParticipantDied | None:
    if isinstance(told, DeathRecordCorrected):
        return corrected_death(on_record, told)
    return told or on_record


def _reported(ae_id: UUID, death_at: PartialDate | None, command: ReportAdverseEvent) -> AEReported:
    fatal = command.outcome is Outcome.FATAL
    return AEReported(
        ae_id=ae_id,
        ae_version=1,
        code=command.code,
        ctcae_term=command.ctcae_term,
        verbatim=command.verbatim,
        onset=command.onset,
        end_at=command.end_at or (death_at if fatal else None),
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
