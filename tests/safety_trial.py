"""A trial whose log is written to a real Kafka bit by bit, and what the safety process makes of it."""

from dataclasses import replace

from aiokafka import TopicPartition

from builders.adverse_events import ae_reported
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.postgres import Dsns, connection
from log_commits import enrol, publish
from projection_kafka import eventually, write
from projection_log import LogRecord, LogWriter
from runtime_support import records
from safety_desk import ScriptedDesk, status_of
from safety_world import another, serious

SAE = serious(ae_reported(), "HOSPITALISATION")


class Trial:
    """A log that is written to Kafka bit by bit."""

    def __init__(self, kafka: str, *subjects: str) -> None:
        self.kafka = kafka
        self.log = LogWriter(61)
        publish(self.log)
        self.streams = {subject: enrol(self.log, subject) for subject in subjects}
        self._written = 0

    def report(self, subject: str, number: int) -> None:
        """A serious event."""
        self.log.commit(self.streams[subject], another(SAE, number))

    async def write(self) -> None:
        """Everything that is not written yet."""
        await write(self.kafka, self.log.records[self._written :])
        self._written = len(self.log.records)

    async def release(self, record: LogRecord) -> None:
        """Somebody decides that an unreadable record is passed over, where it stands in Kafka."""
        placed = next(each for each in await records(self.kafka, EVENTS) if each.value == record.value)
        self.log.release(replace(record, offset=placed.offset))
        await self.write()


async def has(desk: ScriptedDesk, count: int, seconds: float = 20.0) -> None:
    """Waits until the desk holds so many alerts."""

    async def there() -> bool:
        return len(desk.held) >= count

    await eventually(there, seconds)


async def settled(dsns: Dsns, kafka: str) -> None:
    """Waits until all that was written is behind the offsets; the marker of a transaction stands after its records."""
    async with Wire(kafka) as wire:
        ends = await wire.stable_ends(TopicPartition(EVENTS, number) for number in range(PARTITIONS))
    behind = {place.partition: end - 1 for place, end in ends.items() if end}

    async def there() -> bool:
        async with connection(dsns.owner) as link:
            rows = await link.fetch("SELECT partition, next_offset FROM hepatrail.safety_offset")
        return {row["partition"]: row["next_offset"] for row in rows} == behind

    await eventually(there)


async def shown(dsns: Dsns, subject: str) -> bool:
    """Whether the row says that this participant alone is parked or held."""
    row = await status_of(dsns)
    return (
        row is not None and not row.safety_healthy and [each["stream"] for each in row.parked] == [f"subject-{subject}"]
    )


async def well(dsns: Dsns) -> bool:
    """Whether the row says that nothing is."""
    row = await status_of(dsns)
    return row is not None and row.safety_healthy and row.parked == []
