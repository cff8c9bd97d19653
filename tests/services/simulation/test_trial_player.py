"""The player moves time to each command, lets its role send it, and says where the trial went otherwise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import Accepted, Rejected
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.player import Played, play


class Api:
    """Refuses a session without a release; keeps who asked for what at which time."""

    def __init__(
        self, role: Role, log: list[tuple[Role, str, datetime]], clock: list[datetime], refused: str = ""
    ) -> None:
        self.role, self.log, self.clock, self.refused = role, log, clock, refused
        self.inputs: list[Mapping[str, Any]] = []

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        self.log.append((self.role, mutation, self.clock[-1]))
        self.inputs.append(command)
        identity = UUID(command["commandId"])
        if command.get("batchReleaseRef") == "":
            return Rejected(identity, "RULE", "no release", "SES-04")
        if mutation == self.refused:
            return Rejected(identity, "RULE", "not now", "VIS-02")
        return Accepted(identity, "subject-x@1", 1, (derived_id(identity),))


async def test_each_command_is_sent_by_its_role_at_its_time() -> None:
    trial = generate_trial(3, 12)
    log: list[tuple[Role, str, datetime]] = []
    clock: list[datetime] = []
    seen: list[Played] = []
    played = await play(trial, {role: Api(role, log, clock) for role in Role}, clock.append, seen.append)
    assert log == [(command.role, command.mutation, command.at) for command in trial.commands]
    assert seen == list(played)


async def test_what_went_otherwise_is_told_apart() -> None:
    trial = generate_trial(3, 12)
    clock: list[datetime] = []
    played = await play(trial, {role: Api(role, [], clock) for role in Role}, clock.append)
    surprises = {one.command.expect for one in played if not one.as_expected}
    foreseen = {command.expect for command in trial.commands} - {"ACCEPTED"}
    assert surprises == foreseen - {"SES-04"}
    assert any(one.as_expected and isinstance(one.outcome, Rejected) for one in played)


async def test_the_ids_of_earlier_events_are_put_into_later_commands() -> None:
    trial = generate_trial(3, 12)
    clock: list[datetime] = []
    roles = {role: Api(role, [], clock) for role in Role}
    await play(trial, roles, clock.append)
    sent = [command for api in roles.values() for command in api.inputs]
    assert not any("event:" in str(value) for command in sent for value in command.values())
    (named,) = (one for one in trial.commands if one.mutation == "correctAdverseEventGrade")
    mistyped = UUID(named.input["gradeEventId"].removeprefix("event:").removesuffix("/0"))
    (right,) = (one for one in sent if one["commandId"] == named.input["commandId"])
    assert right["gradeEventId"] == str(derived_id(mistyped))


async def test_what_names_an_event_of_a_refused_command_is_not_sent() -> None:
    trial = generate_trial(3, 12)
    clock: list[datetime] = []
    log: list[tuple[Role, str, datetime]] = []
    roles = {role: Api(role, log, clock, refused="recordTransplant") for role in Role}
    played = await play(trial, roles, clock.append)
    (lost,) = (one for one in played if isinstance(one.outcome, Rejected) and one.outcome.code == "NOT_SENT")
    assert lost.command.mutation == "correctAssessment"
    assert not lost.as_expected
    assert len(log) == len(trial.commands) - 1
