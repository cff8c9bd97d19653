"""Reading the log as an auditor does: a plain consumer, bytes and hashes, none of the product's readers."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from hepatrail_infra.kafka_clients import settings

EVENTS = "hepatrail.events"
DECISIONS = "hepatrail.decisions"


async def committed(kafka: str, topic: str) -> list[Any]:
    """Every committed record of a topic, in order a partition."""
    consumer = AIOKafkaConsumer(
        **settings(kafka), group_id=None, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        if not partitions:
            partitions = [TopicPartition(topic, number) for number in range(12)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records.extend(batch)
        return records
    finally:
        await consumer.stop()


@dataclass
class Logbook:
    """The events of a log by stream, verified while read."""

    streams: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    async def read(cls, kafka: str) -> "Logbook":
        """Reads the whole log; AssertionError at the first gap or broken link."""
        book = cls()
        heads: dict[str, tuple[int, str]] = defaultdict(lambda: (0, "0" * 64))
        for record in await committed(kafka, EVENTS):
            event = json.loads(record.value)
            stream = event["subject"]
            seq, last = heads[stream]
            assert event["streamseq"] == seq + 1, f"{stream}: {event['streamseq']} after {seq}"
            assert event["prevhash"] == last, f"{stream}@{event['streamseq']}: broken chain"
            heads[stream] = (seq + 1, hashlib.sha256(record.value).hexdigest())
            book.streams[stream].append(event)
        return book

    def events(self) -> list[dict[str, Any]]:
        """All events, stream by stream."""
        return [event for stream in self.streams.values() for event in stream]

    def by_command(self) -> dict[str, list[dict[str, Any]]]:
        """Events by the command that caused them."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.events():
            found[event["commitid"]].append(event)
        return found
