"""The command path without its I/O: screen, seal, read, decide, evolve. Held to the rules, not to the runtime."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hepatrail_events import codec
from hepatrail_events.codec import Link, Recorded
from hepatrail_events.commands import Actor, body_hash
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.ids import uuid7
from hepatrail_events.protocol import Protocol, content_hash, shipped_protocol
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.streams import STUDY
from hepatrail_events.study import ProtocolPublished
from hepatrail_events.types import SealedText
from hepatrail_services.command import read_command
from hepatrail_services.deciders.catalogue import COMMANDS, State, decide, evolve, initial_state
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.importers.api_client import Accepted, Outcome, Rejected
from hepatrail_services.sealing import seal_input


class PureSpine:
    """Decides commands in memory; `now` is what the test says, the shipped protocol is in force from the first day."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.recorded: dict[str, list[Recorded]] = defaultdict(list)
        self._states: dict[str, State] = {}
        self._decided: dict[tuple[str, UUID], tuple[str, Accepted | Rejected]] = {}
        self.publish("1.0", shipped_protocol(), datetime(2000, 1, 1, tzinfo=UTC))

    def publish(self, version: str, protocol: Protocol, effective_at: datetime) -> None:
        """Puts a version of the protocol in force."""
        content = protocol.content()
        published = ProtocolPublished(
            version=version,
            content=content,
            hash=content_hash(content),
            approved_by="sponsor",
            reason="as the test wants it",
            effective_at=effective_at,
        )
        by = Actor(id="pi", role=Role.PRINCIPAL_INVESTIGATOR, org="site")
        self._append(STUDY, by, UUID(int=len(self.recorded[STUDY]) + 1), published)

    def advance_to(self, instant: datetime) -> None:
        """Moves the clock forward."""
        self.now = max(self.now, instant)

    def acting_as(self, role: Role) -> "PureUser":
        """A user of that role, allowed at all sites."""
        return PureUser(self, Actor(id=role.value.lower(), role=role, org="site", sites=(ALL_SITES,)))

    async def send(self, actor: Actor, mutation: str, raw: Mapping[str, Any]) -> Accepted | Rejected:
        """Decides one command as the decider would, with its idempotency."""
        identity = UUID(raw["commandId"])
        try:
            sealed = await seal_input(COMMANDS[mutation], raw, _seal)
            command = read_command(COMMANDS[mutation], sealed)
        except CommandRejected as refused:
            return Rejected(identity, refused.code, refused.message, refused.rule, refused.field)
        stream, body = command.stream(), body_hash(mutation, actor, command.stream(), sealed)
        if (stream, identity) in self._decided:
            known, decision = self._decided[stream, identity]
            return decision if known == body else Rejected(identity, "CONFLICT", "known id, other body")
        study = self._states[STUDY]
        assert isinstance(study, StudyState)
        try:
            context = Context(self.now, actor, identity, self.now)
            events = decide(self._state(stream), study, command, context)
        except CommandRejected as refused:
            decided: Accepted | Rejected = Rejected(
                identity, refused.code, refused.message, refused.rule, refused.field
            )
        else:
            ids = tuple(self._append(stream, actor, identity, event) for event in events)
            version = len(self.recorded[stream])
            decided = Accepted(identity, f"{stream}@{version}", version, ids)
        self._decided[stream, identity] = body, decided
        return decided

    def decision(self, stream: str, identity: UUID) -> Outcome | None:
        """What became of a command."""
        found = self._decided.get((stream, identity))
        return found[1] if found else None

    def events(self) -> list[Event]:
        """All events of all streams."""
        return [recorded.event for stream in self.recorded.values() for recorded in stream]

    def _state(self, stream: str) -> State:
        return self._states.get(stream, initial_state(stream))

    def _append(self, stream: str, actor: Actor, command_id: UUID, event: Event) -> UUID:
        before = self.recorded[stream][-1] if self.recorded[stream] else None
        link = Link(before.envelope.streamseq, before.hash) if before else Link()
        envelope = Envelope(
            id=uuid7(self.now),
            type=event.type_name(),
            version=event.VERSION,
            stream=stream,
            streamseq=link.streamseq + 1,
            commitid=command_id,
            commitindex=0,
            commitsize=1,
            prevhash=link.hash,
            receivedat=self.now,
            recordedat=self.now,
            actorid=actor.id,
            actorrole=actor.role.value,
            actororg=actor.org,
            producer="test",
            studyseq=len(self.recorded[STUDY]),
        )
        recorded = codec.record(envelope, event)
        self.recorded[stream].append(recorded)
        self._states[stream] = evolve(self._state(stream), recorded)
        return envelope.id


class PureUser:
    """One user of the pure spine, with the importer's and the player's view of the API."""

    def __init__(self, spine: PureSpine, actor: Actor) -> None:
        self._spine, self._actor = spine, actor

    async def send(self, mutation: str, command: Mapping[str, Any]) -> Accepted | Rejected:
        """Sends a command."""
        return await self._spine.send(self._actor, mutation, command)

    async def commands(self, stream: str, command_ids: Sequence[UUID]) -> Mapping[UUID, Outcome]:
        """What became of commands."""
        found = {each: self._spine.decision(stream, each) for each in command_ids}
        return {each: outcome for each, outcome in found.items() if outcome is not None}


def _seal(path: str, text: str) -> SealedText:
    return SealedText(kid="key", cid="command", path=path, ct=f"{len(text)}")
