"""Treatment sessions (`events.md` 3.2, rules SES). What SES-07 lists is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.corrected_values import as_text
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import INVESTIGATORS, SITE, Role
from hepatrail_events.sessions import (
    AccessVein,
    Anticoagulant,
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
    Side,
)
from hepatrail_events.study import HoldAction
from hepatrail_events.types import CellCount, Instant, Label
from hepatrail_services.command import ReasonText, SubjectCommand
from hepatrail_services.deciders.assessments_state import AssessmentsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import (
    Correctable,
    CorrectRecord,
    VoidRecord,
    correctable,
    read_change,
    refuse_stale,
)
from hepatrail_services.deciders.enrolment import EnrolmentState
from hepatrail_services.deciders.numbers import PercentDecimal, PositiveDecimal
from hepatrail_services.deciders.session_course import (
    Session,
    corrected,
    refuse_after_stop,
    refuse_disorder,
    refuse_unreleased,
    resumed,
)


class StartSession(SubjectCommand):
    """Blood or plasma entered the circuit: a treatment session began."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    started_at: Instant = Field(description="When blood or plasma entered the circuit")
    access_vein: AccessVein = Field(description="Central vein of the access")
    side: Side = Field(description="Side of the access")
    access_placed_at: Instant | None = Field(
        None, description="When the access was placed; only if it was placed for this session"
    )
    device_lot: Label = Field(description="Lot of the bioartificial liver device")
    cell_batch: Label = Field(description="Batch of the CiPS-derived hepatocytes")
    batch_release_ref: Annotated[str, Field(max_length=200)] = Field(description="Reference of the batch's release")
    viability_percent: PercentDecimal = Field(description="Viability of the cells at release, in %")
    viable_cells: CellCount = Field(description="Number of viable hepatocytes in the reactor")
    weight_kg: PositiveDecimal = Field(description="Body weight of the participant in kg")
    weight_measured_at: Instant = Field(description="When the participant was weighed")
    flow_ml_min: PositiveDecimal | None = Field(default=None, description="Flow through the reactor in mL/min")
    anticoagulant: Anticoagulant | None = Field(default=None, description="Anticoagulant of the circuit")


class PauseSession(SubjectCommand):
    """Flow through the reactor was interrupted; a pause is no end."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    session_id: UUID = Field(description="The open session")
    at: Instant = Field(description="When flow stopped")
    reason: ReasonText = Field(description="Why, in the treatment team's words")


class ResumeSession(SubjectCommand):
    """Flow through the reactor began again."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    session_id: UUID = Field(description="The paused session")
    at: Instant = Field(description="When flow began again")


class EndSession(SubjectCommand):
    """Flow through the reactor stopped for good, whatever the duration."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    session_id: UUID = Field(description="The open session")
    ended_at: Instant = Field(description="When flow stopped for good")
    reason: EndReason = Field(description="Why the session ended")


class CorrectSession(CorrectRecord):
    """One field of a session is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = SITE

    id: UUID = Field(description="The session")
    field: Label = Field(description="Name of the field in startSession, or endedAt, or endReason")


class VoidSession(VoidRecord):
    """The session record is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The session")


SessionCommand: TypeAlias = StartSession | PauseSession | ResumeSession | EndSession | CorrectSession | VoidSession
SessionEvent: TypeAlias = (
    SessionStarted | SessionPaused | SessionResumed | SessionEnded | SessionCorrected | SessionVoided
)

_STATED = tuple(
    str(field.alias) for name, field in StartSession.model_fields.items() if name not in SubjectCommand.model_fields
)
CORRECTABLE: Mapping[str, Correctable] = correctable(StartSession, _STATED) | {
    "endedAt": correctable(EndSession, ("endedAt",))["endedAt"],
    "endReason": correctable(EndSession, ("reason",))["reason"],
}
"""What startSession states and the end; the pauses cannot be corrected."""
_OF_THE_END = ("endedAt", "endReason")


@dataclass(frozen=True, slots=True)
class SessionsState:
    """All sessions of a participant."""

    sessions: Mapping[UUID, Session] = field(default_factory=dict)


def decide(
    state: SessionsState,
    enrolment: EnrolmentState,
    assessments: AssessmentsState,
    command: SessionCommand,
    situation: Situation,
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case StartSession():
            _may_start(state, enrolment, assessments, command, situation)
            return (_start(command, situation),)
        case PauseSession():
            session = _running(state, command.session_id)
            refuse_disorder(replace(session, pauses=(*session.pauses, (command.at, None))), "at")
            situation.past("at", command.at)
            return (SessionPaused(session_id=command.session_id, at=command.at, reason=command.reason),)
        case ResumeSession():
            session = _running(state, command.session_id)
            if not session.paused:
                raise CommandRejected("The session is not paused.", rule="SES-03", field="sessionId")
            refuse_disorder(resumed(session, command.at), "at")
            situation.past("at", command.at)
            return (SessionResumed(session_id=command.session_id, at=command.at),)
        case EndSession():
            session = _running(state, command.session_id)
            refuse_disorder(replace(session, ended_at=command.ended_at), "endedAt")
            situation.past("endedAt", command.ended_at)
            return (SessionEnded(session_id=command.session_id, ended_at=command.ended_at, reason=command.reason),)
        case CorrectSession():
            session = _known(state, command.id, "id")
            correction = _correction(session, command, situation)
            if command.field == "startedAt":
                started_at = corrected(session, command.field, correction.new_value).started_at
                refuse_after_stop(enrolment, assessments, started_at, "newValue", situation)
            return (correction,)
        case VoidSession():
            _known(state, command.id, "id")
            return (SessionVoided(id=command.id, reason_code=command.reason_code, reason_text=command.reason_text),)
        case _:
            assert_never(command)


def _may_start(
    state: SessionsState,
    enrolment: EnrolmentState,
    assessments: AssessmentsState,
    command: StartSession,
    situation: Situation,
) -> None:
    if not enrolment.enrolled:
        raise CommandRejected("The participant is not enrolled.", rule="SES-06")
    refuse_after_stop(enrolment, assessments, command.started_at, "startedAt", situation)
    situation.study.refuse_held(HoldAction.HOLD_SESSIONS, command.subject_id, rule="SES-05")
    if any(session.open for session in state.sessions.values()):
        raise CommandRejected("Another session of the participant is open: end it first.", rule="SES-01")
    refuse_unreleased(command.batch_release_ref, "batchReleaseRef")


def _start(command: StartSession, situation: Situation) -> SessionStarted:
    situation.past("startedAt", command.started_at)
    situation.past("accessPlacedAt", command.access_placed_at)
    situation.past("weightMeasuredAt", command.weight_measured_at)
    return SessionStarted(
        session_id=object_id(command.command_id, "session"),
        started_at=command.started_at,
        access_vein=command.access_vein,
        side=command.side,
        access_placed_at=command.access_placed_at,
        device_lot=command.device_lot,
        cell_batch=command.cell_batch,
        batch_release_ref=command.batch_release_ref,
        viability_percent=command.viability_percent,
        viable_cells=command.viable_cells,
        weight_kg=command.weight_kg,
        weight_measured_at=command.weight_measured_at,
        flow_ml_min=command.flow_ml_min,
        anticoagulant=command.anticoagulant,
    )


def _known(state: SessionsState, session_id: UUID, path: str) -> Session:
    session = state.sessions.get(session_id)
    if session is None:
        raise CommandRejected("The participant has no such session.", field=path)
    if session.voided:
        raise CommandRejected("The session is void.", field=path)
    return session


def _running(state: SessionsState, session_id: UUID) -> Session:
    session = _known(state, session_id, "sessionId")
    if not session.open:
        raise CommandRejected("The session has ended.", rule="SES-03", field="sessionId")
    return session


def _correction(session: Session, command: CorrectSession, situation: Situation) -> SessionCorrected:
    value, text, _ = read_change(CORRECTABLE, command.field, command.new_value)
    if command.field in _OF_THE_END and session.ended_at is None:
        raise CommandRejected("The session has not ended.", field="field")
    refuse_stale(command.old_value, session.values.get(command.field), text)
    if isinstance(value, datetime):
        situation.past("newValue", value)
    if command.field == "batchReleaseRef":
        refuse_unreleased(text, "newValue")
    refuse_disorder(corrected(session, command.field, text), "newValue")
    return SessionCorrected(
        id=command.id,
        field=command.field,
        old_value=session.values.get(command.field),
        new_value=text,
        reason=command.reason,
    )


def evolve(state: SessionsState, event: SessionEvent) -> SessionsState:
    """The state after an event."""
    match event:
        case SessionStarted():
            values = {name: as_text(value) for name, value in event.payload().items() if name != "sessionId"}
            return _with(state, event.session_id, Session(event.started_at, values))
        case SessionPaused():
            session = state.sessions[event.session_id]
            return _with(state, event.session_id, replace(session, pauses=(*session.pauses, (event.at, None))))
        case SessionResumed():
            return _with(state, event.session_id, resumed(state.sessions[event.session_id], event.at))
        case SessionEnded():
            session = state.sessions[event.session_id]
            end = {"endedAt": event.payload()["endedAt"], "endReason": event.reason.value}
            values = {**session.values, **end}
            return _with(state, event.session_id, replace(session, values=values, ended_at=event.ended_at))
        case SessionCorrected():
            return _with(state, event.id, corrected(state.sessions[event.id], event.field, event.new_value))
        case SessionVoided():
            return _with(state, event.id, replace(state.sessions[event.id], voided=True))
        case _:
            assert_never(event)


def _with(state: SessionsState, session_id: UUID, session: Session) -> SessionsState:
    return SessionsState({**state.sessions, session_id: session})
