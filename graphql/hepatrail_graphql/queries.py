"""Data queries: what the record leaves open, derived by the fold and closed by itself (`events.md` 3.10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_events.streams import Position, subject_of
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Context
from hepatrail_graphql.scalars import Json
from hepatrail_graphql.waiting import reached
from hepatrail_projections.data_query import QueryRow


@strawberry.type(description="A question that the record leaves open; it closes by itself when its cause is gone.")
class DataQuery:
    """A question that the record leaves open."""

    id: UUID = strawberry.field(description="The same for the same rule, participant and object.")
    subject_id: strawberry.ID = strawberry.field(description="The participant.")
    rule: str = strawberry.field(description='The rule that asks: "LAB-02".')
    code: str = strawberry.field(description="Which condition of the rule holds.")
    object_kind: str = strawberry.field(description="What is asked about: LAB_RESULT, SESSION or ADVERSE_EVENT.")
    object_id: UUID = strawberry.field(description="The object's id.")
    message: str = strawberry.field(description="The question, as the site reads it.")
    details: Json = strawberry.field(description="The parts of the message.")
    opens_at: datetime | None = strawberry.field(description="Since when it is open; null: since its events.")
    provenance: Provenance = strawberry.field(description="What the query rests on.")


def data_query(row: QueryRow) -> DataQuery:
    """A query's row as the schema shows it."""
    return DataQuery(
        id=row.query_id,
        subject_id=strawberry.ID(row.subject_id),
        rule=row.rule,
        code=row.code,
        object_kind=row.object_kind,
        object_id=row.object_id,
        message=row.message,
        details=cast(Json, cast(Any, row.details)),
        opens_at=row.opens_at,
        provenance=provenance("data-query", row.event_ids, row.protocol_version),
    )


async def opened_by(context: Context, position: Position, event_ids: Sequence[UUID]) -> list[DataQuery] | None:
    """The queries that a commit opened; None while it is not projected. The study and the desk open none."""
    subject_id = subject_of(position.stream)
    if subject_id is None or not event_ids:
        return []
    if not await reached(context, position):
        return None
    return [data_query(row) for row in await context.services.reader.queries_opened(subject_id, event_ids)]
