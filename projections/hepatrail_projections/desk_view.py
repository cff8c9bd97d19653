"""The safety desk as a pure fold of its stream: alerts, what followed them, stopping rules (`safety.md` 6 and 7)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from hepatrail_events.codec import Recorded
from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.ids import derived_id
from hepatrail_events.persistent import PersistentMap
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
    StoppingFactsRecorded,
    StoppingRuleTriggered,
)
from hepatrail_events.types import format_instant

Delivery: TypeAlias = tuple[NotificationChannel, int | None]
"""A channel and the level of escalation that was told on it; None: the alert itself."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person's confirmation of having seen an alert."""

    event: AlertAcknowledged
    recorded_at: datetime
    event_id: UUID

    def json(self, *, stopping: bool) -> dict[str, Any]:
        """As a row shows it."""
        return {
            "by": self.event.by,
            "at": format_instant(self.event.at),
            "comment": None if self.event.comment is None else self.event.comment.payload(),
            "recordedAt": format_instant(self.recorded_at),
            "eventId": str(self.event_id),
            "stopping": stopping,
        }


@dataclass(frozen=True, slots=True)
class Escalation:
    """A level that fired because nobody had acknowledged the alert in time."""

    event: AlertEscalated
    recorded_at: datetime
    event_id: UUID

    def json(self) -> dict[str, Any]:
        """As a row shows it."""
        return {
            "level": self.event.level,
            "late": self.event.late,
            "recordedAt": format_instant(self.recorded_at),
            "eventId": str(self.event_id),
        }


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An alert with what followed it."""

    raised: AlertRaised
    envelope: Envelope
    acknowledgements: tuple[Acknowledgement, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    """As they fired, which is in ascending order of level."""
    deliveries: frozenset[Delivery] = frozenset()

    def stopped_at(self, self_ack: bool) -> datetime | None:
        """When the first acknowledgement that ends escalation was recorded; None while the alert is open.

        The reporter's own ends it only where the protocol says so (`self_ack`, `safety.md` 6.3).
        """
        stopping = (each for each in self.acknowledgements if self_ack or each.event.by != self.raised.reporter_id)
        return next((each.recorded_at for each in stopping), None)


@dataclass(frozen=True, slots=True)
class HitFact:
    """A stopping rule that was hit."""

    event: StoppingRuleTriggered
    envelope: Envelope

    @property
    def hold_ids(self) -> tuple[UUID, ...]:
        """The holds that it causes, one an action (STU-02)."""
        return tuple(derived_id(self.event.hit_id, action) for action in self.event.actions)


@dataclass(frozen=True, slots=True)
class DeskView:
    """The folded stream; `alert_seq` is the last alert's number, 0 before any. Alerts and hits in the desk's order."""

    version: int = 0
    last_hash: str = GENESIS
    recorded_at: datetime | None = None
    alert_seq: int = 0
    alerts: PersistentMap[UUID, AlertFact] = field(default_factory=PersistentMap)
    hits: PersistentMap[UUID, HitFact] = field(default_factory=PersistentMap)


EMPTY_DESK = DeskView()


def fold_desk(view: DeskView, recorded: Recorded) -> DeskView:
    """The view after the next event of the stream `safety-desk`; InvalidPayload when it cannot be understood."""
    envelope = recorded.envelope
    after = _step(view, recorded)
    return replace(after, version=envelope.streamseq, last_hash=recorded.hash, recorded_at=envelope.recordedat)


def _step(view: DeskView, recorded: Recorded) -> DeskView:
    envelope = recorded.envelope
    match recorded.event:
        case AlertRaised() as event:
            return replace(_with(view, AlertFact(event, envelope)), alert_seq=event.alert_seq)
        case AlertAcknowledged() as event:
            known = _known(view, event.alert_id)
            made = Acknowledgement(event, envelope.recordedat, envelope.id)
            return _with(view, replace(known, acknowledgements=(*known.acknowledgements, made)))
        case AlertEscalated() as event:
            known = _known(view, event.alert_id)
            fired = Escalation(event, envelope.recordedat, envelope.id)
            return _with(view, replace(known, escalations=(*known.escalations, fired)))
        case NotificationSent() as event:
            known = _known(view, event.alert_id)
            return _with(view, replace(known, deliveries=known.deliveries | {(event.channel, event.level)}))
        case StoppingFactsRecorded():
            return view
        case StoppingRuleTriggered() as event:
            return replace(view, hits=view.hits.put(event.hit_id, HitFact(event, envelope)))
        case other:
            raise InvalidPayload(f"{type(other).__name__} is no event of the safety desk")


def _with(view: DeskView, alert: AlertFact) -> DeskView:
    return replace(view, alerts=view.alerts.put(alert.raised.alert_id, alert))


def _known(view: DeskView, alert_id: UUID) -> AlertFact:
    found = view.alerts.get(alert_id)
    if found is None:
        raise InvalidPayload(f"the desk has no alert {alert_id}")
    return found
