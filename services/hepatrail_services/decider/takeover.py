"""Taking a lane over, in the one order that is safe (DESIGN section 2, fact 3)."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import Unavailable
from hepatrail_events.streams import is_stream
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import LogReader, Record, close_producer, make_producer, partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_infra.kafka_wire import Wire
from hepatrail_services.decider import metrics
from hepatrail_services.decider.lanes import Lane, sharing
from hepatrail_services.decider.memory import PartitionMemory, StreamState
from hepatrail_services.decider.setting import GROUP, Setting, commands
from hepatrail_services.decider.writer import LaneWriter

_log = logging.getLogger(__name__)

_PATIENCE = 30.0
_PAUSE = 0.02
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """A lane that may be served: its writer, and a reader that stands at the first undecided command."""

    writer: LaneWriter
    reader: LogReader


async def take_over(lane: Lane, setting: Setting, memories: Mapping[int, PartitionMemory]) -> Taken:
    """Makes this process the only writer of the lane and brings the memories up to the end of the log.

    Shut out whoever wrote until now, whatever their layout -> read the committed offsets again -> read events and
    decisions to their end, folding -> only then serve. Raises LaneLost when the group no longer counts this
    process among its members, Unavailable, LogShorter, Halted, StartRefused.
    """
    await setting.confirm()
    async with Wire(setting.bootstrap) as wire:
        others = [other for other in sharing(lane) if other != lane]
        await asyncio.gather(*(wire.fence(other.transactional_id) for other in others))
        writer = LaneWriter(await _start_producer(setting.bootstrap, lane.transactional_id))
        try:
            positions = await _positions(wire, lane)
            await _fold(wire, setting.bootstrap, lane, memories)
            reader = LogReader(setting.bootstrap)
            await reader.start(positions)
        except BaseException:
            await writer.close()
            raise
    return Taken(writer, reader)


async def _start_producer(bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    producer = make_producer(bootstrap, transactional_id)
    try:
        async with asyncio.timeout(_PATIENCE):
            await producer.start()
            for topic in (EVENTS, DECISIONS, QUARANTINE):
                await producer.partitions_for(topic)
    except (KafkaError, TimeoutError) as error:
        await close_producer(producer)
        raise Unavailable(f"the producer of {transactional_id} did not start: {error}") from error
    except BaseException:
        await close_producer(producer)
        raise
    return producer


async def _positions(wire: Wire, lane: Lane) -> dict[TopicPartition, int | None]:
    """Where the lane's commands are to be read on: what is committed, None for the beginning."""
    places = [commands(partition) for partition in lane.partitions]
    committed = await wire.committed(GROUP, places)
    first = await wire.beginnings(places)
    positions: dict[TopicPartition, int | None] = {}
    for place in places:
        offset = committed.get(place)
        if offset is not None and offset < first[place]:
            metrics.EXPIRED_COMMANDS.inc(first[place] - offset)
            _log.error("%d records of %s/%d left Kafka undecided", first[place] - offset, place.topic, place.partition)
            offset = None
        positions[place] = offset
    return positions


async def _fold(wire: Wire, bootstrap: str, lane: Lane, memories: Mapping[int, PartitionMemory]) -> None:
    """Reads events and decisions on from where each memory stands, to the end of the log."""
    positions = {
        place: offset for partition in lane.partitions for place, offset in memories[partition].positions.items()
    }
    await _until_settled(wire, positions)

    async def take(records: list[Record]) -> None:
        for number, record in enumerate(records):
            memories[record.partition].fold(record)
            memories[record.partition].positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
            if number % _CHUNK == _CHUNK - 1:
                # Heartbeats and other lanes go on meanwhile.
                await asyncio.sleep(0)

    reader = LogReader(bootstrap)
    try:
        await reader.start(positions)
        await reader.read_to_end(take)
    finally:
        await reader.stop()


async def _until_settled(wire: Wire, places: Mapping[TopicPartition, int | None]) -> None:
    """Waits until no transaction is open: behind one, committed events would stay unseen."""
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                if await wire.stable_ends(places) == await wire.ends(places):
                    return
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise Unavailable(f"a transaction on the log has been open for {_PATIENCE:g} s") from None


async def refold(setting: Setting, partition: int, streams: Mapping[str, Place]) -> dict[str, StreamState]:
    """Folds streams of a partition once more from their beginning, after records of theirs were released."""
    found = {name: setting.folder.initial(name) for name in streams}

    async def take(records: list[Record]) -> None:
        for record in records:
            name = (record.key or b"").decode("ascii", "replace")
            if name in found and is_stream(name) and partition_of(name) == partition:
                place = Place(record.topic, record.partition, record.offset)
                found[name] = setting.folder.fold(name, found[name], place, record.value)

    reader = LogReader(setting.bootstrap)
    try:
        await reader.start({TopicPartition(EVENTS, partition): None})
        await reader.read_to_end(take)
    finally:
        await reader.stop()
    return found
