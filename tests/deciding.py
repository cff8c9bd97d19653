"""The deciders without Kafka: gateway, vault, rules, projection and API are the real ones, and at once."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import pytest

from graphql_world import World, decision
from hepatrail_events.codec import read
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.errors import CommandRejected
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.command import read_command
from hepatrail_services.deciders.catalogue import COMMANDS, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.gateway import Gateway


class Deciding:
    """The deciders without Kafka: folds the log, decides by the rules, writes the events."""

    alive = True
    study_version = 0

    def __init__(self, world: World) -> None:
        self._world = world

    async def ask(self, message: CommandMessage, seconds: float) -> Decision:
        """The decision, at once."""
        writer = self._world.log
        study, state = self._state(STUDY), self._state(message.stream)
        context = Context(writer.now, message.actor, message.commandid, message.receivedat)
        answer: dict[str, Any] = {"commandtype": message.commandtype, "actorid": message.actor.id}
        try:
            command = read_command(COMMANDS[message.commandtype], cast(Mapping[str, Any], message.input))
            events = decide(state, cast(StudyState, study), command, context)
        except CommandRejected as refused:
            return await self._rejected(message, refused, len(self._events(STUDY)))
        made = []
        if events:
            made = writer.commit(message.stream, *events, actor=message.actor.id, role=message.actor.role.value)
        await self._world.project()
        ids = tuple(read(cast(bytes, each.value)).envelope.id for each in made)
        version = len(self._events(message.stream))
        return decision(message.commandid, message.stream, **answer, version=version, eventids=ids)

    async def _rejected(self, message: CommandMessage, refused: CommandRejected, studyseq: int) -> Decision:
        """What goes to the ledger, body included, as a decider writes it."""
        made = decision(
            message.commandid,
            message.stream,
            commandtype=message.commandtype,
            bodyhash=message.bodyhash,
            verdict=Verdict.REJECTED,
            code=Code(refused.code),
            message=refused.message,
            rule=refused.rule,
            field=refused.field,
            input=dict(message.input),
            version=len(self._events(message.stream)),
            recordedat=self._world.log.tick(0.1),
            receivedat=message.receivedat,
            actorid=message.actor.id,
            actorrole=message.actor.role.value,
            studyseq=studyseq,
        )
        self._world.log._add(DECISIONS, partition_of(message.stream), message.stream.encode(), made.raw(), ())
        await self._world.project()
        return made

    def _events(self, stream: str) -> list[Any]:
        records = [each for each in self._world.log.records if each.topic == EVENTS and each.key == stream.encode()]
        return [read(cast(bytes, each.value)) for each in records]

    def _state(self, stream: str) -> Any:
        state = initial_state(stream)
        for recorded in self._events(stream):
            state = evolve(state, recorded)
        return state


def decide_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a world decide its commands: behind the API stands the real gateway, behind that `Deciding`."""

    async def alert_subject(alert_id: UUID) -> str | None:
        alert = await world.services.reader.alert(alert_id)
        if alert is None:
            raise CommandRejected("There is no such alert.", rule="DSK-02", field="alertId")
        return alert.subject_id

    async def known_subject(subject_id: str) -> bool:
        return await world.services.reader.stream_version(subject_stream(subject_id)) > 0

    gateway = Gateway(
        cast(Any, Deciding(world)),
        world.vault,
        world.clock,
        cast(Any, world.services.access_log),
        alert_subject=alert_subject,
        known_subject=known_subject,
    )
    monkeypatch.setattr(world.gateway, "submit", gateway.submit)
