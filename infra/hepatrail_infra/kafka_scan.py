"""Reading whole partitions as fast as Kafka gives them: raw fetches, records as tuples, no consumer.

For readers that go through a log from end to end. Committed records only, control records left out, the checksum of
every batch verified; the next fetch is under way while the records of this one are worked on.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords

from hepatrail_events.errors import InvalidMessage, LogShorter, Unavailable
from hepatrail_infra.kafka_admin import TOPICS
from hepatrail_infra.kafka_clients import settings
from hepatrail_infra.kafka_wire import Wire

Row: TypeAlias = tuple[int, bytes | None, bytes | None]
"""Offset, key, value."""
HeaderRow: TypeAlias = tuple[int, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Offset, key, value, headers."""

_READ_COMMITTED: Final = 1
_FETCH_BYTES: Final = 4 * 1024 * 1024
_WAIT_MS: Final = 100
_REQUEST_MS: Final = 30_000
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.02
_AT_ONCE: Final = 1_000
# Of a batch (magic 2): base offset and length at its beginning, the delta of the last offset behind the attributes.
_BEGIN: Final = struct.Struct(">qi")
_LAST_DELTA: Final = struct.Struct(">i")
_LAST_DELTA_AT: Final = 23

_Rows = TypeVar("_Rows")


class BadBatch(InvalidMessage):
    """A batch whose bytes are not those that were checksummed; `offset` is that of its first record."""

    code = "BAD_CRC"

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The bytes of one answer, the aborted transactions in it as (first offset, producer), where the next begins."""

    raw: bytes
    aborted: list[tuple[int, int]]
    following: int


class Scan:
    """A connection for reading; raises Unavailable when Kafka does not answer for 30 s."""

    def __init__(self, bootstrap: str) -> None:
        self._client = AIOKafkaClient(**settings(bootstrap), request_timeout_ms=_REQUEST_MS)
        self._wire = Wire(bootstrap)

    async def __aenter__(self) -> "Scan":
        await self._wire.start()
        try:
            await self._client.bootstrap()
        except BaseException as error:
            await self.__aexit__()
            if isinstance(error, KafkaError):
                raise Unavailable(f"Kafka does not answer: {error}") from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        await self._wire.stop()

    async def ends(self, topic: str) -> dict[int, int]:
        """The last stable offset of each partition of one of our topics; raises Unavailable."""
        partitions = next(spec.partitions for spec in TOPICS if spec.name == topic)
        found = await self._wire.stable_ends(TopicPartition(topic, number) for number in range(partitions))
        return {place.partition: end for place, end in found.items()}

    def batches(
        self, topic: str, partition: int, start: int | None = None, end: int | None = None
    ) -> AsyncIterator[list[Row]]:
        """Records from `start` (None: the first there is) to before `end` (None: the last stable offset now).

        Raises LogShorter when the log does not hold `start`, BadBatch, Unavailable.
        """
        return self._read(TopicPartition(topic, partition), start, end, _rows)

    def with_headers(
        self, topic: str, partition: int, start: int | None = None, end: int | None = None
    ) -> AsyncIterator[list[HeaderRow]]:
        """The same with headers."""
        return self._read(TopicPartition(topic, partition), start, end, _header_rows)

    async def _read(
        self, place: TopicPartition, start: int | None, end: int | None, take: Callable[[Any], list[_Rows]]
    ) -> AsyncIterator[list[_Rows]]:
        stable = (await self._wire.stable_ends([place]))[place]
        first = (await self._wire.beginnings([place]))[place]
        begin, end = first if start is None else start, stable if end is None else min(end, stable)
        if start is not None and not first <= start <= (await self._wire.ends([place]))[place]:
            raise _shorter(place, start)
        if begin >= end:
            return
        fetching = asyncio.ensure_future(self._fetch(place, begin))
        try:
            while begin < end:
                fetched, done = await fetching, begin
                begin = fetched.following
                if begin < end:
                    fetching = asyncio.ensure_future(self._fetch(place, begin))
                for rows in _unpacked(fetched, place, done, end, take):
                    # Lets the request go out, and what has come so far come in.
                    await asyncio.sleep(0)
                    yield rows
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fetch(self, place: TopicPartition, offset: int) -> _Fetched:
        """At least one whole batch from `offset` on."""
        loop = asyncio.get_running_loop()
        deadline, problem = loop.time() + _PATIENCE, "it has given no records"
        while loop.time() < deadline:
            try:
                fetched = await self._ask(place, offset)
            except OffsetOutOfRangeError as error:
                raise _shorter(place, offset) from error
            except KafkaError as error:
                if not error.retriable:
                    raise Unavailable(f"Kafka does not answer: {error}") from error
                problem = str(error)
                await self._client.force_metadata_update()
            else:
                if fetched is not None:
                    return fetched
            await asyncio.sleep(_PAUSE)
        raise Unavailable(f"Kafka gave nothing of {place.topic}/{place.partition}@{offset}: {problem}")

    async def _ask(self, place: TopicPartition, offset: int) -> _Fetched | None:
        node = self._client.cluster.leader_for_partition(place)
        if node in (None, -1):
            await self._client.add_topic(place.topic)
            await self._client.force_metadata_update()
            return None
        wanted = [(place.topic, [(place.partition, offset, _FETCH_BYTES)])]
        request = FetchRequest(_WAIT_MS, 1, 2 * _FETCH_BYTES, _READ_COMMITTED, wanted)
        response: Any = await self._client.send(node, request)
        if not response.topics:
            return None
        ((_, ((_, code, _, *answer),)),) = response.topics
        if code:
            raise for_code(code)(f"reading {place.topic}/{place.partition}@{offset}")
        # Behind the last stable offset: perhaps the first offset, the aborted transactions, perhaps a replica, records.
        aborted = answer[2] if response.API_VERSION >= 11 else answer[-2]
        raw = bytes(answer[-1] or b"")
        following = _following(raw)
        if following is None:
            return None
        return _Fetched(raw, sorted((begin, producer) for producer, begin in aborted or ()), following)


def _shorter(place: TopicPartition, offset: int) -> LogShorter:
    return LogShorter(f"LOG_SHORTER: {place.topic}/{place.partition} does not hold the offset {offset}.")


def _following(raw: bytes) -> int | None:
    """The offset behind the last whole batch, None when there is none; no record is looked at."""
    at, following, length = 0, None, len(raw)
    while at + _BEGIN.size <= length:
        base, size = _BEGIN.unpack_from(raw, at)
        end = at + _BEGIN.size + size
        if end > length:
            break
        following = base + _LAST_DELTA.unpack_from(raw, at + _LAST_DELTA_AT)[0] + 1
        at = end
    return following


def _unpacked(
    fetched: _Fetched, place: TopicPartition, begin: int, end: int, take: Callable[[Any], list[_Rows]]
) -> Iterator[list[_Rows]]:
    """The committed records of an answer, some hundreds at a time; a batch may begin before `begin`."""
    records: Any = MemoryRecords(fetched.raw)
    aborted, ended = list(fetched.aborted), set[int]()
    found: list[Any] = []
    while records.has_next():
        batch = records.next_batch()
        if not batch.validate_crc():
            yield found
            where = f"{place.topic}/{place.partition}@{batch.base_offset}"
            raise BadBatch(f"the bytes at {where} are not those that were checksummed", batch.base_offset)
        while aborted and aborted[0][0] <= batch.base_offset:
            ended.add(aborted.pop(0)[1])
        if batch.is_control_batch:
            if ControlRecord.parse(next(batch).key) == ABORT_MARKER:
                ended.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in ended):
            whole = begin <= batch.base_offset and batch.next_offset <= end
            rows = take(batch)
            found += rows if whole else [row for row in rows if begin <= row[0] < end]  # type: ignore[index]
            if len(found) >= _AT_ONCE:
                yield found
                found = []
    if found:
        yield found


def _rows(batch: Any) -> list[Row]:
    return [(record.offset, record.key, record.value) for record in batch]


def _header_rows(batch: Any) -> list[HeaderRow]:
    return [(record.offset, record.key, record.value, tuple(record.headers)) for record in batch]
