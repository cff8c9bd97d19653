"""Inadequacies of the device (`events.md` 3.9, ISO 14155).

Decided here, because the reference leaves room: the session and the linked adverse event must be the participant's
and not void at the time of recording and of a correction that names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.device_deficiencies import (
    DeviceDeficiencyCorrected,
    DeviceDeficiencyReported,
    DeviceDeficiencyVoided,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Label
from hepatrail_services.command import Comment, SubjectCommand
from hepatrail_services.deciders.ae_state import AdverseEventsState
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import Correctable, CorrectRecordWithText, VoidRecord, correctable
from hepatrail_services.deciders.kept import Kept, added, change, corrected, known, voided, voiding
from hepatrail_services.deciders.sessions import SessionsState


class ReportDeviceDeficiency(SubjectCommand):
    """The investigator reports an inadequacy of the device, also when no harm followed."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    description: Comment = Field(description="What was wrong, in the investigator's words")
    session_id: UUID = Field(description="The session in which it was seen")
    lot: Label = Field(description="Lot of the device")
    could_have_led_to_sade: bool = Field(
        alias="couldHaveLedToSADE",
        description="Would have been serious without intervention or in less favourable circumstances",
    )
    linked_ae_id: UUID | None = Field(default=None, description="Adverse event that it led to")


class CorrectDeviceDeficiency(CorrectRecordWithText):
    """One field of a device deficiency is corrected; the original stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The device deficiency")


class VoidDeviceDeficiency(VoidRecord):
    """The report of a device deficiency is void: it feeds nothing from now on, and stays readable."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    id: UUID = Field(description="The device deficiency")


DeviceDeficiencyCommand: TypeAlias = ReportDeviceDeficiency | CorrectDeviceDeficiency | VoidDeviceDeficiency
DeviceDeficiencyEvent: TypeAlias = DeviceDeficiencyReported | DeviceDeficiencyCorrected | DeviceDeficiencyVoided

CORRECTABLE: Mapping[str, Correctable] = correctable(
    ReportDeviceDeficiency, ("description", "sessionId", "lot", "couldHaveLedToSADE", "linkedAeId")
)
_NOUN = "device deficiency"


@dataclass(frozen=True, slots=True)
class DeviceDeficienciesState:
    """All device deficiencies of a participant by their ids."""

    deficiencies: Mapping[UUID, Kept[DeviceDeficiencyReported]] = field(default_factory=dict)


def decide(
    state: DeviceDeficienciesState,
    sessions: SessionsState,
    adverse_events: AdverseEventsState,
    command: DeviceDeficiencyCommand,
    situation: Situation,
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case ReportDeviceDeficiency():
            _refuse_session(sessions, command.session_id, "sessionId")
            _refuse_adverse_event(adverse_events, command.linked_ae_id, "linkedAeId")
            return (_reported(command),)
        case CorrectDeviceDeficiency():
            correction = change(known(state.deficiencies, command.id, _NOUN), CORRECTABLE, command, situation)
            if command.field == "sessionId":
                _refuse_session(sessions, correction.fact.session_id, "newValue")
            if command.field == "linkedAeId":
                _refuse_adverse_event(adverse_events, correction.fact.linked_ae_id, "newValue")
            return (correction.event(DeviceDeficiencyCorrected, command),)
        case VoidDeviceDeficiency():
            known(state.deficiencies, command.id, _NOUN)
            return (voiding(DeviceDeficiencyVoided, command),)
        case _:
            assert_never(command)


def _reported(command: ReportDeviceDeficiency) -> DeviceDeficiencyReported:
    stated = command.model_dump(include={"description", "session_id", "lot", "could_have_led_to_sade", "linked_ae_id"})
    return DeviceDeficiencyReported.model_validate(
        stated | {"deficiency_id": object_id(command.command_id, "deficiency")}
    )


def _refuse_session(sessions: SessionsState, session_id: UUID, path: str) -> None:
    session = sessions.sessions.get(session_id)
    if session is None:
        raise CommandRejected("The participant has no such session.", field=path)
    if session.voided:
        raise CommandRejected("The session is void.", field=path)


def _refuse_adverse_event(adverse_events: AdverseEventsState, ae_id: UUID | None, path: str) -> None:
    if ae_id is None:
        return
    event = adverse_events.events.get(ae_id)
    if event is None:
        raise CommandRejected("The participant has no such adverse event.", field=path)
    if event.voided:
        raise CommandRejected("The adverse event is void.", rule="INV-11", field=path)


def evolve(state: DeviceDeficienciesState, event: DeviceDeficiencyEvent) -> DeviceDeficienciesState:
    """The state after an event."""
    match event:
        case DeviceDeficiencyReported():
            return DeviceDeficienciesState(added(state.deficiencies, event.deficiency_id, event))
        case DeviceDeficiencyCorrected():
            return DeviceDeficienciesState(corrected(state.deficiencies, event))
        case DeviceDeficiencyVoided():
            return DeviceDeficienciesState(voided(state.deficiencies, event))
        case _:
            assert_never(event)
