"""The access log: refusals, logins, tokens, exports and readings of the log (AUD-07), one hash chain an instance."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from hepatrail_events.codec import parse_object
from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import number_cursor, read_number_cursor
from hepatrail_graphql.enums import Access, Role
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow_whole_log, record_reading
from hepatrail_graphql.scalars import Json, Version
from hepatrail_graphql.waiting import instant_argument
from hepatrail_projections.access_record import AccessFilter as RowFilter
from hepatrail_projections.access_record import AccessRow


def _said(row: AccessRow, name: str) -> Any:
    return parse_object(row.raw).get(name)


@strawberry.type(description="What somebody did or tried, as it was written to the access log.")
class AccessEntry:
    """What somebody did or tried."""

    row: strawberry.Private[AccessRow]

    instance: str = of_row("instance", "The API process, or the run of a command, whose chain this is.")
    seq: Version = of_row("seq", "Its number in the chain, without a gap.")
    hash: str = of_row("hash", "SHA-256 of the record's bytes; the next of the chain carries it.")
    at: datetime = of_row("at", "When.")
    kind: Access = of_row(lambda row: Access(row.kind), "What was done or tried.")
    actor_id: str | None = of_row("actor_id", "The account; null while nobody was let in.")
    actor_role: Role | None = of_row(
        lambda row: None if row.actor_role is None else Role(row.actor_role), "In which role."
    )
    actor_org: str | None = of_row(lambda row: _said(row, "actororg"), "Of which organisation.")
    command: str | None = of_row("command", "The operation that was refused, or the command that was sent.")
    command_id: UUID | None = of_row(
        lambda row: None if _said(row, "commandid") is None else UUID(_said(row, "commandid")), "The command's id."
    )
    code: str | None = of_row("code", "Why it was refused, as a code.")
    rule: str | None = of_row("rule", "The rule behind it.")
    field: str | None = of_row("field", "The part of the input at fault.")
    body_hash: str | None = of_row("body_hash", "SHA-256 of what was sent; a body itself never stands here.")
    detail: Json | None = of_row("detail", "What else belongs to this kind; no patient data.")
    record: Json = of_row(lambda row: parse_object(row.raw), "The whole record that the hash was taken over.")
    offset: Version = of_row("kafka_offset", "Offset in `hepatrail.access`.")


@strawberry.input(description="Which records; what is left out does not restrict.")
class AccessFilter:
    """Which records."""

    kinds: list[Access] | None = strawberry.field(default=None, description="Of these kinds.")
    actor_id: str | None = strawberry.field(default=None, description="Of this account.")
    since: datetime | None = strawberry.field(default=None, description="At or after.")
    until: datetime | None = strawberry.field(default=None, description="Before.")


async def access_log(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[AccessFilter | None, strawberry.argument(description="Which records.")] = None,
) -> Connection[AccessEntry]:
    """The access log in the order in which it was written; each reading is on record in it, as `ACCESS_READ`."""
    context = info.context
    await allow_whole_log(context, QUERIES, "accessLog")
    check_first(first)
    behind = None if after is None else read_number_cursor(after)
    chosen = _chosen(filter or AccessFilter())
    await record_reading(context, "accessLog", Access.ACCESS_READ, actorId=chosen.actor_id, first=first, after=after)
    page = await context.services.reader.access(first, behind, chosen)
    edges = [Edge(cursor=number_cursor(row.kafka_offset), node=AccessEntry(row=row)) for row in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def _chosen(given: AccessFilter) -> RowFilter:
    return RowFilter(
        kinds=None if given.kinds is None else frozenset(each.value for each in given.kinds),
        actor_id=given.actor_id,
        since=instant_argument(given.since, "since"),
        until=instant_argument(given.until, "until"),
    )
