"""What the subscription to the safety desk delivers: alerts, what became of them, and signs of life."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from hepatrail_events.safety_desk import AlertAcknowledged as AcknowledgedFact
from hepatrail_events.safety_desk import AlertEscalated as EscalatedFact
from hepatrail_graphql.alert_parts import LEVELS
from hepatrail_graphql.alerts import SaeAlert, sealing_keys
from hepatrail_graphql.cursors import desk_cursor
from hepatrail_graphql.health import SafetyHealth
from hepatrail_graphql.text import Opener, Text, Vault, opener
from hepatrail_projections.alert import AlertRow
from hepatrail_projections.desk_reading import DeskEntry

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@strawberry.type(description="Somebody confirmed having seen an alert.")
class AlertAcknowledged:
    """Somebody confirmed having seen an alert."""

    cursor: str = strawberry.field(description="Its place on the safety desk.")
    alert_id: UUID = strawberry.field(description="The alert.")
    alert_seq: int = strawberry.field(description="The number of the alert.")
    by: str = strawberry.field(description="The account.")
    at: datetime = strawberry.field(description="When it was confirmed.")
    comment: Text | None = strawberry.field(description="What they remarked.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")
    stopping: bool = strawberry.field(description="Whether it stops escalation; the reporter's own does not.")


@strawberry.type(description="An alert that nobody has acknowledged in time went to the next level.")
class AlertEscalated:
    """An alert that nobody has acknowledged in time went to the next level."""

    cursor: str = strawberry.field(description="Its place on the safety desk.")
    alert_id: UUID = strawberry.field(description="The alert.")
    alert_seq: int = strawberry.field(description="The number of the alert.")
    level: int = strawberry.field(description=LEVELS)
    late: bool = strawberry.field(description="Whether its time had passed during an outage.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")


@strawberry.type(description="Sent every 20 s, and at once when health changes: without it the line is dead.")
class Heartbeat:
    """A sign of life of the whole way from Kafka to here."""

    cursor: str = strawberry.field(description="The place on the safety desk up to which everything was delivered.")
    last_seq: int = strawberry.field(description="The last alertSeq in Kafka: whoever holds less is behind.")
    processed_to: datetime = strawberry.field(
        description="Everything recorded until then was looked at; 1970 before anything was."
    )
    lag_seconds: float = strawberry.field(description="How long ago that is.")
    safety_healthy: bool = strawberry.field(description="Whether alerts are raised and reach the rows in time.")
    scheduler_healthy: bool = strawberry.field(description="Whether escalations and clocks are run in time.")


SaeAlertEvent = Annotated[
    SaeAlert | AlertAcknowledged | AlertEscalated | Heartbeat,
    strawberry.union("SaeAlertEvent", description="What happens on the safety desk, in its order, and signs of life."),
]

Told: TypeAlias = SaeAlert | AlertAcknowledged | AlertEscalated
"""What an entry of the desk becomes for a client."""


async def told(entries: Sequence[DeskEntry], vault: Vault, *, may_read: bool) -> list[Told]:
    """Entries that concern an alert, as those see them who may, or may not, read free text.

    The vault is asked once for all of them.
    """
    kids = [kid for entry in entries for kid in _kids(entry)]
    opening = await opener(vault, kids, may_read=may_read)
    return [_told(entry, opening) for entry in entries]


def escalated(entry: DeskEntry, fact: EscalatedFact) -> AlertEscalated:
    """An escalation as the schema shows it."""
    assert entry.alert is not None, "an escalation concerns an alert"
    return AlertEscalated(
        cursor=desk_cursor(entry.streamseq),
        alert_id=fact.alert_id,
        alert_seq=entry.alert.alert_seq,
        level=fact.level,
        late=fact.late,
        recorded_at=entry.recorded_at,
        event_id=entry.event_id,
    )


def heartbeat(streamseq: int, health: SafetyHealth) -> Heartbeat:
    """A sign of life; everything up to `streamseq` of the desk was delivered."""
    return Heartbeat(
        cursor=desk_cursor(streamseq),
        last_seq=health.last_seq,
        processed_to=health.processed_to or NEVER,
        lag_seconds=health.lag_seconds,
        safety_healthy=health.safety_healthy,
        scheduler_healthy=health.scheduler_healthy,
    )


def _kids(entry: DeskEntry) -> Sequence[str]:
    if isinstance(entry.fact, AcknowledgedFact):
        return [] if entry.fact.comment is None else [entry.fact.comment.kid]
    return [] if entry.fact is not None or entry.alert is None else list(sealing_keys(entry.alert))


def _told(entry: DeskEntry, opening: Opener) -> Told:
    alert, fact = entry.alert, entry.fact
    assert alert is not None, "nobody is told of what concerns no alert"
    if fact is None:
        return SaeAlert(row=alert, opener=opening)
    if isinstance(fact, EscalatedFact):
        return escalated(entry, fact)
    return AlertAcknowledged(
        cursor=desk_cursor(entry.streamseq),
        alert_id=fact.alert_id,
        alert_seq=alert.alert_seq,
        by=fact.by,
        at=fact.at,
        comment=opening.open(fact.comment),
        recorded_at=entry.recorded_at,
        event_id=entry.event_id,
        stopping=_stops(alert, entry.event_id),
    )


def _stops(alert: AlertRow, event_id: UUID) -> bool:
    made: Sequence[dict[str, Any]] = alert.acknowledgements
    return any(each["stopping"] for each in made if each["eventId"] == str(event_id))
