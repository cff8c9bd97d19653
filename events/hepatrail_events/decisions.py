"""What was answered: the record on `hepatrail.decisions`, written in the transaction of its events.

The ledger of every command (AUD-11), the memory that makes command ids idempotent, and the reply to the gateway.
"""

from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.types import Fact, Instant, read_fact


class Verdict(StrEnum):
    """What became of a command."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"


class Code(StrEnum):
    """Machine-readable reason of a rejection."""

    RULE = "RULE"
    SHAPE = "SHAPE"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    KEY_DESTROYED = "KEY_DESTROYED"
    WRONG_PARTITION = "WRONG_PARTITION"
    NOT_READY = "NOT_READY"
    INTERNAL = "INTERNAL"
    UNREADABLE = "UNREADABLE"
    SUBJECT_PARKED = "SUBJECT_PARKED"
    TOO_LARGE = "TOO_LARGE"


NOT_BINDING = frozenset(
    {
        Code.INTERNAL,
        Code.UNREADABLE,
        Code.SUBJECT_PARKED,
        Code.TOO_LARGE,
        Code.NOT_READY,
        Code.WRONG_PARTITION,
    }
)
"""Rejections after which the same command id is decided anew."""


class Decision(Fact):
    """The answer to one command as it stands in the ledger."""

    commandid: UUID
    commandtype: str
    stream: str
    bodyhash: str
    verdict: Verdict
    code: Code | None = None
    rule: str | None = None
    field: str | None = None
    message: str | None = None
    input: dict[str, Any] | None = Field(
        default=None, description="The body of a rejected command, sealed as it was sent"
    )
    eventids: tuple[UUID, ...] = ()
    version: int = Field(ge=0, description="Version of the stream after the decision")
    recordedat: Instant
    receivedat: Instant
    actorid: str
    actorrole: str
    studyseq: int
    producer: str
    repeat: bool = Field(default=False, description="A second answer to a known command id; never folds")

    @property
    def binds(self) -> bool:
        """Whether a later command of the same id is answered with this decision."""
        return not self.repeat and self.code not in NOT_BINDING

    def raw(self) -> bytes:
        """The record's value."""
        return canonical_json(self.payload())

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Reads a record's value; NotJson or InvalidEnvelope when it is no decision."""
        return read_fact(cls, parse_object(raw))
