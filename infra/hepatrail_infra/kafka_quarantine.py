"""The topic `hepatrail.quarantine`: what could not be read, byte for byte, and what was released since.

Both kinds of record are canonical JSON, keyed by stream, on the topic's one partition.
"""

import base64
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.types import Fact, Instant, read_fact
from hepatrail_infra.kafka_admin import EVENTS


class Quarantined(Fact):
    """A record that could not be read: where it stands, why, and its very bytes in base64."""

    kind: Literal["quarantined"] = "quarantined"
    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    stream: str | None = Field(default=None, description="As its key says")
    code: str
    reason: str = Field(max_length=2000)
    raw: str = Field(description="The record's value, base64; empty for a record without value")
    at: Instant

    def value(self) -> bytes:
        """The bytes that could not be read."""
        return base64.b64decode(self.raw)


class Released(Fact):
    """Somebody decided that an unreadable event is to be passed over; every reader of the log then skips it."""

    kind: Literal["released"] = "released"
    topic: str = EVENTS
    stream: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    reason: str = Field(min_length=3, max_length=1000)
    by: str = Field(min_length=1, max_length=200)
    at: Instant


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


def encode_raw(value: bytes | None) -> str:
    """The text in which a record's value is kept."""
    return base64.b64encode(value or b"").decode("ascii")


def record_bytes(record: Quarantined | Released) -> bytes:
    """The value of a quarantine record."""
    return canonical_json(record.payload())


def read_quarantine(raw: bytes) -> Quarantined | Released:
    """Reads a quarantine record's value; NotJson or InvalidEnvelope when it is none."""
    body = parse_object(raw)
    match body.get("kind"):
        case "quarantined":
            return read_fact(Quarantined, body)
        case "released":
            return read_fact(Released, body)
        case other:
            raise InvalidEnvelope(f"kind {str(other)[:40]!r} is neither quarantined nor released")
