"""Subscriptions: the safety desk as it goes, and one participant as they change."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from hepatrail_events.safety_desk import AlertAcknowledged as AcknowledgedFact
from hepatrail_graphql.alerts import AlertFilter, SaeAlert, alerts
from hepatrail_graphql.authorize import SUBSCRIPTIONS, reads_sealed_text
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.cursors import desk_cursor
from hepatrail_graphql.desk_feed import Beat, DeskFeed, DeskItem
from hepatrail_graphql.errors import not_found
from hepatrail_graphql.fields import subscribed
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Version
from hepatrail_graphql.subject_feed import changes
from hepatrail_graphql.text import Text, opener
from hepatrail_graphql.waiting import visible

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@strawberry.type(description="Somebody confirmed having seen an alert.")
class AlertAcknowledged:
    """Somebody confirmed having seen an alert."""

    cursor: str = strawberry.field(description="Its place on the safety desk.")
    alert_id: UUID = strawberry.field(description="The alert.")
    by: str = strawberry.field(description="The account.")
    at: datetime = strawberry.field(description="When it was confirmed.")
    comment: Text | None = strawberry.field(description="What they remarked.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    event_id: UUID = strawberry.field(description="Its event.")


@strawberry.type(description="An alert that nobody has acknowledged in time went to the next level.")
class AlertEscalated:
    """An alert that nobody has acknowledged in time went to the next level."""

    cursor: str = strawberry.field(description="Its place on the safety desk.")
    alert_id: UUID = strawberry.field(description="The alert.")
    level: int = strawberry.field(description="1: all safety officers and PIs, 2: sponsor, 3: DSMB and institution.")
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


@strawberry.type(description="A commit that changed a participant.")
class SubjectChange:
    """A commit that changed a participant."""

    version: Version = strawberry.field(description="Number of the participant's events since: `after` to go on.")
    event_types: list[str] = strawberry.field(description="What happened, in order.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.type(description="What can be followed live, over `graphql-transport-ws`.")
class Subscription:
    """What can be followed live."""

    @subscribed("Alerts, acknowledgements and escalations in the desk's order, then live without a gap.")
    async def sae_alerts(
        self,
        info: Info,
        after: Annotated[
            str,
            strawberry.argument(
                description='"start" (everything), "unacknowledged" (what is open), "now" or a cursor.'
            ),
        ],
        filter: Annotated[
            AlertFilter | None, strawberry.argument(description="Which alerts; alertSeq may then skip.")
        ] = None,
    ) -> AsyncGenerator[SaeAlertEvent, None]:
        """Follows the safety desk."""
        await allow(info.context, SUBSCRIPTIONS, "saeAlerts")
        async for item in DeskFeed(info.context, filter).follow(after):
            yield await _shown(item, info.context)

    @subscribed("The commits of one participant behind `after`, then live; null: from now on.")
    async def subject_changed(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The pseudonym.")],
        after: Annotated[Version | None, strawberry.argument(description="Those behind this version.")] = None,
    ) -> AsyncGenerator[SubjectChange, None]:
        """Follows one participant."""
        await allow(info.context, SUBSCRIPTIONS, "subjectChanged")
        if not await visible(info.context, id):
            raise not_found(f"The participant {id}")
        async for change in changes(info.context, id, after):
            yield SubjectChange(
                version=Version(change.version), event_types=list(change.event_types), recorded_at=change.recorded_at
            )


async def _shown(item: DeskItem | Beat, context: Context) -> SaeAlertEvent:
    if isinstance(item, Beat):
        return Heartbeat(
            cursor=desk_cursor(item.streamseq),
            last_seq=item.health.last_seq,
            processed_to=item.health.processed_to or NEVER,
            lag_seconds=item.health.lag_seconds,
            safety_healthy=item.health.safety_healthy,
            scheduler_healthy=item.health.scheduler_healthy,
        )
    recorded = item.recorded
    if recorded is None or not isinstance(recorded.event, AcknowledgedFact):
        return (await alerts([item.alert], context))[0]
    fact, comment = recorded.event, recorded.event.comment
    kids = [] if comment is None else [comment.kid]
    opening = await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))
    return AlertAcknowledged(
        cursor=desk_cursor(recorded.envelope.streamseq),
        alert_id=fact.alert_id,
        by=fact.by,
        at=fact.at,
        comment=opening.open(comment),
        recorded_at=recorded.envelope.recordedat,
        event_id=recorded.envelope.id,
    )
