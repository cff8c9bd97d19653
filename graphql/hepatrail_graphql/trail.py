"""The audit trail: who changed which field of what, when, from which value to which, and why (AUD-01, 03, 04, 09)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypeGuard
from uuid import UUID

import strawberry

from hepatrail_events.roles import ALL_SITES
from hepatrail_events.streams import Position as StreamPosition
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.authorize import QUERIES, reads_sealed_text
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.cursors import read_trail_cursor, trail_cursor
from hepatrail_graphql.enums import Role
from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow, beyond_sites, record_reading
from hepatrail_graphql.scalars import Json, Position
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.waiting import instant_argument, visible
from hepatrail_projections.trail.row import TrailFilter, TrailRow

SEALED_KEYS = frozenset({"kid", "cid", "path", "ct"})
"""What a sealed text consists of in a row."""


def is_sealed(value: Any) -> TypeGuard[dict[str, str]]:
    """Whether a value of the log is a sealed text."""
    return isinstance(value, dict) and value.keys() == SEALED_KEYS


def _unsealed(value: Any) -> Any:
    return None if is_sealed(value) else value


@strawberry.type(description="One field of one object that an event gave a value, or another one.")
class AuditTrailEntry:
    """One field of one object that an event gave a value, or another one."""

    row: strawberry.Private[TrailRow]
    opener: strawberry.Private[Opener]

    event_id: UUID = of_row("event_id", "The event that did it.")
    position: Position = of_row(
        lambda row: str(StreamPosition(row.stream, row.streamseq)), "The place of the event in its stream."
    )
    subject_id: strawberry.ID | None = of_row("subject_id", "The participant; null where it concerns none.")
    recorded_at: datetime = of_row("recorded_at", "When the decider recorded it.")
    received_at: datetime = of_row("received_at", "When the gateway received the command.")
    actor_id: str = of_row("actor_id", "The account, or the component of the system, that did it.")
    actor_role: Role = of_row(lambda row: Role(row.actor_role), "In which role.")
    actor_org: str = of_row("actor_org", "Of which organisation.")
    automated: bool = of_row("automated", "Whether a component of the system did it by itself.")
    event: str = of_row("event_type", "What happened: the type of the event.")
    object: str = of_row(
        lambda row: str(row.object_id),
        "What was changed: the id of the result, session, adverse event and so on; else that of the event.",
    )
    field: str = of_row("field", "The field, as the event names it; a part of a field after a dot.")
    old_value: Json | None = of_row(
        lambda row: _unsealed(row.old), "What stood there, as recorded; null where nothing or a free text did."
    )
    new_value: Json | None = of_row(
        lambda row: _unsealed(row.new), "What stands there since, as recorded; null where it is a free text."
    )
    provenance: Provenance = of_row(
        lambda row: provenance("audit-trail", (row.event_id,), row.protocol_version), "What the entry rests on."
    )

    @resolved("What stood there, where it was a free text of a participant.")
    def old_text(self) -> Text | None:
        """What stood there, where it was a sealed text."""
        return self._opened(self.row.old)

    @resolved("What stands there since, where it is a free text of a participant.")
    def new_text(self) -> Text | None:
        """What stands there since, where it is a sealed text."""
        return self._opened(self.row.new)

    @resolved("Why, where the event says so.")
    def reason(self) -> Text | None:
        """Why, where the event says so."""
        reason: Any = self.row.reason
        return self._opened(reason) if is_sealed(reason) else self.opener.open(None if reason is None else str(reason))

    def _opened(self, value: Any) -> Text | None:
        return self.opener.open(sealed_text(value)) if is_sealed(value) else None


@strawberry.input(description="Which entries; what is left out does not restrict.")
class AuditTrailFilter:
    """Which entries."""

    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of this participant; whoever is no auditor names one of their sites."
    )
    field: str | None = strawberry.field(default=None, description="Of fields of this name.")
    object: str | None = strawberry.field(default=None, description="Of the object with this id.")
    actor_id: str | None = strawberry.field(default=None, description="Caused by this account.")
    since: datetime | None = strawberry.field(default=None, description="Recorded at or after.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before.")


async def audit_trail(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200; a page may have fewer.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[AuditTrailFilter | None, strawberry.argument(description="Which entries.")] = None,
) -> Connection[AuditTrailEntry]:
    """The audit trail, one entry a field, by recordedAt, stream, streamseq and number among the event's entries, up
    to the moment of completeness; each reading is on record. A page is short where too many events would have to be
    looked at to fill it: go on after `endCursor` while `hasNextPage` is true."""
    context = info.context
    await allow(context, QUERIES, "auditTrail")
    given = filter or AuditTrailFilter()
    await _check_sites(context, given.subject_id)
    check_first(first)
    behind = None if after is None else read_trail_cursor(after)
    chosen = _chosen(given)
    await record_reading(
        context,
        "auditTrail",
        subjectId=chosen.subject_id,
        field=chosen.field,
        actorId=chosen.actor_id,
        first=first,
        after=after,
    )
    page = await context.services.reader.trail(first, behind, chosen)
    opening = await _opener(context, page.items)
    edges = [Edge(cursor=trail_cursor(row.place), node=AuditTrailEntry(row=row, opener=opening)) for row in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


async def _check_sites(context: Context, subject_id: str | None) -> None:
    """An auditor of all sites reads everything; everybody else one participant of a site of theirs (ACC-02)."""
    actor = context.actor
    if actor.role is Role.AUDITOR and ALL_SITES in actor.sites:
        return
    if subject_id is None or not await visible(context, subject_id):
        raise await beyond_sites(context, "auditTrail")


def _chosen(given: AuditTrailFilter) -> TrailFilter:
    if given.subject_id is not None:
        try:
            subject_stream(given.subject_id)
        except ValueError as error:
            raise bad_input(f"{error}.", field="filter.subjectId", rule="pseudonym") from None
    return TrailFilter(
        subject_id=given.subject_id,
        field=given.field,
        actor_id=given.actor_id,
        since=instant_argument(given.since, "since"),
        until=instant_argument(given.until, "until"),
        object_id=given.object,
    )


async def _opener(context: Context, rows: Iterable[TrailRow]) -> Opener:
    """One question to the vault for all rows."""
    texts: list[Any] = [value for row in rows for value in (row.old, row.new, row.reason)]
    kids = [text["kid"] for text in texts if is_sealed(text)]
    return await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))
