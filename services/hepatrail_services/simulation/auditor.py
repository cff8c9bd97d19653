"""What an auditor does: reads the events topic with a plain consumer and verifies the chain of every stream."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from hepatrail_events import codec
from hepatrail_events.codec import Link
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Verified:
    """Every stream's last link, and how many events of each type there are."""

    heads: Mapping[str, Link]
    types: Mapping[str, int]
    producers: tuple[str, ...]

    @property
    def events(self) -> int:
        """All events read."""
        return sum(self.types.values())


def verify_chains(values: Iterable[bytes]) -> Verified:
    """Follows each stream from its first event; raises the `InvalidMessage` of the first that does not follow.

    `values` are records' values, each stream's in its own order; hashes are taken over these very bytes.
    """
    heads: dict[str, Link] = {}
    types: Counter[str] = Counter()
    producers: set[str] = set()
    for value in values:
        recorded = codec.read(value)
        stream = recorded.envelope.stream
        heads[stream] = heads.get(stream, Link()).follow(recorded)
        types[recorded.envelope.type] += 1
        producers.add(recorded.envelope.producer)
    return Verified(dict(sorted(heads.items())), dict(types.most_common()), tuple(sorted(producers)))


async def read_all_events(bootstrap: str) -> tuple[bytes, ...]:
    """Every committed record of the events topic from its beginning to its present end, partition by partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(EVENTS, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        values: dict[TopicPartition, list[bytes]] = {partition: [] for partition in partitions}
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=200, max_records=_AT_ONCE)).items():
                values[partition] += [record.value or b"" for record in records if record.offset < ends[partition]]
    finally:
        await consumer.stop()
    return tuple(value for partition in partitions for value in values[partition])
