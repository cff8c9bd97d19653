"""One participant: the states of all families together, and the rules that come before those of any family."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_services.deciders import adverse_events, assessments, enrolment, measurements, sessions
from hepatrail_services.deciders.adverse_events import AdverseEventCommandType, AdverseEventEvent, AdverseEventsState
from hepatrail_services.deciders.assessments import AssessmentCommand, AssessmentEvent, AssessmentsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.enrolment import (
    EnrolmentCommand,
    EnrolmentEvent,
    EnrolmentState,
    RecordConsent,
    refuse_without_consent,
)
from hepatrail_services.deciders.measurements import MeasurementCommand, MeasurementEvent, MeasurementsState
from hepatrail_services.deciders.sessions import SessionCommand, SessionEvent, SessionsState

SubjectCommandType: TypeAlias = (
    EnrolmentCommand | SessionCommand | MeasurementCommand | AssessmentCommand | AdverseEventCommandType
)
SubjectEvent: TypeAlias = EnrolmentEvent | SessionEvent | MeasurementEvent | AssessmentEvent | AdverseEventEvent


@dataclass(frozen=True, slots=True)
class SubjectState:
    """The folded stream of a participant."""

    version: int = 0
    enrolment: EnrolmentState = field(default_factory=EnrolmentState)
    sessions: SessionsState = field(default_factory=SessionsState)
    measurements: MeasurementsState = field(default_factory=MeasurementsState)
    assessments: AssessmentsState = field(default_factory=AssessmentsState)
    adverse_events: AdverseEventsState = field(default_factory=AdverseEventsState)


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
    if isinstance(command, EnrolmentCommand):
        return enrolment.decide(state.enrolment, state.assessments, command, situation)
    if isinstance(command, SessionCommand):
        return sessions.decide(state.sessions, state.enrolment, state.assessments, command, situation)
    if isinstance(command, MeasurementCommand):
        return measurements.decide(state.measurements, command, situation)
    if isinstance(command, AssessmentCommand):
        events = state.adverse_events
        return assessments.decide(state.assessments, events.onsets(), events.fatal(), command, situation)
    if isinstance(command, AdverseEventCommandType):
        return adverse_events.decide(state.adverse_events, state.assessments, command, situation)
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
    if isinstance(event, MeasurementEvent):
        return replace(state, version=version, measurements=measurements.evolve(state.measurements, event))
    if isinstance(event, SessionEvent):
        return replace(state, version=version, sessions=sessions.evolve(state.sessions, event))
    if isinstance(event, AdverseEventEvent):
        after = adverse_events.evolve(state.adverse_events, event, recorded.envelope.actorrole)
        return replace(state, version=version, adverse_events=after)
    if isinstance(event, EnrolmentEvent):
        return replace(state, version=version, enrolment=enrolment.evolve(state.enrolment, event))
    if isinstance(event, AssessmentEvent):
        return replace(state, version=version, assessments=assessments.evolve(state.assessments, event))
    return replace(state, version=version)
