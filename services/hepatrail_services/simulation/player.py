"""Plays a trial through the API: moves the clock to each command's moment, sends it in its role's name, compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import Accepted, Rejected
from hepatrail_services.simulation.trial import ACCEPTED, TimedCommand, Trial


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


async def play(
    trial: Trial,
    roles: Mapping[Role, Sends],
    advance_to: Callable[[datetime], object],
    on_played: Callable[[Played], object] = lambda _: None,
) -> tuple[Played, ...]:
    """Plays all commands in turn, one at a time, because they share one clock; raises what the sender raises."""
    played: list[Played] = []
    for command in trial.commands:
        advance_to(command.at)
        outcome = await roles[command.role].send(command.mutation, command.input)
        played.append(Played(command, outcome))
        on_played(played[-1])
    return tuple(played)
