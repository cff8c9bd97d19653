"""Consent and enrolment (`events.md` 3.1, rules ENR).

Decided here, because the reference leaves room: a consent signed after consent was withdrawn is a new one, and ends
what the withdrawal of consent stopped; enrolment (ENR-02) and a withdrawal from follow-up it does not touch. A consent
to health data once given counts until then (ENR-01).
"""

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, TypeAlias, assert_never

from pydantic import Field

from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.enrolment import (
    AdmissionType,
    ConsentRecorded,
    ConsentWithdrawn,
    Indication,
    ScreenFailed,
    Sex,
    SubjectEnrolled,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import SITE, Role
from hepatrail_events.study import HoldAction
from hepatrail_events.types import Instant, Label, SiteId
from hepatrail_services.command import ReasonText, SubjectCommand
from hepatrail_services.deciders.assessments_state import AssessmentsState, is_on_record, refuse_narrowing
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.numbers import PositiveDecimal


class RecordConsent(SubjectCommand):
    """The site holds the participant's signed consent. The first one opens the participant's record."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    site_id: SiteId = Field(description="Site that treats the participant")
    version: Label = Field(description="Version of the consent form")
    given_at: Instant = Field(description="When the participant signed")
    health_data_consent: bool = Field(description="Separate consent to the processing of health data (PIPL)")


class RecordScreenFailure(SubjectCommand):
    """The participant did not meet the criteria and is not enrolled."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    reason: ReasonText = Field(description="Criterion that was not met, in the site's words")


class EnrolSubject(SubjectCommand):
    """The participant is enrolled; the static inputs of the scores are fixed here."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    indication: Indication = Field(description="Why the participant is treated")
    sex: Sex = Field(description="Sex used in formulas (LOINC 46098-0)")
    age_years: Annotated[int, Field(ge=0, le=120)] = Field(description="Age in completed years at enrolment")
    chronic_health: bool = Field(description="Severe chronic organ insufficiency or immunocompromise (APACHE II)")
    admission_type: AdmissionType = Field(description="Admission type of APACHE II")
    height_cm: PositiveDecimal | None = Field(default=None, description="Body height in cm")


class WithdrawConsent(SubjectCommand):
    """The participant withdrew consent. Of an enrolled participant it is a withdrawal from follow-up as well."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    withdrawn_at: Instant = Field(description="When the participant said so")
    scope: WithdrawalScope | None = Field(
        None, description="FOLLOW_UP or ALL_DATA_USE; required once the participant is enrolled, not used before"
    )
    vital_status_allowed: bool = Field(
        False, description="Whether the site may still ask if the participant lives; only with FOLLOW_UP"
    )
    reason: ReasonText | None = Field(default=None, description="Why, in the site's words; kept once enrolled")


EnrolmentCommand: TypeAlias = RecordConsent | RecordScreenFailure | EnrolSubject | WithdrawConsent
EnrolmentEvent: TypeAlias = ConsentRecorded | ScreenFailed | SubjectEnrolled | ConsentWithdrawn


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """Site and consent of a participant and how far enrolment came; `site_id` None: the stream is not open.

    `consent_withdrawn_at` is that of a withdrawal after which no new consent was signed.
    """

    site_id: str | None = None
    health_data_consent: bool = False
    screen_failed: bool = False
    enrolled: bool = False
    consent_withdrawn: bool = False
    consent_withdrawn_at: Instant | None = None


def refuse_without_consent(state: EnrolmentState) -> None:
    """ENR-01: CommandRejected until a consent with consent to health data was recorded."""
    if state.site_id is None:
        raise CommandRejected(
            "No consent is recorded for this participant: record it before anything else.",
            rule="ENR-01",
            field="subjectId",
        )
    if not state.health_data_consent:
        raise CommandRejected(
            "The participant has not consented to the processing of health data.", rule="ENR-01", field="subjectId"
        )


def decide(
    state: EnrolmentState, assessments: AssessmentsState, command: EnrolmentCommand, situation: Situation
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case RecordConsent():
            return (_consent(state, command, situation),)
        case RecordScreenFailure():
            if state.enrolled:
                raise CommandRejected("The participant is enrolled: no screen failure any more.", rule="ENR-03")
            return (ScreenFailed(reason=command.reason),)
        case EnrolSubject():
            return (_enrolment(state, assessments, command, situation),)
        case WithdrawConsent():
            return _withdrawal(state, assessments, command, situation)
        case _:
            assert_never(command)


def _consent(state: EnrolmentState, command: RecordConsent, situation: Situation) -> ConsentRecorded:
    if state.site_id not in (None, command.site_id):
        raise CommandRejected(
            f"The participant belongs to site {state.site_id}.", rule="ENR-01", field="siteId", code="RULE"
        )
    situation.past("givenAt", command.given_at)
    return ConsentRecorded(
        site_id=command.site_id,
        version=command.version,
        given_at=command.given_at,
        health_data_consent=command.health_data_consent,
    )


def _enrolment(
    state: EnrolmentState, assessments: AssessmentsState, command: EnrolSubject, situation: Situation
) -> SubjectEnrolled:
    hindrance = (
        "is enrolled already"
        if state.enrolled
        else "failed screening"
        if state.screen_failed
        else "withdrew consent"
        if state.consent_withdrawn
        else "died"
        if assessments.death is not None
        else None
    )
    if hindrance:
        raise CommandRejected(f"The participant {hindrance} and cannot be enrolled.", rule="ENR-02")
    assert state.site_id is not None
    if not situation.study.site_active(state.site_id):
        raise CommandRejected(f"Site {state.site_id} is not active.", rule="ENR-04")
    situation.study.refuse_held(HoldAction.HOLD_ENROLMENT, command.subject_id, rule="ENR-04")
    return SubjectEnrolled(
        indication=command.indication,
        sex=command.sex,
        age_years=command.age_years,
        chronic_health=command.chronic_health,
        admission_type=command.admission_type,
        height_cm=command.height_cm,
    )


def _withdrawal(
    state: EnrolmentState, assessments: AssessmentsState, command: WithdrawConsent, situation: Situation
) -> tuple[Event, ...]:
    situation.past("withdrawnAt", command.withdrawn_at)
    consent = ConsentWithdrawn(withdrawn_at=command.withdrawn_at)
    if not state.enrolled:
        return (consent,)
    if command.scope is None or command.scope is WithdrawalScope.TREATMENT_ONLY:
        raise CommandRejected(
            "The participant is enrolled: the scope must be FOLLOW_UP or ALL_DATA_USE.", rule="VIS-04", field="scope"
        )
    withdrawal = ParticipantWithdrew(
        withdrawn_at=command.withdrawn_at,
        scope=command.scope,
        vital_status_allowed=command.vital_status_allowed,
        reason=command.reason,
    )
    refuse_narrowing(assessments, withdrawal)
    return (consent,) if is_on_record(assessments, withdrawal) else (consent, withdrawal)


def evolve(state: EnrolmentState, event: EnrolmentEvent) -> EnrolmentState:
    """The state after an event."""
    match event:
        case ConsentRecorded():
            return replace(
                state,
                site_id=state.site_id or event.site_id,
                health_data_consent=state.health_data_consent or event.health_data_consent,
                consent_withdrawn_at=_still_withdrawn_at(state, event),
            )
        case ScreenFailed():
            return replace(state, screen_failed=True)
        case SubjectEnrolled():
            return replace(state, enrolled=True)
        case ConsentWithdrawn():
            return replace(state, consent_withdrawn=True, consent_withdrawn_at=event.withdrawn_at)
        case _:
            assert_never(event)


def _still_withdrawn_at(state: EnrolmentState, consent: ConsentRecorded) -> Instant | None:
    withdrawn_at = state.consent_withdrawn_at
    return None if withdrawn_at is not None and consent.given_at > withdrawn_at else withdrawn_at
