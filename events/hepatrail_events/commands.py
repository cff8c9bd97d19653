"""What was asked: the record on `hepatrail.commands`, written by a gateway, decided once."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.types import Fact, Instant, read_fact


class Actor(Fact):
    """Who asks, as the gateway authenticated them; `sites` is the token's claim."""

    id: str = Field(min_length=1, max_length=200)
    role: Role
    org: str = Field(max_length=200)
    sites: tuple[str, ...] = ()

    def may_see(self, site_id: str) -> bool:
        """Whether the token names this site, or all."""
        return ALL_SITES in self.sites or site_id in self.sites


class CommandMessage(Fact):
    """A command on its way to the decider of `stream`; free text in `input` is sealed already."""

    commandid: UUID
    commandtype: str = Field(max_length=80)
    stream: str = Field(max_length=80)
    input: dict[str, Any]
    actor: Actor
    receivedat: Instant
    studyversion: int = Field(
        default=0, ge=0, description="Highest version of the study stream that the gateway had seen"
    )
    causationid: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None

    @property
    def bodyhash(self) -> str:
        """Hash over type, actor, stream and input: nothing that changes between two tries of one command."""
        return body_hash(self.commandtype, self.actor, self.stream, self.input)

    def raw(self) -> bytes:
        """The record's value."""
        return canonical_json(self.payload())

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Reads a record's value; NotJson or InvalidEnvelope when it is no command."""
        return read_fact(cls, parse_object(raw))


def body_hash(commandtype: str, actor: Actor, stream: str, command_input: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of what makes two commands the same."""
    body = {
        "actor": {"id": actor.id, "role": actor.role.value},
        "input": command_input,
        "stream": stream,
        "type": commandtype,
    }
    return sha256_hex(canonical_json(body))
