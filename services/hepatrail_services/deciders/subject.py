"""One participant: the states of all families together, and the rules that come before those of any family."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_services.deciders import (
    adverse_events,
    assessments,
    assessments_state,
    baseline_conditions,
    concomitant,
    data_queries,
    device_deficiencies,
    enrolment,
    measurements,
    sessions,
    submissions,
)
from hepatrail_services.deciders.adverse_events import AdverseEventCommandType
from hepatrail_services.deciders.ae_state import AdverseEventEvent, AdverseEventsState
from hepatrail_services.deciders.assessments import AssessmentCommand
from hepatrail_services.deciders.assessments_state import AssessmentEvent, AssessmentsState
from hepatrail_services.deciders.baseline_conditions import (
    BaselineConditionCommand,
    BaselineConditionEvent,
    BaselineConditionsState,
)
from hepatrail_services.deciders.concomitant import ConcomitantCommand, ConcomitantEvent, ConcomitantState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.data_queries import DataQueriesState, DataQueryCommand, DataQueryEvent
from hepatrail_services.deciders.death import RecordDeath, record_death
from hepatrail_services.deciders.death_correction import CorrectDeathRecord, correct_death_record
from hepatrail_services.deciders.device_deficiencies import (
    DeviceDeficienciesState,
    DeviceDeficiencyCommand,
    DeviceDeficiencyEvent,
)
from hepatrail_services.deciders.enrolment import (
    EnrolmentCommand,
    EnrolmentEvent,
    EnrolmentState,
    RecordConsent,
    refuse_without_consent,
)
from hepatrail_services.deciders.measurements import MeasurementCommand, MeasurementEvent, MeasurementsState
from hepatrail_services.deciders.sessions import SessionCommand, SessionEvent, SessionsState
from hepatrail_services.deciders.submissions import SubmissionCommand, SubmissionEvent, SubmissionsState
from hepatrail_services.deciders.survival import RecordSurvivalStatus, record_survival_status

CourseCommand: TypeAlias = (
    EnrolmentCommand
    | SessionCommand
    | MeasurementCommand
    | AssessmentCommand
    | RecordSurvivalStatus
    | RecordDeath
    | CorrectDeathRecord
    | ConcomitantCommand
)
"""The participant's course: enrolment, treatment, measurements, assessments, survival, what else was given."""
SafetyCommand: TypeAlias = (
    AdverseEventCommandType | BaselineConditionCommand | SubmissionCommand | DeviceDeficiencyCommand | DataQueryCommand
)
"""What went wrong, what was told of it, and what is asked about the records."""
SubjectCommandType: TypeAlias = CourseCommand | SafetyCommand
CourseEvent: TypeAlias = EnrolmentEvent | SessionEvent | MeasurementEvent | AssessmentEvent | ConcomitantEvent
SafetyEvent: TypeAlias = (
    AdverseEventEvent | BaselineConditionEvent | SubmissionEvent | DeviceDeficiencyEvent | DataQueryEvent
)
SubjectEvent: TypeAlias = CourseEvent | SafetyEvent


@dataclass(frozen=True, slots=True)
class SubjectState:
    """The folded stream of a participant."""

    version: int = 0
    enrolment: EnrolmentState = field(default_factory=EnrolmentState)
    sessions: SessionsState = field(default_factory=SessionsState)
    measurements: MeasurementsState = field(default_factory=MeasurementsState)
    assessments: AssessmentsState = field(default_factory=AssessmentsState)
    concomitant: ConcomitantState = field(default_factory=ConcomitantState)
    adverse_events: AdverseEventsState = field(default_factory=AdverseEventsState)
    baseline_conditions: BaselineConditionsState = field(default_factory=BaselineConditionsState)
    submissions: SubmissionsState = field(default_factory=SubmissionsState)
    device_deficiencies: DeviceDeficienciesState = field(default_factory=DeviceDeficienciesState)
    data_queries: DataQueriesState = field(default_factory=DataQueriesState)


def decide(state: SubjectState, command: SubjectCommandType, situation: Situation) -> tuple[Event, ...]:
    """Events of a command; CommandRejected names the rule.

    In this order: the caller's site (FORBIDDEN), the expected version (CONFLICT), consent (ENR-01), the family's
    own rules.
    """
    _refuse_foreign_site(state, command, situation)
    if command.expected_version not in (None, state.version):
        raise CommandRejected(
            f"The participant is at version {state.version} by now: read it again.",
            code="CONFLICT",
            field="expectedVersion",
        )
    if not isinstance(command, RecordConsent):
        refuse_without_consent(state.enrolment)
    if isinstance(command, CourseCommand):
        return _of_the_course(state, command, situation)
    return _of_safety(state, command, situation)


def _of_the_course(state: SubjectState, command: CourseCommand, situation: Situation) -> tuple[Event, ...]:
    if isinstance(command, EnrolmentCommand):
        return enrolment.decide(state.enrolment, state.assessments, command, situation)
    if isinstance(command, SessionCommand):
        return sessions.decide(state.sessions, state.enrolment, state.assessments, command, situation)
    if isinstance(command, MeasurementCommand):
        return measurements.decide(state.measurements, command, situation)
    if isinstance(command, AssessmentCommand):
        return assessments.decide(state.assessments, command, situation)
    if isinstance(command, RecordSurvivalStatus):
        return record_survival_status(state.assessments, state.adverse_events, command, situation)
    if isinstance(command, RecordDeath):
        return record_death(state.assessments, state.adverse_events, command, situation)
    if isinstance(command, CorrectDeathRecord):
        return correct_death_record(state.assessments, state.adverse_events, command, situation)
    if isinstance(command, ConcomitantCommand):
        return concomitant.decide(state.concomitant, command, situation)
    assert_never(command)


def _of_safety(state: SubjectState, command: SafetyCommand, situation: Situation) -> tuple[Event, ...]:
    if isinstance(command, AdverseEventCommandType):
        return adverse_events.decide(state.adverse_events, state.assessments, command, situation)
    if isinstance(command, BaselineConditionCommand):
        return baseline_conditions.decide(state.baseline_conditions, command, situation)
    if isinstance(command, SubmissionCommand):
        return submissions.decide(state.submissions, state.adverse_events, command, situation)
    if isinstance(command, DeviceDeficiencyCommand):
        deficiencies = state.device_deficiencies
        return device_deficiencies.decide(deficiencies, state.sessions, state.adverse_events, command, situation)
    if isinstance(command, DataQueryCommand):
        return data_queries.decide(state.data_queries, command)
    assert_never(command)


def _refuse_foreign_site(state: SubjectState, command: SubjectCommandType, situation: Situation) -> None:
    site_id = state.enrolment.site_id
    sites = {site_id} if site_id is not None else set()
    if isinstance(command, RecordConsent):
        sites.add(command.site_id)
    if not all(situation.context.actor.may_see(site) for site in sites):
        raise CommandRejected("The participant belongs to another site than yours.", code="FORBIDDEN")


def evolve(state: SubjectState, recorded: Recorded) -> SubjectState:
    """The state after an event; one of another kind of stream only counts."""
    event, version = recorded.event, recorded.envelope.streamseq
    if isinstance(event, CourseEvent):
        return replace(_after_the_course(state, event, recorded), version=version)
    if isinstance(event, SafetyEvent):
        return replace(_after_safety(state, event, recorded), version=version)
    return replace(state, version=version)


def _after_the_course(state: SubjectState, event: CourseEvent, recorded: Recorded) -> SubjectState:
    if isinstance(event, MeasurementEvent):
        return replace(state, measurements=measurements.evolve(state.measurements, event))
    if isinstance(event, SessionEvent):
        return replace(state, sessions=sessions.evolve(state.sessions, event))
    if isinstance(event, EnrolmentEvent):
        return replace(state, enrolment=enrolment.evolve(state.enrolment, event))
    if isinstance(event, AssessmentEvent):
        return replace(state, assessments=assessments_state.evolve(state.assessments, event, recorded))
    if isinstance(event, ConcomitantEvent):
        return replace(state, concomitant=concomitant.evolve(state.concomitant, event))
    assert_never(event)


def _after_safety(state: SubjectState, event: SafetyEvent, recorded: Recorded) -> SubjectState:
    if isinstance(event, AdverseEventEvent):
        return replace(state, adverse_events=adverse_events.evolve(state.adverse_events, event, recorded))
    if isinstance(event, BaselineConditionEvent):
        return replace(state, baseline_conditions=baseline_conditions.evolve(state.baseline_conditions, event))
    if isinstance(event, SubmissionEvent):
        return replace(state, submissions=submissions.evolve(state.submissions, event))
    if isinstance(event, DeviceDeficiencyEvent):
        return replace(state, device_deficiencies=device_deficiencies.evolve(state.device_deficiencies, event))
    if isinstance(event, DataQueryEvent):
        return replace(state, data_queries=data_queries.evolve(state.data_queries, event))
    assert_never(event)
