"""What is answered to a command."""

from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import CommandRejected as Rejection
from hepatrail_events.streams import Position as StreamPosition
from hepatrail_graphql.context import Info
from hepatrail_graphql.fields import resolved
from hepatrail_graphql.queries import DataQuery, opened_by
from hepatrail_graphql.scalars import Position, Version
from hepatrail_projections.decision import DecisionRow


@strawberry.type(description="The command was accepted: its events are in the log for ever.")
class CommandAccepted:
    """The command was accepted."""

    command_id: UUID = strawberry.field(description="The command's id, as it was sent.")
    position: Position = strawberry.field(description="Give it as `minPosition` to read what the command has changed.")
    version: Version = strawberry.field(description="Version of the stream after the command.")
    event_ids: list[UUID] = strawberry.field(
        description="The events of the command, in order; none when it had nothing to change."
    )

    @resolved("The data queries that the command opened; null: not yet projected, ask again.")
    async def queries(self, info: Info) -> list[DataQuery] | None:
        """The data queries that the command opened."""
        return await opened_by(info.context, StreamPosition.parse(self.position), self.event_ids)


@strawberry.type(name="CommandRejected", description="The command broke a rule and changed nothing.")
class CommandRejected:
    """The command broke a rule and changed nothing."""

    command_id: UUID = strawberry.field(description="The command's id, as it was sent.")
    code: str = strawberry.field(
        description="RULE, SHAPE, FORBIDDEN, CONFLICT, KEY_DESTROYED, TOO_LARGE, NOT_READY, SUBJECT_PARKED or INTERNAL."
    )
    message: str = strawberry.field(description="A sentence that says what is wrong and what would be right.")
    rule: str | None = strawberry.field(description='The rule that was broken, as in the protocol: "SES-02".')
    field: str | None = strawberry.field(description='The part of the input at fault: "results[3].unit".')


@strawberry.type(description="The command is on its way; ask `command`, or send it again with the same commandId.")
class CommandPending:
    """The command is on its way."""

    command_id: UUID = strawberry.field(description="The command's id, as it was sent.")


CommandResult: TypeAlias = Annotated[
    CommandAccepted | CommandRejected | CommandPending,
    strawberry.union("CommandResult", description="What became of a command."),
]


def decided(decision: Decision) -> CommandAccepted | CommandRejected:
    """The answer of a decision in the ledger."""
    if decision.verdict is Verdict.ACCEPTED:
        return CommandAccepted(
            command_id=decision.commandid,
            position=Position(str(StreamPosition(decision.stream, decision.version))),
            version=Version(decision.version),
            event_ids=list(decision.eventids),
        )
    return CommandRejected(
        command_id=decision.commandid,
        code=decision.code or "INTERNAL",
        message=decision.message or "The command was rejected.",
        rule=decision.rule,
        field=decision.field,
    )


def recorded(row: DecisionRow) -> CommandAccepted | CommandRejected:
    """The answer of a decision as it is projected."""
    if row.verdict == Verdict.ACCEPTED:
        return CommandAccepted(
            command_id=row.command_id,
            position=Position(str(StreamPosition(row.stream, row.version))),
            version=Version(row.version),
            event_ids=list(row.event_ids),
        )
    return CommandRejected(
        command_id=row.command_id,
        code=row.code or "INTERNAL",
        message=row.message or "The command was rejected.",
        rule=row.rule,
        field=row.field,
    )


def rejected(command_id: UUID, rejection: Rejection) -> CommandRejected:
    """The answer of a command that the gateway refused before it was sent."""
    return CommandRejected(
        command_id=command_id,
        code=rejection.code,
        message=rejection.message,
        rule=rejection.rule,
        field=rejection.field,
    )
