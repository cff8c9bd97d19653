"""Reading the log from its beginning: silently up to what was reacted to, then as the live tail does."""

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import LogShorter
from hepatrail_events.streams import NEVER_PARKED
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_log import LogReader, Record, partition_of
from hepatrail_infra.kafka_wire import Wire
from hepatrail_projections.records import content_of, read_ahead
from hepatrail_services.safety.intake import released_place
from hepatrail_services.safety.ledger import ReadTo
from hepatrail_services.safety.reactor import Reactor

FOLLOWED: tuple[TopicPartition, ...] = (
    *(TopicPartition(EVENTS, number) for number in range(PARTITIONS)),
    TopicPartition(QUARANTINE, 0),
)
"""Every partition that the safety process reads."""

_RELEASES = TopicPartition(QUARANTINE, 0)
_WAIT_MS = 100
_BATCH_RECORDS = 5_000
_NEAR_THE_END = 500


async def catch_up(reactor: Reactor, bootstrap: str, read_to: Mapping[int, ReadTo]) -> None:
    """Works in the log until its end is near.

    What was released is read first, then study and desk, so that every commit finds the study it was decided under
    and every alert the desk that may hold it. Raises LogShorter when the log is not the one that was reacted to.
    """
    await _check_ends(bootstrap, read_to)
    await _read_ahead_of_all(reactor, bootstrap)
    reactor.commons.read.set()
    reader, checks = LogReader(bootstrap), _LastRecords(read_to)
    await reader.start(dict.fromkeys(FOLLOWED))
    try:
        while True:
            arrived = await reader.getmany(_WAIT_MS, _BATCH_RECORDS)
            for partition, records in arrived.items():
                checks.look(partition, records)
            await reactor.take(await read_ahead([each for records in arrived.values() for each in records]))
            if await _near(reader) and await checks.passed(reader):
                break
        checks.all_found()
        for partition in FOLLOWED:
            reactor.next_offsets.setdefault(partition, 0)
        reactor.caught_up()
    finally:
        await reader.stop()


async def _check_ends(bootstrap: str, read_to: Mapping[int, ReadTo]) -> None:
    async with Wire(bootstrap) as wire:
        ends = await wire.stable_ends(FOLLOWED)
    for each in read_to.values():
        end = ends[TopicPartition(EVENTS, each.partition)]
        if end < each.next_offset:
            raise LogShorter(
                f"LOG_SHORTER: {EVENTS}/{each.partition} ends at {end}, but records before {each.next_offset} were "
                "reacted to."
            )


async def _read_ahead_of_all(reactor: Reactor, bootstrap: str) -> None:
    released, commons = reactor.intake.released, reactor.commons

    async def take_releases(records: list[Record]) -> None:
        released.update(place for each in records if (place := released_place(each)) is not None)

    async def take_commons(records: list[Record]) -> None:
        keys = {stream.encode() for stream in NEVER_PARKED}
        for each in await read_ahead([record for record in records if record.key in keys]):
            event = content_of(each)
            if event.stream in NEVER_PARKED:
                commons.fold(event, released)

    homes = {TopicPartition(EVENTS, partition_of(stream)) for stream in NEVER_PARKED}
    for partitions, take in (({_RELEASES}, take_releases), (homes, take_commons)):
        reader = LogReader(bootstrap)
        await reader.start(dict.fromkeys(partitions))
        try:
            await reader.read_to_end(take)
        finally:
            await reader.stop()


async def _near(reader: LogReader) -> bool:
    behind = 0
    for partition in reader.partitions:
        stable = reader.last_stable_offset(partition)
        if stable is None:
            return False
        behind += max(0, stable - await reader.position(partition))
    return behind <= _NEAR_THE_END


class _LastRecords:
    """Compares the last record of each partition that was reacted to with what stands there now."""

    def __init__(self, read_to: Mapping[int, ReadTo]) -> None:
        self._wanted = {TopicPartition(EVENTS, each.partition): each for each in read_to.values()}

    def look(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Takes a fetch in; LogShorter when another record stands there, or none."""
        wanted = self._wanted.get(partition)
        if wanted is None or records[-1].offset < wanted.next_offset - 1:
            return
        found = next((each for each in records if each.offset == wanted.next_offset - 1), None)
        if found is None or sha256_hex(found.value or b"") != wanted.last_hash:
            raise self._replaced(wanted)
        del self._wanted[partition]

    async def passed(self, reader: LogReader) -> bool:
        """Whether the reader is past all of them: what remains near the end may hold one that was not looked at yet."""
        return all([await reader.position(each) >= wanted.next_offset for each, wanted in self._wanted.items()])

    def all_found(self) -> None:
        """LogShorter when a partition was read past where its last record should stand, and it did not come."""
        for wanted in self._wanted.values():
            raise self._replaced(wanted)

    def _replaced(self, wanted: ReadTo) -> LogShorter:
        return LogShorter(
            f"LOG_SHORTER: {EVENTS}/{wanted.partition} does not hold at {wanted.next_offset - 1} the record that was "
            "reacted to."
        )
