"""What lies where in a bundle, and how a record of the log becomes a line of it and back.

A record whose value is a line of UTF-8 that names its own key is that line, byte for byte. Any other (no JSON, a line
feed in it, another key) is the line `{"base64":...,"key":...}`, both in base64, None where the record has none.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import NotJson
from hepatrail_events.types import Fact, Instant
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, DECISIONS, EVENTS, QUARANTINE

FORMAT: Final = "hepatrail-bundle/1"
MANIFEST: Final = "manifest.json"
README: Final = "README.txt"
VERIFIER: Final = "verify.py"
REPORT: Final = "report.html"
KEYS: Final = "keys.txt"
SEALS: Final = "seals.jsonl"
ACCESS_FILE: Final = "access.jsonl"
QUARANTINE_FILE: Final = "quarantine.jsonl"
SUBJECT_EVENTS: Final = "events/subject.jsonl"
DIGESTS: Final = "digests.json"
TEXT_KEYS: Final = "text-keys.jsonl"

_ESCAPED: Final = b'{"base64":'
_KEY_FIELDS: Final = {
    EVENTS: "subject",
    DECISIONS: "stream",
    QUARANTINE: "stream",
    ACCESS: "instance",
    CHECKPOINTS: "log",
}
"""The attribute of a record of each topic that is its key."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a bundle: `size` bytes of the file `path`, from `start` on."""

    path: Path
    start: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, in pieces."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = self.size
            while left and (piece := file.read(min(left, _CHUNK))):
                left -= len(piece)
                yield piece

    def read(self) -> bytes:
        """Its bytes."""
        return b"".join(self.chunks())

    def lines(self) -> Iterator[bytes]:
        """Its lines, without the line feeds."""
        rest = b""
        for piece in self.chunks():
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole

    def sha256(self) -> str:
        """SHA-256 of its bytes in hexadecimal."""
        digest = sha256()
        for piece in self.chunks():
            digest.update(piece)
        return digest.hexdigest()


class Counts(Fact):
    """How much a bundle holds."""

    events: int
    streams: int
    decisions: int
    seals: int
    access: int


class Entry(Fact):
    """A file of the bundle, held to its bytes."""

    name: str
    size: int
    sha256: str


class Manifest(Fact):
    """What a bundle is: the log up to a seal, whole or one participant's, and the hash of every other file in it."""

    format: str
    log: str
    seal: int
    at: Instant
    subject: str | None
    with_text: bool
    hepatrail: str
    projection: int
    protocols: tuple[str, ...]
    counts: Counts
    files: tuple[Entry, ...]

    def raw(self) -> bytes:
        """The file's bytes: canonical JSON in which `subject` is null for the whole log."""
        return canonical_json(self.payload() | {"subject": self.subject})


def events_file(partition: int) -> str:
    """The events of a partition, one a line, in the order of the leaves."""
    return f"events/{partition:02}.jsonl"


def offsets_file(partition: int) -> str:
    """The Kafka offset of each of them."""
    return f"events/{partition:02}.offsets"


def decisions_file(partition: int) -> str:
    """The decisions of a partition."""
    return f"decisions/{partition:02}.jsonl"


def file_of(topic: str, partition: int) -> str:
    """The file that holds the records of a partition."""
    if topic == EVENTS:
        return events_file(partition)
    if topic == DECISIONS:
        return decisions_file(partition)
    return {QUARANTINE: QUARANTINE_FILE, ACCESS: ACCESS_FILE, CHECKPOINTS: SEALS}[topic]


def to_line(topic: str, key: bytes | None, value: bytes | None) -> bytes:
    """The line of a record, without line feed."""
    if value is not None and b"\n" not in value and not value.startswith(_ESCAPED) and _own_key(topic, value) == (key,):
        return value
    return canonical_json({"base64": _b64(value), "key": _b64(key)})


def of_line(topic: str, line: bytes) -> tuple[bytes | None, bytes | None]:
    """Key and value of the record that a line stands for; NotJson when it stands for none."""
    if not line.startswith(_ESCAPED):
        own = _own_key(topic, line)
        if own is None:
            raise NotJson(f"a line of {topic} is no record")
        return own[0], line
    try:
        body = orjson.loads(line)
        return _unb64(body["key"]), _unb64(body["base64"])
    except (orjson.JSONDecodeError, binascii.Error, KeyError, TypeError) as error:
        raise NotJson(f"a line of {topic} is no record: {error}") from None


def _own_key(topic: str, value: bytes) -> tuple[bytes | None] | None:
    """The key that a value names, in a tuple of its own, because a record may have none; None when it is no object."""
    try:
        body: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    name = body.get(_KEY_FIELDS[topic])
    return (name.encode() if isinstance(name, str) else None,)


def _b64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode("ascii")


def _unb64(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
