"""The safety desk as a pure fold of its stream: alerts, acknowledgements, escalations (`safety.md` section 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.codec import Recorded
from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationSent,
    StoppingRuleTriggered,
)
from hepatrail_events.types import format_instant


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
class AlertFact:
    """An alert with what followed it."""

    raised: AlertRaised
    envelope: Envelope
    acknowledgements: tuple[Acknowledgement, ...] = ()
    escalations: tuple[AlertEscalated, ...] = ()
    """As they fired, which is in ascending order of level."""


@dataclass(frozen=True, slots=True)
class DeskView:
    """The folded stream; `alert_seq` is the last alert's number, 0 before any."""

    version: int = 0
    last_hash: str = GENESIS
    recorded_at: datetime | None = None
    alert_seq: int = 0
    alerts: Mapping[UUID, AlertFact] = field(default_factory=dict)


EMPTY_DESK = DeskView()


def fold_desk(view: DeskView, recorded: Recorded) -> DeskView:
    """The view after the next event of the stream `safety-desk`; InvalidPayload when it cannot be understood."""
    envelope = recorded.envelope
    match recorded.event:
        case AlertRaised() as event:
            alert = AlertFact(event, envelope)
            after = replace(view, alerts={**view.alerts, event.alert_id: alert}, alert_seq=event.alert_seq)
        case AlertAcknowledged() as event:
            known = _known(view, event.alert_id)
            made = Acknowledgement(event, envelope.recordedat, envelope.id)
            known = replace(known, acknowledgements=(*known.acknowledgements, made))
            after = replace(view, alerts={**view.alerts, event.alert_id: known})
        case AlertEscalated() as event:
            known = _known(view, event.alert_id)
            known = replace(known, escalations=(*known.escalations, event))
            after = replace(view, alerts={**view.alerts, event.alert_id: known})
        case NotificationSent() as event:
            _known(view, event.alert_id)
            after = view
        case StoppingRuleTriggered():
            after = view
        case other:
            raise InvalidPayload(f"{type(other).__name__} is no event of the safety desk")
    return replace(after, version=envelope.streamseq, last_hash=recorded.hash, recorded_at=envelope.recordedat)


def _known(view: DeskView, alert_id: UUID) -> AlertFact:
    found = view.alerts.get(alert_id)
    if found is None:
        raise InvalidPayload(f"the desk has no alert {alert_id}")
    return found
