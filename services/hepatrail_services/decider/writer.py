"""The one transactional producer of a lane, and everything that can go wrong with it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
)

from hepatrail_infra.kafka_log import close_producer
from hepatrail_services.decider.halted import LaneLost
from hepatrail_services.decider.plan import Out
from hepatrail_services.decider.setting import GROUP

_SEND_SECONDS = 8.0
_COMMIT_SECONDS = 10.0
"""Neither has a time-out of its own in aiokafka (DESIGN section 2, fact 5)."""

# They say that the producer is done for, not that Kafka disliked a record.
_NOT_THE_RECORDS = (
    ProducerFenced,
    OutOfOrderSequenceNumber,
    InvalidTxnState,
    InvalidProducerIdMapping,
    IllegalOperation,
    ProducerClosed,
)


class LaneWriter:
    """Writes transactions; every failure is a LaneLost, after which the writer is of no more use."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def close(self) -> None:
        """Gives the producer up; an open transaction is ended by whoever takes the lane over."""
        await close_producer(self._producer)

    async def send(self, records: Sequence[Out], offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Begins a transaction, sends the records and the commands' next offsets, and waits until Kafka has them.

        Returns the offsets after the last record of each partition written to. `commit` alone would commit even
        when a send has failed (DESIGN section 2, fact 2).
        """
        self._refuse_if_dead()
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._producer.begin_transaction()
                batches = [await self._send_batch(place, batch) for place, batch in self._batches(records)]
                results: list[Any] = await asyncio.gather(*(future for _, _, future in batches))
                # Not beside the sends: the broker verifies both with the coordinator, of two questions about one
                # producer the first is given up, and the batches come back as NOT_ENOUGH_REPLICAS.
                await self._producer.send_offsets_to_transaction(dict(offsets), GROUP)
        except TimeoutError:
            raise LaneLost(f"Kafka did not take a transaction within {_SEND_SECONDS:g} s") from None
        except KafkaError as error:
            raise _lost(error) from error
        ends: dict[TopicPartition, int] = {}
        for (place, count, _), sent in zip(batches, results, strict=True):
            ends[place] = max(ends.get(place, 0), sent.offset + count)
        return ends

    async def commit(self) -> None:
        """Commits; LaneLost also when it is not known whether that happened."""
        await self._end(self._producer.commit_transaction, "commit")

    async def abort(self) -> None:
        """Aborts, so that another transaction may begin."""
        await self._end(self._producer.abort_transaction, "abort")

    async def _end(self, end: Any, what: str) -> None:
        self._refuse_if_dead()
        try:
            async with asyncio.timeout(_COMMIT_SECONDS):
                await end()
        except TimeoutError:
            raise LaneLost(f"the outcome of a {what} is unknown after {_COMMIT_SECONDS:g} s") from None
        except KafkaError as error:
            raise _lost(error) from error

    def _refuse_if_dead(self) -> None:
        manager: Any = self._producer._txn_manager
        if manager.is_fatal_error():
            # aiokafka's own check is an assertion, which says nothing of the cause.
            raise _lost(_cause(self._producer))

    def _batches(self, records: Sequence[Out]) -> list[tuple[TopicPartition, Any]]:
        """One builder a partition, and another where it is full; far cheaper than a future for each record."""
        done: list[tuple[TopicPartition, Any]] = []
        open_: dict[TopicPartition, Any] = {}
        for out in records:
            place = TopicPartition(out.topic, out.partition)
            builder = open_.get(place)
            fields = {"timestamp": None, "key": out.key, "value": out.value, "headers": list(out.headers)}
            if builder is None or builder.append(**fields) is None:
                builder = self._producer.create_batch()
                builder.append(**fields)
                open_[place] = builder
                done.append((place, builder))
        return done

    async def _send_batch(self, place: TopicPartition, builder: Any) -> tuple[TopicPartition, int, Any]:
        count = builder.record_count()
        future = await self._producer.send_batch(builder, place.topic, partition=place.partition)
        return place, count, future


def _cause(producer: AIOKafkaProducer) -> BaseException:
    task = producer._sender.sender_task
    error = task.exception() if task is not None and task.done() and not task.cancelled() else None
    return error or KafkaError("the producer ended")


def _lost(error: BaseException) -> LaneLost:
    refused = isinstance(error, KafkaError) and not error.retriable and not isinstance(error, _NOT_THE_RECORDS)
    return LaneLost(str(error), fenced=isinstance(error, ProducerFenced), refused=refused)
