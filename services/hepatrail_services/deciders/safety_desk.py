"""The safety desk: alerts numbered without a gap, and who has seen them (`events.md` 3.11, rules DSK)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertAcknowledged, AlertContent, AlertRaised
from hepatrail_services.command import Comment, DeskCommand
from hepatrail_services.deciders.context import Context
from hepatrail_services.sealing import DESK_OWNER


class RaiseAlert(DeskCommand):
    """The safety processor or the scheduler found something that a safety officer must see."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    alert: AlertContent = Field(description="What the alert says")


class AcknowledgeSaeAlert(DeskCommand):
    """A person confirms having seen the alert. The first confirmation by another than the reporter ends escalation."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SAFETY_OFFICER, Role.PRINCIPAL_INVESTIGATOR})

    alert_id: UUID = Field(description="The alert")
    comment: Comment | None = Field(default=None, description="Remark of the person")


DeskCommandType: TypeAlias = RaiseAlert | AcknowledgeSaeAlert
DeskEvent: TypeAlias = AlertRaised | AlertAcknowledged


@dataclass(frozen=True, slots=True)
class Alert:
    """What later commands need to know of an alert."""

    subject_id: str | None
    site_id: str | None
    acknowledged_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeskState:
    """All alerts, the last alertSeq, and the last alert of each adverse event."""

    version: int = 0
    last_alert_seq: int = 0
    alerts: Mapping[UUID, Alert] = field(default_factory=dict)
    last_of_ae: Mapping[UUID, UUID] = field(default_factory=dict)


def decide(state: DeskState, command: DeskCommandType, context: Context) -> tuple[Event, ...]:
    """Events of a command. A known alert is accepted without event, whatever the body: the first stands (DSK-01)."""
    match command:
        case RaiseAlert():
            return _raise(state, command.alert)
        case AcknowledgeSaeAlert():
            return _acknowledge(state, command, context)
        case _:
            assert_never(command)


def _raise(state: DeskState, content: AlertContent) -> tuple[Event, ...]:
    if content.alert_id in state.alerts:
        return ()
    previous = state.last_of_ae.get(content.ae_id) if content.ae_id else None
    return (AlertRaised(**dict(content), alert_seq=state.last_alert_seq + 1, previous_alert_id=previous),)


def _acknowledge(state: DeskState, command: AcknowledgeSaeAlert, context: Context) -> tuple[Event, ...]:
    alert = state.alerts.get(command.alert_id)
    if alert is None:
        raise CommandRejected("There is no such alert.", rule="DSK-02", field="alertId")
    if alert.site_id is not None and not context.actor.may_see(alert.site_id):
        raise CommandRejected("The alert concerns another site.", code="FORBIDDEN", field="alertId")
    if context.actor.id in alert.acknowledged_by:
        return ()
    owner = alert.subject_id or DESK_OWNER
    if command.comment is not None and command.comment.kid != str(derived_id(owner, "key")):
        raise CommandRejected(
            "The comment is not sealed with the key of the alert's participant.", code="SHAPE", field="comment"
        )
    acknowledged = AlertAcknowledged(
        alert_id=command.alert_id, by=context.actor.id, at=context.now, comment=command.comment
    )
    return (acknowledged,)


def evolve(state: DeskState, event: DeskEvent) -> DeskState:
    """The state after an event."""
    match event:
        case AlertRaised():
            alert = Alert(event.subject_id, event.site_id)
            last_of_ae = {**state.last_of_ae, event.ae_id: event.alert_id} if event.ae_id else state.last_of_ae
            return replace(
                state,
                last_alert_seq=event.alert_seq,
                alerts={**state.alerts, event.alert_id: alert},
                last_of_ae=last_of_ae,
            )
        case AlertAcknowledged():
            alert = state.alerts[event.alert_id]
            seen = replace(alert, acknowledged_by=alert.acknowledged_by | {event.by})
            return replace(state, alerts={**state.alerts, event.alert_id: seen})
        case _:
            assert_never(event)
