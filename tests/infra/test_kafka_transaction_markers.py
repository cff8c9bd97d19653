"""What was committed stays committed, also when Kafka is killed before the markers of the transaction are written.

A broker that is alone has no leader for a moment when it comes back from kill -9, until its old session has ended.
Kafka 4.3.0 to 4.4.0 then takes the partitions for deleted and never writes the markers that are due (KAFKA-20734):
the records hang, and the next transaction of the same producer ends them with its own, perhaps by an abort.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_log import close_producer, make_producer

TOPIC = "facts"
PARTITIONS = 12
ROUNDS = 3

consumer_of: Any = AIOKafkaConsumer
admin_of: Any = AIOKafkaAdminClient
new_topic: Any = NewTopic


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    server = EmbeddedKafka(tmp_path / "kafka")
    yield server
    await server.stop()


async def committed(bootstrap: str) -> set[bytes]:
    consumer = consumer_of(bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        found: set[bytes] = set()
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found |= {record.value for record in records}
        return found
    finally:
        await consumer.stop()


async def send_everywhere(producer: Any, value: bytes) -> None:
    sends = [await producer.send(TOPIC, value + b"-%d" % number, partition=number) for number in range(PARTITIONS)]
    await asyncio.gather(*sends)


async def test_a_commit_survives_kafka_killed_before_its_markers_are_written(server: EmbeddedKafka) -> None:
    bootstrap = await server.start()
    admin = admin_of(bootstrap_servers=bootstrap)
    await admin.start()
    # Each append is flushed, as on the topics of the log: writing twelve markers takes a while.
    settings = {"flush.messages": "1"}
    await admin.create_topics(
        [new_topic(TOPIC, num_partitions=PARTITIONS, replication_factor=1, topic_configs=settings)]
    )
    await admin.close()
    producer = make_producer(bootstrap, "lane")
    await producer.start()
    expected: set[bytes] = set()
    for number in range(ROUNDS):
        value = b"kept-%d" % number
        await producer.begin_transaction()
        await send_everywhere(producer, value)
        await producer.commit_transaction()
        psutil.Process(server.pid).send_signal(signal.SIGKILL)
        expected |= {value + b"-%d" % partition for partition in range(PARTITIONS)}
        await server.wait()
        bootstrap = await server.start()
        await producer.begin_transaction()
        await send_everywhere(producer, b"aborted")
        await producer.abort_transaction()
        assert await committed(bootstrap) == expected
    await close_producer(producer)
