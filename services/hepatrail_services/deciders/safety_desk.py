"""The safety desk: alerts numbered without a gap, who has seen them, who was told (`events.md` 3.11, rules DSK).

Decided here, because the reference leaves room:

- The time of a level counts from `raisedAt` by the escalation of the protocol in force when the level is to fire.
- A level that a clock ahead of the desk's sends a moment early fires: refusing it would lose it, because the decision
  on an id stands.
- A delivery is known by alert, channel and the level that was told; `attempt` says which try succeeded.
"""

from datetime import timedelta
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
    StoppingFact,
    StoppingFactsRecorded,
    StoppingRuleTriggered,
)
from hepatrail_events.study import HoldAction
from hepatrail_events.types import Code, Instant, Label, SubjectId
from hepatrail_services.command import Comment, DeskCommand
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.desk_state import Alert, DeskState
from hepatrail_services.deciders.stopping_hits import next_hit_id, record_facts
from hepatrail_services.deciders.study_state import StudyState
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
    attempt: Annotated[int, Field(ge=1)] = Field(description="Which try succeeded, counted from 1")
    level: Annotated[int, Field(ge=1, le=3)] | None = Field(
        default=None, description="Level of the escalation that was told; absent: the alert itself"
    )


class RecordStoppingFacts(DeskCommand):
    """What a participant contributes to the stopping rules of the trial after a commit, whole."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    subject_id: SubjectId = Field(description="The participant")
    commit_id: UUID = Field(description="The commit of the participant's stream, or the publication of a protocol")
    treated_at: Instant | None = Field(default=None, description="T0, absent while never treated")
    adverse_events: tuple[StoppingFact, ...] = Field(default=(), description="Those that count, with the rules")
    protocol_version: Label = Field(description="The version of the protocol under which they count")


class TriggerStoppingRule(DeskCommand):
    """A stopping rule of one participant was hit."""

    ROLES: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})

    rule_id: Code = Field(description="The rule")
    scope_id: Label = Field(description="The participant")
    commit_id: UUID = Field(description="The commit that completed the condition, or the publication of a protocol")
    studyseq: Annotated[int, Field(ge=0)] = Field(description="How far the study was known to that commit")
    actions: tuple[HoldAction, ...] = Field(min_length=1, description="What must wait")
    event_ids: tuple[UUID, ...] = Field(default=(), description="The events that fulfil the condition")
    alert: AlertContent = Field(description="What the alert of the hit says; the desk gives it the hit's id")


DeskCommandType: TypeAlias = (
    RaiseAlert | AcknowledgeSaeAlert | EscalateAlert | RecordNotification | RecordStoppingFacts | TriggerStoppingRule
)


def decide(
    state: DeskState, command: DeskCommandType, context: Context, protocol: Protocol, study: StudyState
) -> tuple[Event, ...]:
    """Events of a command under the protocol in force; `study` tells which holds were released.

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
            return _deliver(_known(state, command.alert_id), command)
        case RecordStoppingFacts():
            rules = _told_under(command, context, protocol, study).safety
            return record_facts(state, _facts(command), context, rules, study)
        case TriggerStoppingRule():
            return _trigger(state, command, study)
        case _:
            assert_never(command)


def _deliver(alert: Alert, command: RecordNotification) -> tuple[Event, ...]:
    if (command.channel, command.level) in alert.deliveries:
        return ()
    sent = NotificationSent(
        alert_id=command.alert_id, channel=command.channel, attempt=command.attempt, level=command.level
    )
    return (sent,)


def _facts(command: RecordStoppingFacts) -> StoppingFactsRecorded:
    return StoppingFactsRecorded(
        subject_id=command.subject_id,
        commit_id=command.commit_id,
        treated_at=command.treated_at,
        adverse_events=command.adverse_events,
    )


def _told_under(command: RecordStoppingFacts, context: Context, in_force: Protocol, study: StudyState) -> Protocol:
    """The protocol in force, or the later one that the sender's clock saw take effect a moment before the desk's."""
    told = next((each for each in study.protocols if each.version == command.protocol_version), None)
    return told.protocol if told is not None and told.effective_from > context.now else in_force


def _trigger(state: DeskState, command: TriggerStoppingRule, study: StudyState) -> tuple[Event, ...]:
    alert = command.alert
    hit_id = next_hit_id(state, command.rule_id, command.scope_id, command.studyseq, alert.raised_at, study)
    if hit_id is None:
        return ()
    hit = StoppingRuleTriggered(
        hit_id=hit_id,
        rule_id=command.rule_id,
        scope_id=command.scope_id,
        commit_id=command.commit_id,
        actions=command.actions,
        event_ids=command.event_ids,
    )
    return (hit, *_raise(state, alert.model_copy(update={"alert_id": hit_id})))


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
