"""The safety desk: alerts numbered without a gap, who has seen them, who was told (`events.md` 3.11, rules DSK).

Decided here, because the reference leaves room:

- The time of a level counts from `raisedAt` by the escalation of the protocol in force when the level is to fire.
- A level that a clock ahead of the desk's sends a moment early fires: refusing it would lose it, because the decision
  on an id stands.
- The same delivery (alert, channel, attempt) is recorded once, as the other facts from the system are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.protocol import Protocol
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertContent,
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
    Priority,
    StoppingRuleTriggered,
)
from hepatrail_events.study import HoldAction
from hepatrail_events.types import Code, Label
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


class EscalateAlert(DeskCommand):
    """The scheduler found that nobody had acknowledged the alert when the level's time had come."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    alert_id: UUID = Field(description="The alert")
    level: Annotated[int, Field(ge=1, le=3)] = Field(description="Level whose time has come")
    late: bool = Field(description="Whether its time had long passed, after an outage")


class RecordNotification(DeskCommand):
    """A delivery outside the socket was made."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    alert_id: UUID = Field(description="The alert")
    channel: NotificationChannel = Field(description="Way of the delivery")
    attempt: Annotated[int, Field(ge=1)] = Field(description="The how-manieth attempt on this way")


class TriggerStoppingRule(DeskCommand):
    """A stopping rule was hit."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    hit_id: UUID = Field(description="Derived from rule, scope and the releases of its hold so far")
    rule_id: Code = Field(description="The rule")
    scope_id: Label = Field(description="The participant, or TRIAL")
    commit_id: UUID = Field(description="The commit that completed the condition")
    actions: tuple[HoldAction, ...] = Field(min_length=1, description="What must wait")
    event_ids: tuple[UUID, ...] = Field(default=(), description="The events that fulfil the condition")


DeskCommandType: TypeAlias = RaiseAlert | AcknowledgeSaeAlert | EscalateAlert | RecordNotification | TriggerStoppingRule
DeskEvent: TypeAlias = AlertRaised | AlertAcknowledged | AlertEscalated | NotificationSent | StoppingRuleTriggered


@dataclass(frozen=True, slots=True)
class Seen:
    """Who confirmed having seen an alert, and when that was recorded."""

    by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """What later commands need to know of an alert."""

    subject_id: str | None
    site_id: str | None
    priority: Priority
    raised_at: datetime
    reporter_id: str
    seen: tuple[Seen, ...] = ()
    escalated: frozenset[int] = frozenset()
    deliveries: frozenset[tuple[NotificationChannel, int]] = frozenset()

    def seen_by(self, actor_id: str) -> bool:
        """Whether this person has confirmed it."""
        return any(each.by == actor_id for each in self.seen)

    def stopped_by(self, when: datetime, *, self_ack: bool) -> bool:
        """Whether a confirmation recorded at or before `when` ended the escalation; the reporter's own may not."""
        return any(each.recorded_at <= when and (self_ack or each.by != self.reporter_id) for each in self.seen)


@dataclass(frozen=True, slots=True)
class DeskState:
    """All alerts, the last alertSeq, the last alert of each adverse event, and the known hits of stopping rules."""

    version: int = 0
    last_alert_seq: int = 0
    alerts: Mapping[UUID, Alert] = field(default_factory=dict)
    last_of_ae: Mapping[UUID, UUID] = field(default_factory=dict)
    hits: frozenset[UUID] = frozenset()


def decide(state: DeskState, command: DeskCommandType, context: Context, protocol: Protocol) -> tuple[Event, ...]:
    """Events of a command under the protocol in force.

    What the desk knows already is accepted without event, whatever the body: the first stands (DSK-01).
    """
    match command:
        case RaiseAlert():
            return _raise(state, command.alert)
        case AcknowledgeSaeAlert():
            return _acknowledge(state, command, context)
        case EscalateAlert():
            return _escalate(_known(state, command.alert_id), command, protocol)
        case RecordNotification():
            alert = _known(state, command.alert_id)
            if (command.channel, command.attempt) in alert.deliveries:
                return ()
            return (NotificationSent(alert_id=command.alert_id, channel=command.channel, attempt=command.attempt),)
        case TriggerStoppingRule():
            if command.hit_id in state.hits:
                return ()
            return (_triggered(command),)
        case _:
            assert_never(command)


def _triggered(command: TriggerStoppingRule) -> StoppingRuleTriggered:
    return StoppingRuleTriggered(
        hit_id=command.hit_id,
        rule_id=command.rule_id,
        scope_id=command.scope_id,
        commit_id=command.commit_id,
        actions=command.actions,
        event_ids=command.event_ids,
    )


def _known(state: DeskState, alert_id: UUID) -> Alert:
    alert = state.alerts.get(alert_id)
    if alert is None:
        raise CommandRejected("There is no such alert.", rule="DSK-02", field="alertId")
    return alert


def _raise(state: DeskState, content: AlertContent) -> tuple[Event, ...]:
    if content.alert_id in state.alerts:
        return ()
    previous = state.last_of_ae.get(content.ae_id) if content.ae_id else None
    return (AlertRaised(**dict(content), alert_seq=state.last_alert_seq + 1, previous_alert_id=previous),)


def _acknowledge(state: DeskState, command: AcknowledgeSaeAlert, context: Context) -> tuple[Event, ...]:
    alert = _known(state, command.alert_id)
    if alert.site_id is not None and not context.actor.may_see(alert.site_id):
        raise CommandRejected("The alert concerns another site.", code="FORBIDDEN", field="alertId")
    if alert.seen_by(context.actor.id):
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


def _escalate(alert: Alert, command: EscalateAlert, protocol: Protocol) -> tuple[Event, ...]:
    if command.level in alert.escalated:
        return ()
    minutes = next((rule.minutes for rule in protocol.escalation if rule.priority == alert.priority), ())
    if command.level > len(minutes):
        raise CommandRejected(
            f"An alert of priority {alert.priority} has no level {command.level}.", code="SHAPE", field="level"
        )
    level_time = alert.raised_at + timedelta(minutes=minutes[command.level - 1])
    if alert.stopped_by(level_time, self_ack=protocol.self_ack):
        raise CommandRejected("The alert was acknowledged before the time of this level.", rule="DSK-03", field="level")
    return (AlertEscalated(alert_id=command.alert_id, level=command.level, late=command.late),)


def evolve(state: DeskState, event: DeskEvent, recorded_at: datetime) -> DeskState:
    """The state after an event."""
    match event:
        case AlertRaised():
            last_of_ae = {**state.last_of_ae, event.ae_id: event.alert_id} if event.ae_id else state.last_of_ae
            alert = Alert(event.subject_id, event.site_id, event.priority, event.raised_at, event.reporter_id)
            state = replace(state, last_alert_seq=event.alert_seq, last_of_ae=last_of_ae)
            return _with(state, event.alert_id, alert)
        case AlertAcknowledged():
            alert = state.alerts[event.alert_id]
            return _with(state, event.alert_id, replace(alert, seen=(*alert.seen, Seen(event.by, recorded_at))))
        case AlertEscalated():
            alert = state.alerts[event.alert_id]
            return _with(state, event.alert_id, replace(alert, escalated=alert.escalated | {event.level}))
        case NotificationSent():
            alert = state.alerts[event.alert_id]
            deliveries = alert.deliveries | {(event.channel, event.attempt)}
            return _with(state, event.alert_id, replace(alert, deliveries=deliveries))
        case StoppingRuleTriggered():
            return replace(state, hits=state.hits | {event.hit_id})
        case _:
            assert_never(event)


def _with(state: DeskState, alert_id: UUID, alert: Alert) -> DeskState:
    return replace(state, alerts={**state.alerts, alert_id: alert})
