"""Data queries: what the record leaves open, derived by the fold and closed by itself (`events.md` 3.10)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from hepatrail_events.commands import Actor
from hepatrail_events.streams import Position, subject_of, subject_stream
from hepatrail_graphql.authorize import QUERIES, reads_sealed_text, sites_of
from hepatrail_graphql.common import Provenance, instant, provenance
from hepatrail_graphql.context import Context, Info
from hepatrail_graphql.enums import Role
from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first
from hepatrail_graphql.refusals import allow
from hepatrail_graphql.scalars import Json
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.waiting import reached
from hepatrail_infra.sealing_keys import kid_of
from hepatrail_projections.data_query import QueryFilter, QueryRow, in_force

_OF_LABORATORIES = frozenset({"LAB_RESULT", "SAMPLE"})
"""What a laboratory may be asked about: it sees no safety data."""


@strawberry.enum(description="How far a data query is; OPEN and ANSWERED wait for the site.")
class QueryStatus(Enum):
    """How far a data query is."""

    OPEN = strawberry.enum_value("OPEN", description="Its condition holds and nobody has said anything.")
    ANSWERED = strawberry.enum_value("ANSWERED", description="The site answered; it is open until mended or closed.")
    CLOSED = strawberry.enum_value("CLOSED", description="The monitor closed it for this version of its rule.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="Its condition is gone; what was said about it stays.")


@strawberry.enum(description="What a data query is about.")
class QueryObject(Enum):
    """What a data query is about."""

    ENROLMENT = strawberry.enum_value("ENROLMENT", description="The enrolment, by its event.")
    SESSION = strawberry.enum_value("SESSION", description="A treatment session.")
    LAB_RESULT = strawberry.enum_value("LAB_RESULT", description="A row that a laboratory reported.")
    LAB_FINDING = strawberry.enum_value("LAB_FINDING", description="What a measured row means for safety, by the row.")
    OBSERVATION = strawberry.enum_value("OBSERVATION", description="A row that was observed at the bedside.")
    SAMPLE = strawberry.enum_value("SAMPLE", description="The rows of one sample together.")
    OBSERVATIONS = strawberry.enum_value("OBSERVATIONS", description="The rows of one bedside moment, by its event.")
    ASSESSMENT = strawberry.enum_value("ASSESSMENT", description="An assessment or survival status, by its event.")
    DEATH = strawberry.enum_value("DEATH", description="The death record, by its event.")
    PROCEDURE = strawberry.enum_value("PROCEDURE", description="A procedure such as dialysis.")
    MEDICATION = strawberry.enum_value("MEDICATION", description="A medication such as a transfusion.")
    ADVERSE_EVENT = strawberry.enum_value("ADVERSE_EVENT", description="An adverse event.")
    SPONSOR_NOTIFICATION = strawberry.enum_value("SPONSOR_NOTIFICATION", description="A notification, by its event.")


@strawberry.type(description="What the site or the laboratory answered to a data query.")
class QueryAnswer:
    """An answer."""

    text: Text = strawberry.field(description="The answer.")
    answered_at: datetime = strawberry.field(description="When it was recorded.")
    answered_by: str = strawberry.field(description="The account that answered.")
    role: Role = strawberry.field(description="In which role.")
    event_id: UUID = strawberry.field(description="The event of the answer.")


@strawberry.type(description="That the monitor closed a data query, for one version of its rule.")
class QueryClosure:
    """A closure."""

    reason: Text = strawberry.field(description="Why it was closed although its condition may still hold.")
    rule_version: str = strawberry.field(description="For which version of the rule; a newer one opens it again.")
    closed_at: datetime = strawberry.field(description="When it was recorded.")
    closed_by: str = strawberry.field(description="The account that closed it.")
    event_id: UUID = strawberry.field(description="The event of the closure.")


@strawberry.type(description="A question that the record leaves open; it closes by itself when its cause is gone.")
class DataQuery:
    """A question that the record leaves open."""

    id: UUID = strawberry.field(description="The same for the same rule, participant and object.")
    subject_id: strawberry.ID = strawberry.field(description="The participant.")
    rule: str = strawberry.field(description='The rule that asks: "LAB-02".')
    rule_version: str = strawberry.field(description="The version of the rule: give it to `closeQuery`.")
    status: QueryStatus = strawberry.field(description="How far it is, at `asOf` or now.")
    code: str = strawberry.field(description="Which condition of the rule holds first; RESOLVED: none any more.")
    object_kind: QueryObject = strawberry.field(description="What is asked about.")
    object_id: UUID = strawberry.field(description="The object's id.")
    message: str = strawberry.field(
        description="The question, as the site reads it. Of a resolved one the participant as of then has it."
    )
    details: Json = strawberry.field(description="The parts of the message: `[{code, message}]`, one a condition.")
    opens_at: datetime | None = strawberry.field(description="Since when it is open; null: since its events.")
    answers: list[QueryAnswer] = strawberry.field(description="What was answered, in order.")
    closed: QueryClosure | None = strawberry.field(description="The closure for this version of the rule.")
    closures: list[QueryClosure] = strawberry.field(description="Every closure, for whatever version, in order.")
    provenance: Provenance = strawberry.field(description="What the query rests on.")


@strawberry.input(description="Which data queries; what is left out does not restrict.")
class DataQueryFilter:
    """Which data queries."""

    site: strawberry.ID | None = strawberry.field(default=None, description="Of participants of this site.")
    subject_id: strawberry.ID | None = strawberry.field(default=None, description="Of this participant.")
    rule: str | None = strawberry.field(default=None, description="Of this rule.")
    status: list[QueryStatus] | None = strawberry.field(default=None, description="With one of these statuses.")


def data_query(row: QueryRow, opening: Opener) -> DataQuery:
    """A query's row as the schema shows it."""
    closures = cast(list[dict[str, Any]], row.closures)
    closed = in_force(closures, row.rule_version)
    return DataQuery(
        id=row.query_id,
        subject_id=strawberry.ID(row.subject_id),
        rule=row.rule,
        rule_version=row.rule_version,
        status=QueryStatus(row.status),
        code=row.code,
        object_kind=QueryObject(row.object_kind),
        object_id=row.object_id,
        message=row.message,
        details=cast(Json, cast(Any, row.details)),
        opens_at=row.opens_at,
        answers=[_answer(each, opening) for each in cast(list[dict[str, Any]], row.answers)],
        closed=None if closed is None else _closure(closed, opening),
        closures=[_closure(each, opening) for each in closures],
        provenance=provenance(f"data-query/{row.rule}/{row.rule_version}", row.event_ids, row.protocol_version),
    )


def data_queries_of(
    rows: Iterable[QueryRow], opening: Opener, actor: Actor, *, at: datetime, open_only: bool | None = None
) -> list[DataQuery]:
    """A participant's queries as far as the caller may see them; `open_only` chooses the open ones, or the others."""
    kinds = _kinds(actor)
    return [
        data_query(row, opening)
        for row in rows
        if (kinds is None or row.object_kind in kinds) and open_only in (None, row.is_open_at(at))
    ]


async def opened_by(context: Context, position: Position, event_ids: Sequence[UUID]) -> list[DataQuery] | None:
    """The queries that a commit opened; None while it is not projected. The study and the desk open none."""
    subject_id = subject_of(position.stream)
    if subject_id is None or not event_ids:
        return []
    if not await reached(context, position):
        return None
    rows = await context.services.reader.queries_opened(subject_id, event_ids)
    opening = await _opener(rows, context)
    return data_queries_of(rows, opening, context.actor, at=context.services.clock.now())


async def data_queries(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[DataQueryFilter | None, strawberry.argument(description="Which queries.")] = None,
) -> Connection[DataQuery]:
    """The data queries of the caller's sites, by participant; a laboratory sees those about its results."""
    context = info.context
    await allow(context, QUERIES, "dataQueries")
    check_first(first)
    place = None if after is None else _place(after)
    page = await context.services.reader.data_queries(first, place, _chosen(filter or DataQueryFilter(), context.actor))
    opening = await _opener(page.items, context)
    edges = [Edge(cursor=f"{row.subject_id}/{row.query_id}", node=data_query(row, opening)) for row in page.items]
    ends = edges[-1].cursor if edges else None
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=ends))


def _chosen(given: DataQueryFilter, actor: Actor) -> QueryFilter:
    sites = sites_of(actor)
    if given.site is not None:
        sites = frozenset({given.site} if sites is None else sites & {given.site})
    return QueryFilter(
        sites=sites,
        subject_id=given.subject_id,
        rule=given.rule,
        statuses=None if given.status is None else frozenset(each.name for each in given.status),
        kinds=_kinds(actor),
    )


def _kinds(actor: Actor) -> frozenset[str] | None:
    return _OF_LABORATORIES if actor.role is Role.LABORATORY else None


def _place(cursor: str) -> tuple[str, UUID]:
    subject_id, _, query_id = cursor.rpartition("/")
    try:
        subject_stream(subject_id)
        return subject_id, UUID(query_id)
    except ValueError:
        raise bad_input("after is no cursor of this list.", field="after", rule="cursor") from None


async def _opener(rows: Iterable[QueryRow], context: Context) -> Opener:
    """One question to the vault for all rows."""
    kids = [kid_of(row.subject_id) for row in rows if row.answers or row.closures]
    return await opener(context.services.vault, kids, may_read=reads_sealed_text(context.actor))


def _answer(stored: dict[str, Any], opening: Opener) -> QueryAnswer:
    return QueryAnswer(
        text=opening.needed(sealed_text(stored["text"])),
        answered_at=instant(stored["answeredAt"]),
        answered_by=stored["actorId"],
        role=Role(stored["actorRole"]),
        event_id=UUID(stored["eventId"]),
    )


def _closure(stored: dict[str, Any], opening: Opener) -> QueryClosure:
    return QueryClosure(
        reason=opening.needed(sealed_text(stored["reason"])),
        rule_version=stored["ruleVersion"],
        closed_at=instant(stored["closedAt"]),
        closed_by=stored["actorId"],
        event_id=UUID(stored["eventId"]),
    )
