"""A real Kafka as tests of projections use it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import TOPICS, ensure_topics
from hepatrail_infra.kafka_log import make_producer
from hepatrail_infra.kafka_wire import Wire
from projection_log import LogRecord, produce


@asynccontextmanager
async def started_kafka(directory: Path) -> AsyncIterator[EmbeddedKafka]:
    """A node that runs, without topics; it ends with the block, whatever was done to it."""
    node = EmbeddedKafka(directory)
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


async def fresh_topics(bootstrap: str) -> None:
    """Deletes the topics and makes them again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [spec.name for spec in TOPICS]
        existing = set(await admin.list_topics()) & set(names)
        if existing:
            await admin.delete_topics(sorted(existing))
        await eventually(lambda: _gone(admin, names))
    finally:
        await admin.close()
    await ensure_topics(bootstrap)


async def _gone(admin: AIOKafkaAdminClient, names: list[str]) -> bool:
    return not set(await admin.list_topics()) & set(names)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def producing(bootstrap: str, name: str = "hepatrail-test") -> AsyncIterator[AIOKafkaProducer]:
    """A transactional producer."""
    producer = make_producer(bootstrap, name)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(bootstrap: str, records: Iterable[LogRecord]) -> None:
    """Sends the records in one transaction; afterwards every reader sees them."""
    async with producing(bootstrap) as producer:
        await produce(producer, records)
    await settled(bootstrap)


async def settled(bootstrap: str) -> None:
    """Waits for the end of all transactions: Kafka writes their markers after it has acknowledged the commit."""
    places = [TopicPartition(spec.name, partition) for spec in TOPICS for partition in range(spec.partitions)]

    async def holds() -> bool:
        return await wire.stable_ends(places) == await wire.ends(places)

    async with Wire(bootstrap) as wire:
        await eventually(holds)
