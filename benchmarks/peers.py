"""The bare peers: the same bytes through the same servers by aiokafka alone, without rules, hashes or memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.measure import Ask

ANSWER_SIZE = 36


async def _topics(kafka: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 12, 1, topic_configs={"flush.messages": "1"}) for name in names])
    finally:
        await admin.close()


def _reader(kafka: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=None,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=500,
    )


def _writer(kafka: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", transactional_id=f"bench-{uuid4()}", compression_type="zstd"
    )


@asynccontextmanager
async def bare_transaction(kafka: str, event: bytes) -> AsyncIterator[Ask]:
    """One call is one transaction of one record, until a committed reader has it."""
    topic = f"bench-bare-{uuid4()}"
    await _topics(kafka, topic)
    reader, writer = _reader(kafka), _writer(kafka)
    await reader.start()
    await writer.start()
    reader.assign([TopicPartition(topic, partition) for partition in range(12)])

    async def ask(number: int) -> None:
        async with writer.transaction():
            await (await writer.send(topic, event, partition=number % 12))
        await reader.getone()

    try:
        yield ask
    finally:
        await writer.stop()
        await reader.stop()


@asynccontextmanager
async def bare_loop(kafka: str, command: bytes, event: bytes, decision: bytes) -> AsyncIterator[Ask]:
    """One call is a command produced, consumed, answered in one transaction a batch, and its answer read back."""
    run = uuid4()
    asked, happened, answered = (f"bench-{name}-{run}" for name in ("commands", "events", "decisions"))
    await _topics(kafka, asked, happened, answered)
    client = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True, compression_type="zstd")
    consumer, replies, writer = _reader(kafka), _reader(kafka), _writer(kafka)
    parts: tuple[Any, ...] = (client, consumer, replies, writer)
    for part in parts:
        await part.start()
    partitions = range(12)
    consumer.assign([TopicPartition(asked, partition) for partition in partitions])
    replies.assign([TopicPartition(answered, partition) for partition in partitions])
    waiting: dict[bytes, asyncio.Future[None]] = {}

    async def decide() -> None:
        while True:
            batches = await consumer.getmany(timeout_ms=1000, max_records=500)
            records = [record for batch in batches.values() for record in batch]
            if not records:
                continue
            async with writer.transaction():
                sends = []
                for record in records:
                    sends.append(await writer.send(happened, event, partition=record.partition))
                    answer = (record.value or b"")[:ANSWER_SIZE] + decision[ANSWER_SIZE:]
                    sends.append(await writer.send(answered, answer, partition=record.partition))
                await asyncio.gather(*sends)
                offsets = {tp: batch[-1].offset + 1 for tp, batch in batches.items()}
                await writer.send_offsets_to_transaction(offsets, f"bench-{run}")

    async def answer() -> None:
        while True:
            for batch in (await replies.getmany(timeout_ms=1000)).values():
                for record in batch:
                    waiting.pop((record.value or b"")[:ANSWER_SIZE]).set_result(None)

    async def ask(number: int) -> None:
        key = str(uuid4()).encode()
        waiting[key] = asyncio.get_running_loop().create_future()
        done = waiting[key]
        await client.send(asked, key + command[ANSWER_SIZE:], partition=number % 12)
        await done

    tasks = [asyncio.create_task(decide()), asyncio.create_task(answer())]
    try:
        yield ask
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for part in parts:
            await part.stop()


async def last_value(kafka: str, topic: str) -> bytes:
    """The value of the last committed record of a topic's fullest partition: real bytes for the peers to move."""
    reader = _reader(kafka)
    await reader.start()
    try:
        partitions = [TopicPartition(topic, partition) for partition in range(12)]
        reader.assign(partitions)
        value = b""
        while not value or any([await reader.position(tp) < reader.highwater(tp) for tp in partitions]):
            for batch in (await reader.getmany(timeout_ms=500)).values():
                value = batch[-1].value or b""
        return value
    finally:
        await reader.stop()
