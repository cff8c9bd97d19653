"""Plays a trial through the API: moves the clock to each command's moment, sends it in its role's name, compares."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import Accepted, Rejected
from hepatrail_services.simulation.trial import ACCEPTED, TimedCommand, Trial, with_event_ids


class Sends(Protocol):
    """One role's access to the API; `ApiClient` is one."""

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        """Sends a command until it is decided."""
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """One command and what became of it."""

    command: TimedCommand
    outcome: Accepted | Rejected

    @property
    def as_expected(self) -> bool:
        """Whether the trial's file foresaw this outcome."""
        if isinstance(self.outcome, Accepted):
            return self.command.expect == ACCEPTED
        return self.command.expect == self.outcome.rule


async def at_once(_played: Played) -> None:
    """Nobody is waited for."""


async def play(
    trial: Trial,
    roles: Mapping[Role, Sends],
    advance_to: Callable[[datetime], object],
    on_played: Callable[[Played], object] = lambda _: None,
    pace: Callable[[Played], Awaitable[None]] = at_once,
) -> tuple[Played, ...]:
    """Plays all commands in turn, one at a time, because they share one clock; raises what the sender raises.

    A command that names an event which does not exist, because the command before it was refused, is not sent. `pace`
    is awaited after each command, before the clock moves on to the next.
    """
    played: list[Played] = []
    events: dict[UUID, Sequence[UUID]] = {}
    for command in trial.commands:
        advance_to(command.at)
        outcome = await _send(command, roles[command.role], events)
        if isinstance(outcome, Accepted):
            events[outcome.command_id] = outcome.event_ids
        played.append(Played(command, outcome))
        on_played(played[-1])
        await pace(played[-1])
    return tuple(played)


async def _send(command: TimedCommand, sender: Sends, events: Mapping[UUID, Sequence[UUID]]) -> Accepted | Rejected:
    try:
        values = with_event_ids(command.input, events)
    except LookupError:
        identity = UUID(command.input["commandId"])
        return Rejected(identity, "NOT_SENT", "The command names an event of a command that has none.")
    return await sender.send(command.mutation, values)
