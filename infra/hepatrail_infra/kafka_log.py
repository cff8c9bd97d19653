"""Reading and writing the log: where a stream lives, readers without a group, producers that lose nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.partitioner import murmur2
from aiokafka.producer import sender
from aiokafka.structs import ConsumerRecord

from hepatrail_events.errors import LogShorter, Unavailable
from hepatrail_infra.kafka_admin import MAX_RECORD_BYTES, PARTITIONS
from hepatrail_infra.kafka_clients import settings
from hepatrail_infra.kafka_wire import TRANSACTION_TIMEOUT_MS, Wire

Record = ConsumerRecord[bytes | None, bytes | None]
OnBatch = Callable[[list[Record]], Awaitable[None]]
"""Called with the records of one partition, in the order of their offsets."""

# The first request after a commit meets CONCURRENT_TRANSACTIONS until the markers are written. aiokafka then
# waits 20 ms; at 2 ms the p99 of a back-to-back round trip falls from 90 to 4.5 ms (DESIGN section 2, fact 7).
_BACKOFF_SECONDS = 0.002
_OVERHEAD = 64 * 1024
_REQUEST_MS = 10_000
_POLL_MS = 50


@lru_cache(maxsize=1 << 16)
def partition_of(stream: str) -> int:
    """The partition of a stream in commands, events and decisions: murmur2 of its name, as Java clients place it."""
    return int((murmur2(stream.encode()) & 0x7FFFFFFF) % PARTITIONS)


def make_producer(bootstrap: str, transactional_id: str | None = None) -> AIOKafkaProducer:
    """A producer, not started: acks=all, idempotent, zstd, no linger; transactional with an id."""
    sender.BACKOFF_OVERRIDE = _BACKOFF_SECONDS
    return AIOKafkaProducer(
        **settings(bootstrap),
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        transactional_id=transactional_id,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        max_batch_size=MAX_RECORD_BYTES,
        max_request_size=4 * MAX_RECORD_BYTES + _OVERHEAD,
        request_timeout_ms=_REQUEST_MS,
        retry_backoff_ms=20,
    )


async def close_producer(producer: AIOKafkaProducer, patience: float = 2.0) -> None:
    """Stops a producer; what it has not delivered within `patience` seconds is given up."""
    accumulator, manager = producer._message_accumulator, producer._txn_manager
    queued = [batch for batches in accumulator._batches.values() for batch in batches]
    left = [
        future for batch in (*queued, *accumulator._pending_batches) for future in (batch.future, batch._drain_waiter)
    ]
    if not await _ended(producer.stop(), patience):
        # `stop` waits for as long as Kafka is away, because an idempotent producer never gives a batch up.
        accumulator.fail_all(KafkaError("the producer was closed"))
        await _ended(producer.client.close(), patience)
        await _cancelled([producer._sender.sender_task], patience)
    if manager is not None and manager._transaction_waiter is not None:
        left.append(manager._transaction_waiter)
    for future in left:
        if future.done() and not future.cancelled():
            # Whoever waited was told; what nobody waited for would be reported as never retrieved.
            future.exception()


async def close_consumer(consumer: AIOKafkaConsumer, patience: float = 5.0) -> None:
    """Stops a consumer; its tasks and connections are cut when Kafka does not answer within `patience` seconds."""
    if not await _ended(consumer.stop(), patience):
        # Left alone, they would join the group again when Kafka is back.
        names = (
            "_coordination_task",
            "_heartbeat_task",
            "_commit_refresh_task",
            "_reset_committed_task",
            "_fetch_task",
        )
        parts = (consumer._coordinator, consumer._fetcher)
        tasks = [getattr(part, name, None) for part in parts for name in names]
        await _cancelled([*tasks, *getattr(consumer._fetcher, "_pending_tasks", ())], patience)
        await _ended(consumer._client.close(), patience)


async def _ended(closing: Coroutine[Any, Any, None], patience: float) -> bool:
    """Whether a client closed in time; in a task of its own, because aiokafka ends some with a CancelledError."""
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.wait([task], timeout=patience)
    finally:
        task.cancel()
    return task.done() and not task.cancelled() and task.exception() is None


async def _cancelled(tasks: Iterable[asyncio.Task[Any] | None], patience: float) -> None:
    running = [task for task in tasks if task is not None and not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=patience)


class LogReader:
    """Reads partitions without a group, `read_committed`, from positions that the caller keeps."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._opened: AIOKafkaConsumer | None = None
        self._partitions: tuple[TopicPartition, ...] = ()

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """What is read."""
        return self._partitions

    async def start(self, positions: Mapping[TopicPartition, int | None]) -> None:
        """Connects and stands at these offsets (None: the first there is).

        Raises LogShorter when an offset lies outside the log, Unavailable when Kafka is away.
        """
        self._partitions = tuple(positions)
        places = await self._places(positions)
        consumer = AIOKafkaConsumer(
            **settings(self._bootstrap),
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            request_timeout_ms=_REQUEST_MS,
        )
        try:
            await consumer.start()
        except KafkaError as error:
            await close_consumer(consumer)
            raise Unavailable(f"Kafka does not answer: {error}") from error
        except BaseException:
            await close_consumer(consumer)
            raise
        consumer.assign(self._partitions)
        for tp, offset in places.items():
            consumer.seek(tp, offset)
        self._opened = consumer

    async def start_at_end(self, partitions: Iterable[TopicPartition]) -> None:
        """Connects and stands at the last stable offsets: everything committed from now on will be read."""
        asked = tuple(partitions)
        async with Wire(self._bootstrap) as wire:
            ends = await wire.stable_ends(asked)
        await self.start(ends)

    async def stop(self) -> None:
        """Disconnects."""
        if self._opened is not None:
            await close_consumer(self._opened)
            self._opened = None

    async def getmany(
        self, timeout_ms: int = 1000, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        """What has been committed since the last call, waiting at most `timeout_ms`; empty while Kafka is away.

        Raises LogShorter when the log no longer holds the position.
        """
        try:
            return dict(await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records))
        except OffsetOutOfRangeError as error:
            raise LogShorter(f"LOG_SHORTER: the log does not hold the offset that was read last: {error}") from error
        except KafkaError as error:
            if error.retriable:
                raise Unavailable(str(error)) from error
            raise

    async def position(self, partition: TopicPartition) -> int:
        """The offset that is read next."""
        return int(await self._consumer.position(partition))

    def last_stable_offset(self, partition: TopicPartition) -> int | None:
        """The last stable offset as the last fetch showed it."""
        value: int | None = self._consumer.last_stable_offset(partition)
        return value

    def highwater(self, partition: TopicPartition) -> int | None:
        """The high watermark as the last fetch showed it."""
        value: int | None = self._consumer.highwater(partition)
        return value

    def last_fetch(self, partition: TopicPartition) -> float | None:
        """When the two above were learnt: seconds since the epoch on this machine's clock."""
        millis: int | None = self._consumer.last_poll_timestamp(partition)
        return None if millis is None else millis / 1000

    async def seek(self, partition: TopicPartition, offset: int | None) -> None:
        """Goes to an offset (None: the first there is); LogShorter when the log does not hold it."""
        places = await self._places({partition: offset})
        self._consumer.seek(partition, places[partition])

    async def read_to_end(self, on_batch: OnBatch) -> None:
        """Reads until the last stable offset as it is when called; raises Unavailable, LogShorter."""
        async with Wire(self._bootstrap) as wire:
            ends = await wire.stable_ends(self._partitions)
        while await self._behind(ends):
            for records in (await self.getmany(timeout_ms=_POLL_MS)).values():
                await on_batch(records)

    async def _behind(self, ends: Mapping[TopicPartition, int]) -> bool:
        for tp, end in ends.items():
            if await self.position(tp) < end:
                return True
        return False

    async def _places(self, positions: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        async with Wire(self._bootstrap) as wire:
            first = await wire.beginnings(positions)
            ends = await wire.ends(positions)
        places = {}
        for tp, offset in positions.items():
            if offset is not None and not first[tp] <= offset <= ends[tp]:
                raise LogShorter(
                    f"LOG_SHORTER: {tp.topic}/{tp.partition} holds offsets {first[tp]} to {ends[tp]}, "
                    f"but this reader has stored {offset}."
                )
            places[tp] = first[tp] if offset is None else offset
        return places

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        if self._opened is None:
            raise Unavailable("the reader is not started")
        return self._opened


async def read_to_end(
    bootstrap: str, topic: str, partitions: Iterable[int], start: Mapping[int, int], on_batch: OnBatch
) -> dict[int, int]:
    """Reads a topic's partitions from `start` (absent: the first offset) to the last stable offset at the call.

    Returns the next offset of each partition. Raises LogShorter, Unavailable.
    """
    reader = LogReader(bootstrap)
    tps = {TopicPartition(topic, partition): start.get(partition) for partition in partitions}
    await reader.start(tps)
    try:
        await reader.read_to_end(on_batch)
        return {tp.partition: await reader.position(tp) for tp in tps}
    finally:
        await reader.stop()
