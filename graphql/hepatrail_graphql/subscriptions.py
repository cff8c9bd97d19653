"""Subscriptions: the safety desk as it goes, and one participant as they change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, cast

import strawberry

from hepatrail_graphql.alerts import AlertFilter
from hepatrail_graphql.authorize import SUBSCRIPTIONS
from hepatrail_graphql.context import Info
from hepatrail_graphql.desk_events import SaeAlertEvent
from hepatrail_graphql.desk_feed import DeskFeed
from hepatrail_graphql.errors import not_found
from hepatrail_graphql.fields import subscribed
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Version
from hepatrail_graphql.subject_feed import changes
from hepatrail_graphql.waiting import visible


@strawberry.type(description="A commit that changed a participant.")
class SubjectChange:
    """A commit that changed a participant."""

    version: Version = strawberry.field(description="Number of the participant's events since: `after` to go on.")
    event_types: list[str] = strawberry.field(description="What happened, in order.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@strawberry.type(description="What can be followed live: over `graphql-transport-ws`, or `graphql-sse`.")
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
        """Follows the safety desk; a `Last-Event-ID` of an event stream that was cut off goes before `after`."""
        await allow(info.context, SUBSCRIPTIONS, "saeAlerts")
        following = DeskFeed(info.context, filter).follow(info.context.resume or after)
        async with aclosing(following):
            async for delivery in following:
                # The executor unpacks it: what is delivered is one of the union's types.
                yield cast(SaeAlertEvent, delivery)

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
