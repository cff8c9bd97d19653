"""Participants: one, now or as of an instant, and the list of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from hepatrail_graphql.alerts import SaeAlert, alerts
from hepatrail_graphql.authorize import QUERIES, SUBJECT_FIELDS, allowed, may_see, reads_sealed_text, sites_of
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.participant import Subject, participant
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Position
from hepatrail_graphql.selection import fields_below
from hepatrail_graphql.subject_parts import SubjectStatus, Whole
from hepatrail_graphql.text import Opener, opener
from hepatrail_graphql.waiting import instant_argument, wait_for
from hepatrail_infra.sealing_keys import kid_of
from hepatrail_projections.reading import SubjectRead
from hepatrail_projections.subject import SubjectFilter as RowFilter

_definition = get_object_definition(Subject, strict=True)
PLAIN = frozenset(to_camel_case(field.python_name) for field in _definition.fields if field.base_resolver is None) | {
    "__typename"
}
"""The fields that a participant's row alone answers."""
ALERTED = frozenset({"alerts", "adverseEvents"})
"""The fields that need the alerts."""
MOMENTS = "scoresAt"
"""The field that no table answers."""


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
    found = await _read(context, [id], instant, fields_below(info))
    return found[0] if found else None


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
    if wanted <= PLAIN:
        nodes = [participant(row) for row in page.items]
    else:
        nodes = await _read(context, [row.subject_id for row in page.items], None, wanted)
    edges = [Edge(cursor=str(each.id), node=each) for each in nodes]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


async def _read(
    context: Context, subject_ids: Sequence[str], as_of: datetime | None, wanted: frozenset[str]
) -> list[Subject]:
    """Participants of the caller's sites with what their lists need: one reading for all, so that no list waits."""
    services, alerted = context.services, bool(ALERTED & wanted) and allowed(SUBJECT_FIELDS, "alerts", context.actor)
    reads = await services.reader.participants(subject_ids, as_of, alerts=alerted, courses=MOMENTS in wanted)
    seen = [reads[each] for each in subject_ids if each in reads]
    seen = [read for read in seen if may_see(context.actor, read.rows.subject.site_id)]
    kids = [kid_of(read.rows.subject.subject_id) for read in seen]
    opening = await opener(services.vault, kids, may_read=reads_sealed_text(context.actor))
    raised = [row for read in seen for row in read.alerts if may_see(context.actor, row.site_id)]
    known = [row for row in raised if as_of is None or row.recorded_at <= as_of]
    shown = await alerts(known, context, as_of) if known else []
    at = as_of or services.clock.now()
    by_subject: dict[str, list[SaeAlert]] = {}
    for each in shown:
        by_subject.setdefault(str(each.row.subject_id), []).append(each)
    return [_made(read, by_subject.get(read.rows.subject.subject_id, []), at, opening) for read in seen]


def _made(read: SubjectRead, shown: Sequence[SaeAlert], as_of: datetime, opening: Opener) -> Subject:
    last = {each.row.ae_id: each.row.alert_seq for each in shown if each.row.ae_id is not None}
    return participant(read.rows.subject, Whole(read, as_of, opening, tuple(shown), last))


def _chosen(given: SubjectFilter | None, context: Context) -> RowFilter:
    sites = sites_of(context.actor)
    chosen = given or SubjectFilter()
    if chosen.site_id is not None:
        sites = frozenset({chosen.site_id} if sites is None else sites & {chosen.site_id})
    return RowFilter(sites=sites, status=None if chosen.status is None else chosen.status.name)
