"""The player moves time to each command, lets its role send it, and says where the trial went otherwise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import Accepted, Rejected
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import Played, play


class Api:
    """Refuses a session without a release; keeps who asked for what at which time."""

    def __init__(self, role: Role, log: list[tuple[Role, str, datetime]], clock: list[datetime]) -> None:
        self.role, self.log, self.clock = role, log, clock

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        self.log.append((self.role, mutation, self.clock[-1]))
        identity = UUID(command["commandId"])
        if command.get("batchReleaseRef") == "":
            return Rejected(identity, "RULE", "no release", "SES-04")
        return Accepted(identity, "subject-x@1", 1, ())


async def test_each_command_is_sent_by_its_role_at_its_time() -> None:
    trial = generate_trial(3, 6)
    log: list[tuple[Role, str, datetime]] = []
    clock: list[datetime] = []
    seen: list[Played] = []
    played = await play(trial, {role: Api(role, log, clock) for role in Role}, clock.append, seen.append)
    assert log == [(command.role, command.mutation, command.at) for command in trial.commands]
    assert seen == list(played)


async def test_what_went_otherwise_is_told_apart() -> None:
    trial = generate_trial(3, 6)
    clock: list[datetime] = []
    played = await play(trial, {role: Api(role, [], clock) for role in Role}, clock.append)
    surprises = {one.command.expect for one in played if not one.as_expected}
    assert surprises <= {"ENR-02", "SES-02"}
    assert "ENR-02" in surprises
    assert any(one.as_expected and isinstance(one.outcome, Rejected) for one in played)
