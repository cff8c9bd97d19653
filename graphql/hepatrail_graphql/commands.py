"""Commands: one mutation each, generated from the written list; and what became of one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import CommandRejected as Rejection
from hepatrail_events.roles import Role
from hepatrail_events.streams import is_stream
from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.context import Info
from hepatrail_graphql.inputs import input_type, to_raw
from hepatrail_graphql.refusals import allow, record_withdrawal
from hepatrail_graphql.results import CommandPending, CommandResult, decided, recorded, rejected
from hepatrail_services.command import Command
from hepatrail_services.deciders.study import WithdrawAccess

_WITHDRAWAL: Final = WithdrawAccess.name()


def mutation_type(commands: Mapping[str, type[Command]]) -> Any:
    """The schema's `Mutation`: `verbNoun(input: VerbNounInput!): CommandResult!` for each command of the list."""
    fields = {name: _mutation(name, kind) for name, kind in commands.items()}
    made = type("Mutation", (), {**fields, "__doc__": "Everything that can be asked of the trial."})
    return strawberry.type(made, description="Everything that can be asked of the trial; one mutation a command.")


def _mutation(name: str, kind: type[Command]) -> Any:
    async def send(info: Info, input: Any) -> Any:
        return await _send(info, name, input)

    shape: Any = input_type(kind)
    described: Any = Annotated[shape, strawberry.argument(description="The command.")]
    send.__annotations__ = {"info": Info, "input": described, "return": CommandResult}
    resolver: Callable[..., Awaitable[Any]] = send
    return strawberry.mutation(resolver=resolver, name=name, description=" ".join((kind.__doc__ or name).split()))


async def _send(info: Info, name: str, command_input: Any) -> Any:
    context, raw = info.context, to_raw(command_input)
    try:
        decision = await context.services.gateway.submit(name, raw, context.actor, traceparent=context.traceparent)
    except Rejection as rejection:
        return rejected(command_input.command_id, rejection)
    pendings = context.services.pendings
    if isinstance(decision, Decision):
        pendings.settle(decision.stream, decision.commandid)
        if name == _WITHDRAWAL and decision.verdict is Verdict.ACCEPTED:
            await record_withdrawal(context, decision, raw)
        return decided(decision)
    pendings.add(decision.stream, decision.commandid, asyncio.get_running_loop().time())
    return CommandPending(command_id=decision.commandid)


async def find_command(
    info: Info,
    stream: Annotated[strawberry.ID, strawberry.argument(description="The stream that the command went to.")],
    id: Annotated[UUID, strawberry.argument(description="The command's id.")],
) -> CommandResult | None:
    """What became of a command of one's own; an auditor may ask for all."""
    context = info.context
    actor = await allow(context, QUERIES, "command")
    if not is_stream(stream):
        return None
    row = await context.services.reader.decision(stream, id)
    if row is not None:
        return recorded(row) if actor.role is Role.AUDITOR or actor.id == row.actor_id else None
    return CommandPending(command_id=id) if context.services.pendings.includes(stream, id) else None
