"""Commands that broke a rule, with their bodies as sent (AUD-11); what was refused before is in `access_log`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from hepatrail_graphql.authorize import QUERIES, reads_sealed_text
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import read_rejected_cursor, rejected_cursor
from hepatrail_graphql.enums import Role
from hepatrail_graphql.fields import of_row, resolved
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow_whole_log, record_reading
from hepatrail_graphql.scalars import Json, Version
from hepatrail_graphql.text import Opener, Text, opener, sealed_text
from hepatrail_graphql.trail import is_sealed
from hepatrail_graphql.waiting import instant_argument
from hepatrail_projections.decision import DecisionRow
from hepatrail_projections.decision import RejectedFilter as RowFilter


@strawberry.type(description="A free text in the body of a command.")
class BodyText:
    """A free text in the body of a command."""

    path: str = strawberry.field(description='Where it stands in the body: "results[3].comment".')
    text: Text = strawberry.field(description="The text.")


@strawberry.type(description="A command that broke a rule and changed nothing, as the ledger of decisions has it.")
class RejectedCommand:
    """A command that broke a rule and changed nothing."""

    row: strawberry.Private[DecisionRow]
    opener: strawberry.Private[Opener]

    command_id: UUID = of_row("command_id", "The command's id, as it was sent.")
    command: str = of_row("command_type", "What was asked: the name of the mutation.")
    stream: str = of_row("stream", "The stream that it went to.")
    version: Version = of_row("version", "Version of the stream when it was decided.")
    code: str | None = of_row("code", "RULE, SHAPE, FORBIDDEN, CONFLICT and so on.")
    rule: str | None = of_row("rule", 'The rule that was broken, as in the protocol: "SES-02".')
    field: str | None = of_row("field", 'The part of the body at fault: "results[3].unit".')
    message: str | None = of_row("message", "The sentence that was answered.")
    body: Json | None = of_row("input", "The body as it was sent; free text is sealed.")
    body_hash: str = of_row("body_hash", "SHA-256 of name, account, stream and body: the same for every try.")
    repeat: bool = of_row("repeat", "Whether it had been decided before and was answered again.")
    received_at: datetime = of_row("received_at", "When the gateway received it.")
    recorded_at: datetime = of_row("recorded_at", "When it was decided.")
    actor_id: str = of_row("actor_id", "The account that asked.")
    actor_role: Role = of_row(lambda row: Role(row.actor_role), "In which role.")
    study_version: Version = of_row("studyseq", "Version of the study by which it was decided.")
    producer: str = of_row("producer", "The program that decided it.")
    partition: int = of_row("partition", "Partition of `hepatrail.decisions`.")
    offset: Version = of_row("kafka_offset", "Offset in the partition.")

    @resolved("The free texts of the body, as far as you may read them.")
    def texts(self) -> list[BodyText]:
        """The free texts of the body."""
        return [BodyText(path=path, text=self.opener.needed(sealed_text(text))) for path, text in _texts(self.row)]


@strawberry.input(description="Which rejected commands; what is left out does not restrict.")
class RejectedCommandFilter:
    """Which rejected commands."""

    stream: strawberry.ID | None = strawberry.field(default=None, description="Sent to this stream.")
    command: str | None = strawberry.field(default=None, description="Of this name.")
    code: str | None = strawberry.field(default=None, description="Rejected with this code.")
    rule: str | None = strawberry.field(default=None, description="That broke this rule.")
    actor_id: str | None = strawberry.field(default=None, description="Sent by this account.")
    since: datetime | None = strawberry.field(default=None, description="Decided at or after.")
    until: datetime | None = strawberry.field(default=None, description="Decided before.")


async def rejected_commands(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor.")] = None,
    filter: Annotated[RejectedCommandFilter | None, strawberry.argument(description="Which commands.")] = None,
) -> Connection[RejectedCommand]:
    """The commands that a decider rejected, in the order of their decision; each reading is on record."""
    context = info.context
    actor = await allow_whole_log(context, QUERIES, "rejectedCommands")
    check_first(first)
    behind = None if after is None else read_rejected_cursor(after)
    chosen = _chosen(filter or RejectedCommandFilter())
    await record_reading(context, "rejectedCommands", stream=chosen.stream, first=first, after=after)
    page = await context.services.reader.rejected(first, behind, chosen)
    kids = [text["kid"] for row in page.items for _, text in _texts(row)]
    opening = await opener(context.services.vault, kids, may_read=reads_sealed_text(actor))
    edges = [Edge(cursor=rejected_cursor(row), node=RejectedCommand(row=row, opener=opening)) for row in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


def _chosen(given: RejectedCommandFilter) -> RowFilter:
    return RowFilter(
        stream=given.stream,
        command_type=given.command,
        code=given.code,
        rule=given.rule,
        actor_id=given.actor_id,
        since=instant_argument(given.since, "since"),
        until=instant_argument(given.until, "until"),
    )


def _texts(row: DecisionRow) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield from _within("", row.input)


def _within(path: str, value: Any) -> Iterator[tuple[str, Mapping[str, str]]]:
    if is_sealed(value):
        yield path, value
    elif isinstance(value, Mapping):
        # `jsonb` keeps no order.
        for name, part in sorted(value.items()):
            yield from _within(f"{path}.{name}" if path else name, part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, part in enumerate(value):
            yield from _within(f"{path}[{index}]", part)
