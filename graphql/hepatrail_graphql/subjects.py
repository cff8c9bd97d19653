"""Participants: one, now or as of an instant, and the list of them."""

import asyncio
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from hepatrail_graphql.alerts import AlertFilter, alerts, last_cursor, row_filter
from hepatrail_graphql.authorize import QUERIES, SUBJECT_FIELDS, allowed, may_see, reads_sealed_text, sites_of
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.paging import LARGEST_PAGE, Connection, Edge, PageInfo, check_first
from hepatrail_graphql.participant import Subject, SubjectStatus, Whole, participant
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Position
from hepatrail_graphql.selection import fields_below
from hepatrail_graphql.text import opener
from hepatrail_graphql.waiting import instant_argument, wait_for
from hepatrail_infra.sealing_keys import kid_of
from hepatrail_projections.reading import SubjectRead
from hepatrail_projections.subject import SubjectFilter as RowFilter
from hepatrail_projections.subject import SubjectRow

READ_AT_ONCE = 4
"""Participants of one page read beside each other, so that one request cannot take every connection."""

_definition = get_object_definition(Subject, strict=True)
PLAIN = frozenset(to_camel_case(field.python_name) for field in _definition.fields if field.base_resolver is None) | {
    "__typename"
}
"""The fields that a participant's row alone answers."""


@strawberry.input(description="Which participants; what is left out does not restrict.")
class SubjectFilter:
    """Which participants."""

    site_id: strawberry.ID | None = strawberry.field(default=None, description="Of this site.")
    status: SubjectStatus | None = strawberry.field(default=None, description="With this status.")


async def subject(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The pseudonym.")],
    as_of: Annotated[
        datetime | None, strawberry.argument(description="As it was recorded until this instant; null: the latest.")
    ] = None,
    min_position: Annotated[
        Position | None, strawberry.argument(description="Wait until this is projected, at most 2 s.")
    ] = None,
) -> Subject | None:
    """A participant; null when there is none of this pseudonym at the caller's sites."""
    context = info.context
    await allow(context, QUERIES, "subject")
    instant = instant_argument(as_of, "asOf")
    await wait_for(context, min_position)
    read = await context.services.reader.subject(id, instant)
    if read is None or not may_see(context.actor, read.rows.subject.site_id):
        return None
    return participant(read.rows.subject, await _whole(context, read, instant, fields_below(info)))


async def subjects(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[SubjectFilter | None, strawberry.argument(description="Which participants.")] = None,
) -> Connection[Subject]:
    """The participants of the caller's sites, by pseudonym."""
    context = info.context
    await allow(context, QUERIES, "subjects")
    check_first(first)
    page = await context.services.reader.subjects(first, after, _chosen(filter, context))
    wanted = fields_below(info, "edges", "node")
    places = asyncio.Semaphore(READ_AT_ONCE)

    async def node(row: SubjectRow) -> Subject:
        if wanted <= PLAIN:
            return participant(row)
        async with places:
            read = await context.services.reader.subject(row.subject_id)
            # A projection never takes a participant away; their site may have changed since the list was read.
            assert read is not None
            return participant(read.rows.subject, await _whole(context, read, None, wanted))

    nodes = await asyncio.gather(*map(node, page.items))
    edges = [Edge(cursor=str(each.id), node=each) for each in nodes if may_see(context.actor, each.site_id)]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


async def _whole(context: Context, read: SubjectRead, as_of: datetime | None, wanted: frozenset[str]) -> Whole:
    """Reads what the lists need besides the participant's rows, so that none of them waits."""
    subject_id, services = read.rows.subject.subject_id, context.services
    opening = await opener(services.vault, [kid_of(subject_id)], may_read=reads_sealed_text(context.actor))
    shown = []
    if "alerts" in wanted and allowed(SUBJECT_FIELDS, "alerts", context.actor):
        chosen = row_filter(AlertFilter(subject_id=strawberry.ID(subject_id)), context)
        found = await services.reader.alerts(LARGEST_PAGE, None, chosen)
        shown = await alerts((row for row in found.items if as_of is None or row.recorded_at <= as_of), context, as_of)
    return Whole(read, tuple(shown), as_of or services.clock.now(), opening)


def _chosen(given: SubjectFilter | None, context: Context) -> RowFilter:
    sites = sites_of(context.actor)
    chosen = given or SubjectFilter()
    if chosen.site_id is not None:
        sites = frozenset({chosen.site_id} if sites is None else sites & {chosen.site_id})
    return RowFilter(sites=sites, status=None if chosen.status is None else chosen.status.name)
