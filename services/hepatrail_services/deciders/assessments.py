"""Assessments, transplant, withdrawal and contact (`events.md` 3.5, rules VIS); the death is in `death.py`.

Decided here, because the reference leaves room: all fields of an assessment can be corrected; a record of another
kind is void and recorded anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.assessments import (
    AEAssessmentDone,
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    Donor,
    LostToFollowUp,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import INVESTIGATORS, SITE, Role
from hepatrail_events.types import Code, Fact, Instant, PartialDate
from hepatrail_services.command import ReasonText, SubjectCommand
from hepatrail_services.deciders.assessments_state import (
    Assessment,
    AssessmentsState,
    is_on_record,
    refuse_contradiction,
    refuse_narrowing,
)
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, CorrectRecordWithText, VoidRecord, correctable
from hepatrail_services.deciders.kept import added, change, corrected, known, voided, voiding


class RecordAeAssessment(SubjectCommand):
    """The site asked the participant for adverse events; that there is no new one must be stated."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    at: Instant = Field(description="When the site asked")
    any_new: YesNo = Field(description="Whether there is a new adverse event; each one is reported by itself")
    visit_code: Code | None = Field(default=None, description="Time point that the assessment was made for")


class TransplantationInput(Fact):
    """The participant received a liver."""

    transplant_at: PartialDate = Field(description="When the liver was transplanted, as far as it is known")
    donor: Donor | None = Field(default=None, description="Donor of the liver")


class RecordTransplant(TransplantationInput, SubjectCommand):
    """The participant received a liver; what worsened before is the adverse event, not the transplant."""

    ROLES: ClassVar[frozenset[Role]] = SITE


class WithdrawSubject(SubjectCommand):
    """The participant withdrew from treatment, from follow-up or from all use of data."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    withdrawn_at: Instant = Field(description="When the participant said so")
    scope: WithdrawalScope = Field(description="From what the participant withdrew; a later withdrawal may only widen")
    vital_status_allowed: bool = Field(
        description="Whether the site may still ask if the participant lives; only with FOLLOW_UP"
    )
    reason: ReasonText | None = Field(default=None, description="Why, in the site's words")


class RecordLossToFollowUp(SubjectCommand):
    """The site cannot reach the participant any more."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    last_contact_at: Instant = Field(description="When the site was last in contact with the participant")


class RecordContactRegained(SubjectCommand):
    """The site reached the participant again."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    at: Instant = Field(description="When the site reached the participant")


class CorrectAssessment(CorrectRecordWithText):
    """One field of an assessment, survival status, transplant, withdrawal or contact is corrected; never of a death."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    id: UUID = Field(description="The event that recorded it")


class VoidAssessment(VoidRecord):
    """An assessment, survival status, transplant, withdrawal or contact is void; never a death."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The event that recorded it")


AssessmentCommand: TypeAlias = (
    RecordAeAssessment
    | RecordTransplant
    | WithdrawSubject
    | RecordLossToFollowUp
    | RecordContactRegained
    | CorrectAssessment
    | VoidAssessment
)

CORRECTABLE: Mapping[type[Event], Mapping[str, Correctable]] = {
    AEAssessmentDone: correctable(AEAssessmentDone, ("at", "anyNew", "visitCode")),
    SurvivalStatusRecorded: correctable(
        SurvivalStatusRecorded, ("at", "alive", "transplant", "transplantAt", "source", "visitCode")
    ),
    TransplantDone: correctable(TransplantDone, ("transplantAt", "donor")),
    ParticipantWithdrew: correctable(ParticipantWithdrew, ("withdrawnAt", "scope", "vitalStatusAllowed", "reason")),
    LostToFollowUp: correctable(LostToFollowUp, ("lastContactAt",)),
    ContactRegained: correctable(ContactRegained, ("at",)),
}


def decide(state: AssessmentsState, command: AssessmentCommand, situation: Situation) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site. What VIS-06 lists is accepted."""
    match command:
        case RecordAeAssessment():
            situation.past("at", command.at)
            return (AEAssessmentDone(at=command.at, any_new=command.any_new, visit_code=command.visit_code),)
        case RecordTransplant():
            return (transplanted(command, situation),)
        case WithdrawSubject():
            return (_withdrawal(state, command, situation),)
        case RecordLossToFollowUp():
            situation.past("lastContactAt", command.last_contact_at)
            loss = LostToFollowUp(last_contact_at=command.last_contact_at)
            _refuse_out_of_turn(state, command, loss, "lastContactAt")
            return (loss,)
        case RecordContactRegained():
            situation.past("at", command.at)
            contact = ContactRegained(at=command.at)
            _refuse_out_of_turn(state, command, contact, "at")
            return (contact,)
        case CorrectAssessment():
            return (_correction(state, command, situation),)
        case VoidAssessment():
            return (_void(state, command),)
        case _:
            assert_never(command)


def transplanted(stated: TransplantationInput, situation: Situation, prefix: str = "") -> TransplantDone:
    """The record of a transplant; `prefix` leads to the input's fields where they are part of another command."""
    situation.past(f"{prefix}transplantAt", stated.transplant_at)
    return TransplantDone(transplant_at=stated.transplant_at, donor=stated.donor)


def _withdrawal(state: AssessmentsState, command: WithdrawSubject, situation: Situation) -> ParticipantWithdrew:
    situation.past("withdrawnAt", command.withdrawn_at)
    withdrawal = ParticipantWithdrew(
        withdrawn_at=command.withdrawn_at,
        scope=command.scope,
        vital_status_allowed=command.vital_status_allowed,
        reason=command.reason,
    )
    refuse_narrowing(state, withdrawal)
    if is_on_record(state, withdrawal):
        raise CommandRejected(
            f"The withdrawal of scope {command.scope} is on record already.", rule="VIS-04", field="scope"
        )
    return withdrawal


def _refuse_out_of_turn(
    state: AssessmentsState, command: SubjectCommand, fact: LostToFollowUp | ContactRegained, path: str
) -> None:
    after = replace(state, assessments=added(state.assessments, command.command_id, fact))
    refuse_contradiction(after, fact, path)


def _correction(state: AssessmentsState, command: CorrectAssessment, situation: Situation) -> AssessmentCorrected:
    assessment = _known(state, command.id)
    correction = change(assessment, CORRECTABLE[type(assessment)], command, situation)
    event = correction.event(AssessmentCorrected, command)
    after = replace(state, assessments=corrected(state.assessments, event))
    refuse_contradiction(after, correction.fact, "newValue")
    return event


def _void(state: AssessmentsState, command: VoidAssessment) -> AssessmentVoided:
    assessment = _known(state, command.id)
    event = voiding(AssessmentVoided, command)
    refuse_contradiction(replace(state, assessments=voided(state.assessments, event)), assessment, "id")
    return event


def _known(state: AssessmentsState, event_id: UUID) -> Assessment:
    if event_id in state.death_ids:
        raise CommandRejected(
            "The record of a death is corrected by correctDeathRecord, and never void.", rule="VIS-02", field="id"
        )
    return known(state.assessments, event_id, "assessment")
