"""The outcomes of the trial, each number with whom it rests on (`endpoints.md`; CDISC Analysis Results Standard)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.context import Info
from hepatrail_graphql.errors import bad_input
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.refusals import allow_whole_log
from hepatrail_graphql.scalars import Decimal, Position, decimal
from hepatrail_graphql.waiting import instant_argument, wait_for
from hepatrail_projections.clinical.endpoints import cells
from hepatrail_projections.endpoints.answer import OutcomesRead


@strawberry.enum(description="How an interval is computed.")
class IntervalMethod(Enum):
    """How an interval is computed."""

    CLOPPER_PEARSON = strawberry.enum_value("CLOPPER_PEARSON", description="Exact, of a proportion.")
    LOG_LOG = strawberry.enum_value("LOG_LOG", description="Of a survival curve, on the log-log scale, by Greenwood.")
    T = strawberry.enum_value("T", description="Of a mean, by Student's t.")


@strawberry.type(description="A two-sided confidence interval.")
class ConfidenceInterval:
    """A two-sided confidence interval."""

    lower: Decimal = strawberry.field(description="The lower limit, unrounded.")
    upper: Decimal = strawberry.field(description="The upper limit, unrounded.")
    confidence: Decimal = strawberry.field(description="The whole of it, such as 0.95.")
    method: IntervalMethod = strawberry.field(description="How it was computed.")


@strawberry.type(description="A participant in a number, and the events that put them there.")
class OutcomeParticipant:
    """A participant in a number, and the events that put them there."""

    row: strawberry.Private[cells.Contribution]
    subject_id: strawberry.ID = of_row(lambda row: strawberry.ID(row.subject_id), "The pseudonym.")
    event_ids: list[UUID] = of_row(
        lambda row: list(row.event_ids), "The events, by id; empty where the absence of any is what counts."
    )


@strawberry.type(description="One number of a table.")
class OutcomeCell:
    """One number of a table."""

    row: strawberry.Private[cells.Cell]
    column: str = of_row("column", "The code of its column.")
    value: Decimal | None = of_row(
        lambda row: decimal(row.value), "The number, unrounded; null where it is not estimable or not defined."
    )
    display: str = of_row("display", "What is shown, rounded half away from zero; NE: not estimable.")
    n: int | None = of_row("n", "How many it counts; null for what is no count.")
    of: int | None = of_row("of", "Of how many; null for what is no proportion.")
    interval: ConfidenceInterval | None = of_row(
        lambda row: _interval(row.interval), "Its interval; null where there is none, or it is not estimable."
    )
    participants: list[OutcomeParticipant] = of_row(
        lambda row: [OutcomeParticipant(row=each) for each in row.contributions], "Whom it rests on, by pseudonym."
    )
    flags: list[str] = of_row(lambda row: list(row.flags), "What to know before using it; the table's notes explain.")


@strawberry.type(description="A line of a table.")
class OutcomeRow:
    """A line of a table."""

    row: strawberry.Private[cells.Row]
    code: str = of_row("code", "Its code, the same for ever.")
    label: str = of_row("label", "What it is about.")
    level: int = of_row("level", "How deep it stands below others, from 0.")
    cells: list[OutcomeCell] = of_row(
        lambda row: [OutcomeCell(row=each) for each in row.cells], "Its numbers, in the order of the columns."
    )


@strawberry.type(description="A column of a table.")
class OutcomeColumn:
    """A column of a table."""

    row: strawberry.Private[cells.Column]
    code: str = of_row("code", "Its code.")
    label: str = of_row("label", "Its head.")


async def rows_in_turn(root: strawberry.Parent["OutcomeTable"]) -> list[OutcomeRow]:
    """The lines, of one table at each turn of the loop: all at once would hold up alerts for half a second."""
    async with root.turn:
        await asyncio.sleep(0)
        return [OutcomeRow(row=each) for each in root.row.rows]


@strawberry.type(description="One output of the trial.")
class OutcomeTable:
    """One output of the trial."""

    row: strawberry.Private[cells.Table]
    turn: strawberry.Private[asyncio.Lock]
    code: str = of_row("code", "Its code, the same for ever.")
    title: str = of_row("title", "Its title.")
    section: str = of_row("section", "Where `endpoints.md` defines it.")
    columns: list[OutcomeColumn] = of_row(
        lambda row: [OutcomeColumn(row=each) for each in row.columns], "Its columns in their order."
    )
    rows: list[OutcomeRow] = strawberry.field(resolver=rows_in_turn, description="Its lines.")
    notes: list[str] = of_row(lambda row: list(row.notes), "What to know when reading it.")


@strawberry.type(description="The outcomes of the trial as of an instant.")
class Endpoints:
    """The outcomes of the trial as of an instant."""

    as_of: datetime = strawberry.field(description="The data cut: what was recorded until then.")
    complete_to: datetime | None = strawberry.field(description="Until when every recorded event is in the answer.")
    provisional: bool = strawberry.field(description="Whether more may still come in for this instant.")
    protocol_version: str | None = strawberry.field(description="The protocol in force then; null: none, no tables.")
    code_version: str = strawberry.field(description="The program that computed them.")
    safety_set: int = strawberry.field(description="N: participants with a session that was started.")
    tables: list[OutcomeTable] = strawberry.field(description="The tables, in the order of `endpoints.md`.")


async def endpoints(
    info: Info,
    as_of: Annotated[datetime | None, strawberry.argument(description="The data cut; null: now.")] = None,
    tables: Annotated[
        list[str] | None, strawberry.argument(description="Only these tables, by code; null: all.")
    ] = None,
    min_position: Annotated[
        Position | None, strawberry.argument(description="Wait until this is projected, at most 2 s.")
    ] = None,
) -> Endpoints:
    """Every outcome of the trial, now or as of any instant, for whoever may see all sites."""
    context = info.context
    await allow_whole_log(context, QUERIES, "endpoints")
    instant = instant_argument(as_of, "asOf")
    await wait_for(context, min_position)
    return _shown(await context.services.outcomes.outcomes(instant), tables)


def _shown(read: OutcomesRead, wanted: Sequence[str] | None) -> Endpoints:
    found = read.outcomes
    known = {each.code: each for each in found.tables}
    for code in wanted or ():
        if code not in known:
            raise bad_input(f"There is no table {code}.", field="tables", rule=", ".join(known))
    chosen = found.tables if wanted is None else [each for each in found.tables if each.code in wanted]
    turn = asyncio.Lock()
    return Endpoints(
        as_of=found.as_of,
        complete_to=read.complete_to,
        provisional=read.provisional,
        protocol_version=found.protocol_version,
        code_version=found.code_version,
        safety_set=found.safety_set,
        tables=[OutcomeTable(row=each, turn=turn) for each in chosen],
    )


def _interval(found: cells.Interval | None) -> ConfidenceInterval | None:
    if found is None:
        return None
    return ConfidenceInterval(
        lower=Decimal(cells.text(found.lower) or ""),
        upper=Decimal(cells.text(found.upper) or ""),
        confidence=Decimal(str(found.confidence)),
        method=IntervalMethod[found.method],
    )
