"""Records of the log on their way into a batch: read once, cut into whole commits."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from hepatrail_events.codec import Recorded, read
from hepatrail_events.errors import InvalidEnvelope, InvalidMessage
from hepatrail_events.streams import is_stream
from hepatrail_events.transparency.merkle import leaf_hash
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, DECISIONS, EVENTS, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Place

READ_TOPICS: tuple[TopicPartition, ...] = (
    *(TopicPartition(EVENTS, number) for number in range(PARTITIONS)),
    *(TopicPartition(DECISIONS, number) for number in range(PARTITIONS)),
    TopicPartition(QUARANTINE, 0),
    TopicPartition(CHECKPOINTS, 0),
    TopicPartition(ACCESS, 0),
)
"""Every partition that a projector reads."""

_YIELD_EVERY = 50


class RawRecord(Protocol):
    """What a projector needs of a record, whichever client read it."""

    @property
    def topic(self) -> str:
        """Its topic."""
        ...

    @property
    def partition(self) -> int:
        """Its partition."""
        ...

    @property
    def offset(self) -> int:
        """Its offset."""
        ...

    @property
    def key(self) -> bytes | None:
        """The stream's name."""
        ...

    @property
    def value(self) -> bytes | None:
        """The bytes that count."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record of `hepatrail.events`: its place, the stream of its key, and what its bytes say or why they do not.

    `stream` is None when the key names no stream of this partition.
    """

    place: Place
    stream: str | None
    raw: bytes
    content: Recorded | InvalidMessage


def incoming(place: Place, key: bytes | None, value: bytes | None) -> Incoming:
    """Reads a record of the events topic; never raises."""
    raw = value or b""
    stream = stream_of(key, place.partition)
    return Incoming(place, stream, raw, _read(raw, stream))


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record that was read while the batch before it was written; `leaf` is its hash in the tree of its partition."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    content: Incoming | None
    leaf: bytes | None


async def read_ahead(records: Sequence[ConsumerRecord[bytes | None, bytes | None]]) -> list[ReadRecord]:
    """Reads and hashes records of the events topic, letting other tasks run in between."""
    made = []
    for number, each in enumerate(records, 1):
        content = leaf = None
        if each.topic == EVENTS:
            content = incoming(Place(each.topic, each.partition, each.offset), each.key, each.value)
            leaf = leaf_hash(each.value or b"")
        read_one = ReadRecord(
            each.topic, each.partition, each.offset, each.key, each.value, each.headers, content, leaf
        )
        made.append(read_one)
        if number % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
    return made


def content_of(record: RawRecord) -> Incoming:
    """What an event's record says, read now unless it was read ahead."""
    if isinstance(record, ReadRecord) and record.content is not None:
        return record.content
    return incoming(Place(record.topic, record.partition, record.offset), record.key, record.value)


def leaf_of(record: RawRecord) -> bytes:
    """The hash of an event's record as a leaf of its partition's tree, computed now unless it was read ahead."""
    if isinstance(record, ReadRecord) and record.leaf is not None:
        return record.leaf
    return leaf_hash(record.value or b"")


def stream_of(key: bytes | None, partition: int) -> str | None:
    """The stream that a key names, None when it is no stream or lives in another partition."""
    try:
        name = (key or b"").decode("ascii")
    except UnicodeDecodeError:
        return None
    return name if is_stream(name) and partition_of(name) == partition else None


def _read(raw: bytes, stream: str | None) -> Recorded | InvalidMessage:
    if stream is None:
        return InvalidEnvelope("the record's key names no stream of this partition")
    try:
        recorded = read(raw)
    except InvalidMessage as error:
        return error
    if recorded.envelope.stream != stream:
        return InvalidEnvelope(f"the record's key is {stream}, its subject {recorded.envelope.stream[:80]}")
    return recorded


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to be projected in one transaction, those of each partition in the order of their offsets."""

    records: tuple[RawRecord, ...]

    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where each partition is read on from."""
        return {TopicPartition(each.topic, each.partition): each.offset + 1 for each in self.records}


@dataclass(slots=True)
class CommitGate:
    """Lets whole commits through: what a fetch cut off waits for its rest.

    A commit is known by the headers of its records, which stand side by side in their partition.
    """

    _waiting: dict[TopicPartition, list[RawRecord]] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether the beginning of a commit is held back."""
        return bool(self._waiting)

    def admit(self, records: Iterable[RawRecord]) -> list[RawRecord]:
        """The records that may be projected, in order, those that waited before included."""
        by_partition: dict[TopicPartition, list[RawRecord]] = {}
        for record in records:
            by_partition.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        admitted: list[RawRecord] = []
        for partition, arrived in by_partition.items():
            here = [*self._waiting.pop(partition, ()), *arrived]
            whole = _whole(here)
            admitted += here[:whole]
            if whole < len(here):
                self._waiting[partition] = here[whole:]
        return admitted


def _whole(records: Sequence[RawRecord]) -> int:
    """How many of a partition's records belong to commits that are complete."""
    last = _commit(records[-1])
    if last is None or last[1] + 1 >= last[2]:
        return len(records)
    begin = len(records) - 1
    while begin > 0 and (before := _commit(records[begin - 1])) is not None and before[0] == last[0]:
        begin -= 1
    return begin


def _commit(record: RawRecord) -> tuple[bytes, int, int] | None:
    """A record's commit, its index in it and the commit's size; None when the headers do not say."""
    if record.topic != EVENTS:
        return None
    headers = dict(getattr(record, "headers", None) or ())
    index, size = headers.get("ce_commitindex", b""), headers.get("ce_commitsize", b"")
    if not index.isdigit() or not size.isdigit():
        return None
    return headers.get("ce_commitid", b""), int(index), int(size)
