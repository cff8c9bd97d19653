"""What the desk decides on: alerts, who saw them, who was told, what counts for stopping rules, what was hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, assert_never
from uuid import UUID

from hepatrail_events.codec import Recorded
from hepatrail_events.ids import derived_id
from hepatrail_events.persistent import PersistentMap
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
    Priority,
    StoppingFactsRecorded,
    StoppingRuleTriggered,
)
from hepatrail_events.study import HoldAction
from hepatrail_services.deciders.stopping_rules import Participant
from hepatrail_services.deciders.study_state import Release, StudyState

DeskEvent: TypeAlias = (
    AlertRaised | AlertAcknowledged | AlertEscalated | NotificationSent | StoppingFactsRecorded | StoppingRuleTriggered
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Who confirmed having seen an alert, and when that was recorded."""

    by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """What later commands need to know of an alert; a delivery names a channel and the level told, None: the alert."""

    subject_id: str | None
    site_id: str | None
    priority: Priority
    raised_at: datetime
    reporter_id: str
    seen: tuple[Seen, ...] = ()
    escalated: frozenset[int] = frozenset()
    deliveries: frozenset[tuple[NotificationChannel, int | None]] = frozenset()

    def seen_by(self, actor_id: str) -> bool:
        """Whether this person has confirmed it."""
        return any(each.by == actor_id for each in self.seen)

    def stopped_by(self, when: datetime, *, self_ack: bool) -> bool:
        """Whether a confirmation recorded at or before `when` ended the escalation; the reporter's own may not."""
        return any(each.recorded_at <= when and (self_ack or each.by != self.reporter_id) for each in self.seen)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a participant contributed from a commit on; `studyseq` is how far the desk knew the study then."""

    commit_id: UUID
    studyseq: int
    recorded_at: datetime
    participant: Participant


@dataclass(frozen=True, slots=True)
class Hit:
    """A stopping rule that was hit."""

    hit_id: UUID
    rule_id: str
    scope_id: str
    commit_id: UUID
    actions: tuple[HoldAction, ...]

    def release(self, study: StudyState) -> Release | None:
        """The release of the last of its holds; None while any of them is in force, or not yet placed."""
        releases = [study.released.get(derived_id(self.hit_id, action)) for action in self.actions]
        known = [release for release in releases if release is not None]
        return max(known, key=lambda release: release.streamseq) if len(known) == len(releases) else None


@dataclass(frozen=True, slots=True)
class DeskState:
    """All alerts, the last alertSeq, the last alert of each adverse event, contributions in order, and hits."""

    version: int = 0
    last_alert_seq: int = 0
    alerts: PersistentMap[UUID, Alert] = field(default_factory=PersistentMap)
    last_of_ae: PersistentMap[UUID, UUID] = field(default_factory=PersistentMap)
    contributions: Mapping[str, tuple[Contribution, ...]] = field(default_factory=dict)
    hits: Mapping[UUID, Hit] = field(default_factory=dict)

    def participants(self, until: Release | None = None) -> Mapping[str, Participant]:
        """What each participant contributes; with `until`, as it stood when a hold was released."""
        found = {}
        for subject_id, history in self.contributions.items():
            known = [each for each in history if until is None or not until.precedes(each.studyseq, each.recorded_at)]
            if known:
                found[subject_id] = known[-1].participant
        return found

    def hits_of(self, rule_id: str, scope_id: str) -> tuple[Hit, ...]:
        """The hits of a rule in a scope, oldest first."""
        return tuple(hit for hit in self.hits.values() if (hit.rule_id, hit.scope_id) == (rule_id, scope_id))


def evolve(state: DeskState, event: DeskEvent, recorded: Recorded) -> DeskState:
    """The state after an event."""
    match event:
        case AlertRaised():
            alert = Alert(event.subject_id, event.site_id, event.priority, event.raised_at, event.reporter_id)
            last_of_ae = state.last_of_ae.put(event.ae_id, event.alert_id) if event.ae_id else state.last_of_ae
            state = replace(state, last_alert_seq=event.alert_seq, last_of_ae=last_of_ae)
            return _with(state, event.alert_id, alert)
        case AlertAcknowledged():
            alert = state.alerts[event.alert_id]
            seen = Seen(event.by, recorded.envelope.recordedat)
            return _with(state, event.alert_id, replace(alert, seen=(*alert.seen, seen)))
        case AlertEscalated():
            alert = state.alerts[event.alert_id]
            return _with(state, event.alert_id, replace(alert, escalated=alert.escalated | {event.level}))
        case NotificationSent():
            alert = state.alerts[event.alert_id]
            deliveries = alert.deliveries | {(event.channel, event.level)}
            return _with(state, event.alert_id, replace(alert, deliveries=deliveries))
        case StoppingFactsRecorded():
            envelope = recorded.envelope
            made = Contribution(event.commit_id, envelope.studyseq, envelope.recordedat, contributed(event))
            history = (*state.contributions.get(event.subject_id, ()), made)
            return replace(state, contributions={**state.contributions, event.subject_id: history})
        case StoppingRuleTriggered():
            hit = Hit(event.hit_id, event.rule_id, event.scope_id, event.commit_id, event.actions)
            return replace(state, hits={**state.hits, event.hit_id: hit})
        case _:
            assert_never(event)


def contributed(event: StoppingFactsRecorded) -> Participant:
    """The participant as the rules of the trial count it."""
    return Participant(event.subject_id, event.treated_at, event.adverse_events)


def _with(state: DeskState, alert_id: UUID, alert: Alert) -> DeskState:
    return replace(state, alerts=state.alerts.put(alert_id, alert))
