"""The log itself, as auditors browse it: every event as it was written, text still sealed."""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_events.codec import parse_object
from hepatrail_events.streams import Position as StreamPosition
from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import event_cursor, read_event_cursor
from hepatrail_graphql.enums import Role
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow_whole_log, record_reading
from hepatrail_graphql.scalars import Json, Position, Version
from hepatrail_graphql.waiting import instant_argument
from hepatrail_projections.event import EventFilter as RowFilter
from hepatrail_projections.event import EventRow


@strawberry.type(description="One event of the log, as it was written.")
class Event:
    """One event of the log, as it was written."""

    id: UUID = strawberry.field(description="The event.")
    position: Position = strawberry.field(description="Its place in its stream.")
    stream: str = strawberry.field(description="Its stream.")
    streamseq: Version = strawberry.field(description="Its number in the stream, without a gap.")
    type: str = strawberry.field(description="What happened.")
    type_version: int = strawberry.field(description="Version of the type's shape.")
    commit_id: UUID = strawberry.field(description="The command that caused it.")
    commit_index: int = strawberry.field(description="Its place among the command's events.")
    recorded_at: datetime = strawberry.field(description="When the decider recorded it.")
    received_at: datetime = strawberry.field(description="When the gateway received the command.")
    actor_id: str = strawberry.field(description="The account that asked.")
    actor_role: Role = strawberry.field(description="In which role.")
    payload: Json = strawberry.field(description="The facts, as written; free text is sealed.")
    envelope: Json = strawberry.field(description="The whole CloudEvents object that the hash was taken over.")
    hash: str = strawberry.field(description="SHA-256 of the record's bytes; the next event of the stream carries it.")
    partition: int = strawberry.field(description="Partition of `hepatrail.events`.")
    offset: Version = strawberry.field(description="Offset in the partition.")


@strawberry.input(description="Which events; what is left out does not restrict.")
class EventFilter:
    """Which events."""

    stream: strawberry.ID | None = strawberry.field(default=None, description="Of this stream.")
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of this participant: their stream, and what names them elsewhere."
    )
    types: list[str] | None = strawberry.field(default=None, description="Of these types.")
    actor_id: str | None = strawberry.field(default=None, description="Caused by this account.")
    commit_id: UUID | None = strawberry.field(default=None, description="Caused by this command.")
    since: datetime | None = strawberry.field(default=None, description="Recorded at or after.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before.")


async def events(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[EventFilter | None, strawberry.argument(description="Which events.")] = None,
) -> Connection[Event]:
    """The events of the log by recordedAt, stream and streamseq, up to the moment of completeness; each reading is
    on record."""
    context = info.context
    await allow_whole_log(context, QUERIES, "events")
    check_first(first)
    behind = None if after is None else read_event_cursor(after)
    chosen = _chosen(filter)
    await record_reading(context, "events", stream=chosen.stream, subjectId=chosen.subject_id, first=first, after=after)
    page = await context.services.reader.events(first, behind, chosen)
    edges = [Edge(cursor=event_cursor(row), node=_event(row)) for row in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def _chosen(given: EventFilter | None) -> RowFilter:
    if given is None:
        return RowFilter()
    return RowFilter(
        stream=given.stream,
        subject_id=given.subject_id,
        types=None if given.types is None else frozenset(given.types),
        actor_id=given.actor_id,
        commit_id=given.commit_id,
        since=instant_argument(given.since, "since"),
        until=instant_argument(given.until, "until"),
    )


def _event(row: EventRow) -> Event:
    return Event(
        id=row.event_id,
        position=Position(str(StreamPosition(row.stream, row.streamseq))),
        stream=row.stream,
        streamseq=Version(row.streamseq),
        type=row.type,
        type_version=row.type_version,
        commit_id=row.commit_id,
        commit_index=row.commit_index,
        recorded_at=row.recorded_at,
        received_at=row.received_at,
        actor_id=row.actor_id,
        actor_role=Role(row.actor_role),
        payload=cast(Json, cast(Any, row.payload)),
        envelope=Json(parse_object(row.raw)),
        hash=row.hash,
        partition=row.partition,
        offset=Version(row.kafka_offset),
    )
