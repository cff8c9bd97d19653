"""Bytes of the log to events and back. The hash is always over the stored bytes, before any upcasting."""

from dataclasses import dataclass
from typing import Any

import orjson

from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.errors import (
    BrokenChain,
    InvalidEnvelope,
    NotJson,
    StreamGap,
    UnknownType,
    UnknownVersion,
)
from hepatrail_events.event import Event
from hepatrail_events.families import EVENT_TYPES
from hepatrail_events.upcasters import UPCASTERS


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the log: envelope, current form of the fact, stored bytes and their hash."""

    envelope: Envelope
    event: Event
    raw: bytes
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a stream as a reader knows it: the last streamseq and the hash of its bytes."""

    streamseq: int = 0
    hash: str = GENESIS

    def follow(self, recorded: Recorded) -> "Link":
        """The link after the next event; StreamGap or BrokenChain when `recorded` is not that event."""
        envelope = recorded.envelope
        if envelope.streamseq != self.streamseq + 1:
            raise StreamGap(
                f"{envelope.stream}: streamseq {envelope.streamseq} came where {self.streamseq + 1} was due"
            )
        if envelope.prevhash != self.hash:
            raise BrokenChain(f"{envelope.stream}@{envelope.streamseq}: prevhash is not the hash of the event before")
        return Link(envelope.streamseq, recorded.hash)


def record(envelope: Envelope, event: Event) -> Recorded:
    """The bytes of a new event and their hash; ValueError for a value that canonical JSON cannot hold."""
    raw = canonical_json(envelope.to_json(event.payload()))
    return Recorded(envelope, event, raw, sha256_hex(raw))


def read(raw: bytes) -> Recorded:
    """Reads a record's value; raises the `InvalidMessage` that says why it cannot be read."""
    body = parse_object(raw)
    envelope = Envelope.from_json(body)
    data = body.get("data")
    if not isinstance(data, dict):
        raise InvalidEnvelope("data must be an object")
    return Recorded(envelope, _current(envelope, data), raw, sha256_hex(raw))


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`; NotJson when it is none."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise NotJson(f"the value is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise NotJson("the value is JSON but no object")
    return body


def _current(envelope: Envelope, data: dict[str, Any]) -> Event:
    kind = EVENT_TYPES.get(envelope.type)
    if kind is None:
        raise UnknownType(f"no event is called {envelope.type!r} here")
    version = envelope.version
    while version < kind.VERSION:
        step = UPCASTERS.get((envelope.type, version))
        if step is None:
            raise UnknownVersion(f"{envelope.type}: no upcaster leads from version {version}")
        data, version = step(data), version + 1
    if version != kind.VERSION:
        raise UnknownVersion(f"{envelope.type} version {version} is newer than {kind.VERSION}, the newest known here")
    return kind.from_payload(data)
