"""Escalations of alerts in the order of the desk (`safety.md` 6.3)."""

from typing import Annotated
from uuid import UUID

import strawberry

from hepatrail_events.safety_desk import AlertEscalated as EscalatedFact
from hepatrail_graphql.authorize import QUERIES, sites_of
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import desk_cursor, read_desk_cursor
from hepatrail_graphql.desk_events import AlertEscalated, escalated
from hepatrail_graphql.enums import Priority
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Position as PositionScalar
from hepatrail_graphql.waiting import wait_for
from hepatrail_projections.desk_reading import DeskEntry
from hepatrail_projections.desk_reading import EscalationFilter as RowFilter


@strawberry.input(description="Which escalations; what is left out does not restrict.")
class EscalationFilter:
    """Which escalations."""

    levels: list[int] | None = strawberry.field(default=None, description="Of these levels.")
    priorities: list[Priority] | None = strawberry.field(default=None, description="Of alerts of these priorities.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="Of this participant's alerts.")
    alert_id: UUID | None = strawberry.field(default=None, description="Of this alert.")
    open: bool | None = strawberry.field(
        default=None, description="Only of alerts that still wait for an acknowledgement, or only of the others."
    )


async def escalations(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[EscalationFilter | None, strawberry.argument(description="Which escalations.")] = None,
    min_position: Annotated[
        PositionScalar | None, strawberry.argument(description="Wait until this is projected, at most 2 s.")
    ] = None,
) -> Connection[AlertEscalated]:
    """The escalations of the caller's sites, in the desk's order."""
    context = info.context
    await allow(context, QUERIES, "escalations")
    check_first(first)
    await wait_for(context, min_position)
    given = filter or EscalationFilter()
    chosen = RowFilter(
        levels=None if given.levels is None else frozenset(given.levels),
        priorities=None if given.priorities is None else frozenset(each.value for each in given.priorities),
        subject_id=given.subject_id,
        alert_id=given.alert_id,
        sites=sites_of(context.actor),
        open=given.open,
    )
    behind = 0 if after is None else read_desk_cursor(after)
    page = await context.services.reader.escalations(first, behind, chosen)
    edges = [Edge(cursor=desk_cursor(each.streamseq), node=_node(each)) for each in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def _node(entry: DeskEntry) -> AlertEscalated:
    assert isinstance(entry.fact, EscalatedFact), "only escalations were asked for"
    return escalated(entry, entry.fact)
