"""Placing, reading and fencing on a real Kafka."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.producer import sender

from hepatrail_events.errors import InvalidMessage, LogShorter, Unavailable
from hepatrail_infra.kafka_admin import COMMANDS, DECISIONS, EVENTS
from hepatrail_infra.kafka_lag import DECIDER_GROUP, UndecidedWatch
from hepatrail_infra.kafka_log import (
    LogReader,
    Record,
    close_producer,
    make_producer,
    partition_of,
    read_to_end,
)
from hepatrail_infra.kafka_quarantine import Quarantined, Released, encode_raw, read_quarantine, record_bytes
from hepatrail_infra.kafka_wire import UNKNOWN_MEMBER_ID, Wire


async def write(bootstrap: str, topic: str, partition: int, *values: bytes) -> int:
    """Writes records and returns the offset of the last."""
    producer = make_producer(bootstrap)
    await producer.start()
    sent = None
    for value in values:
        sent = await producer.send_and_wait(topic, value, partition=partition)
    await producer.stop()
    assert sent is not None
    return int(sent.offset)


# From the tests of the Java client (org.apache.kafka.common.utils.UtilsTest).
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA.items())
def test_a_stream_is_placed_as_java_clients_place_its_key(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF
    assert partition_of(key.decode()) == (hashed & 0x7FFFFFFF) % 12


def test_placement_is_frozen_for_life() -> None:
    streams = ("study", "safety-desk", "subject-P001", "subject-01-701-1015")
    assert {stream: partition_of(stream) for stream in streams} == {
        "study": 11,
        "safety-desk": 10,
        "subject-P001": 5,
        "subject-01-701-1015": 4,
    }


async def test_brokers_place_a_key_where_we_say(shared_kafka: str) -> None:
    producer = make_producer(shared_kafka)
    await producer.start()
    for number in range(20):
        stream = f"subject-Q{number}"
        sent = await producer.send_and_wait(COMMANDS, b"x", key=stream.encode())
        assert sent.partition == partition_of(stream)
    await producer.stop()


async def test_producers_wait_2_ms_between_transactions(shared_kafka: str) -> None:
    make_producer_ = make_producer(shared_kafka)
    assert sender.BACKOFF_OVERRIDE == 0.002
    await close_producer(make_producer_)


async def test_readers_see_what_was_committed_and_nothing_else(shared_kafka: str) -> None:
    producer = make_producer(shared_kafka, "test-committed")
    await producer.start()
    async with producer.transaction():
        await producer.send(EVENTS, b"kept", partition=2)
    await producer.begin_transaction()
    await producer.send(EVENTS, b"dropped", partition=2)
    await producer.flush()
    await producer.abort_transaction()
    await producer.begin_transaction()
    await producer.send(EVENTS, b"open", partition=2)
    await producer.flush()
    found: list[Record] = []

    async def take(records: list[Record]) -> None:
        found.extend(records)

    ends = await read_to_end(shared_kafka, EVENTS, [2, 3], {}, take)
    assert [record.value for record in found] == [b"kept"]
    await producer.abort_transaction()
    async with asyncio.timeout(20):
        # The marker is written after the abort was answered.
        while (later := await read_to_end(shared_kafka, EVENTS, [2, 3], ends, take))[2] == ends[2]:
            await asyncio.sleep(0.05)
    assert [record.value for record in found] == [b"kept"]
    assert later[3] == ends[3] == 0
    await producer.stop()


async def test_reading_goes_on_from_a_stored_offset(shared_kafka: str) -> None:
    last = await write(shared_kafka, EVENTS, 6, *(str(n).encode() for n in range(10)))
    found: list[bytes | None] = []

    async def take(records: list[Record]) -> None:
        found.extend(record.value for record in records)

    assert await read_to_end(shared_kafka, EVENTS, [6], {6: last - 2}, take) == {6: last + 1}
    assert found == [b"7", b"8", b"9"]


async def test_a_stored_offset_outside_the_log_halts_the_reader(shared_kafka: str) -> None:
    async def take(records: list[Record]) -> None:
        raise AssertionError

    last = await write(shared_kafka, DECISIONS, 1, b"x")
    with pytest.raises(LogShorter, match=rf"LOG_SHORTER: .*decisions/1 holds offsets 0 to {last + 1}, .* stored 99"):
        await read_to_end(shared_kafka, DECISIONS, [1], {1: 99}, take)
    reader = LogReader(shared_kafka)
    place = TopicPartition(DECISIONS, 1)
    await reader.start({place: last + 1})
    with pytest.raises(LogShorter):
        await reader.seek(place, last + 2)
    await reader.seek(place, last)
    assert [r.value for batch in (await reader.getmany()).values() for r in batch] == [b"x"]
    await reader.stop()


async def test_a_reader_shows_position_stable_offset_and_high_watermark(shared_kafka: str) -> None:
    reader, place = LogReader(shared_kafka), TopicPartition(EVENTS, 9)
    await reader.start_at_end([place])
    assert reader.partitions == (place,)
    producer = make_producer(shared_kafka, "test-open")
    await producer.start()
    await producer.begin_transaction()
    await producer.send(EVENTS, b"x", partition=9)
    await producer.flush()
    async with asyncio.timeout(10):
        while reader.highwater(place) != 1:
            assert await reader.getmany(timeout_ms=50) == {}
    assert (await reader.position(place), reader.last_stable_offset(place)) == (0, 0)
    assert reader.last_fetch(place) is not None
    await producer.commit_transaction()
    found = []
    async with asyncio.timeout(10):
        while await reader.position(place) != 2:
            found += [r.value for batch in (await reader.getmany(timeout_ms=50)).values() for r in batch]
    assert found == [b"x"]
    await producer.stop()
    await reader.stop()


async def test_fencing_ends_the_transaction_of_who_was_there(shared_kafka: str) -> None:
    old = make_producer(shared_kafka, "test-fence")
    await old.start()
    await old.begin_transaction()
    await (await old.send(EVENTS, b"x", partition=10))
    place = TopicPartition(EVENTS, 10)
    async with Wire(shared_kafka) as wire:
        assert await wire.stable_ends([place]) == {place: 0}
        await asyncio.gather(*(wire.fence("test-fence") for _ in range(5)))
        assert await wire.stable_ends([place]) == await wire.ends([place])
        assert await wire.beginnings([place]) == {place: 0}
    with pytest.raises(KafkaError, match=r"Fenced|Epoch"):
        await old.commit_transaction()
    await close_producer(old)


async def test_a_heartbeat_of_nobody_is_told_so(shared_kafka: str) -> None:
    async with Wire(shared_kafka) as wire:
        # Until it has loaded its group, a coordinator answers every heartbeat with yes.
        await wire.committed("test-group", [TopicPartition(COMMANDS, 0)])
        assert await wire.heartbeat("test-group", 1, "nobody", "decider-0") == UNKNOWN_MEMBER_ID


async def test_without_kafka_everything_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Wire("127.0.0.1:9").start()
    with pytest.raises(Unavailable):
        await LogReader("127.0.0.1:9").start({TopicPartition(EVENTS, 0): None})
    with pytest.raises(Unavailable, match="not started"):
        await LogReader("127.0.0.1:9").getmany()


async def test_undecided_commands_are_timed_a_partition(shared_kafka: str) -> None:
    now = [100.0]
    watch = UndecidedWatch(shared_kafka, clock=lambda: now[0])
    producer = make_producer(shared_kafka, "test-lag")
    await producer.start()

    async def decided(partition: int, offset: int) -> None:
        await producer.begin_transaction()
        await producer.send_offsets_to_transaction({TopicPartition(COMMANDS, partition): offset}, DECIDER_GROUP)
        await producer.commit_transaction()

    async with Wire(shared_kafka) as wire:
        for place, end in (await wire.ends([TopicPartition(COMMANDS, p) for p in range(12)])).items():
            await decided(place.partition, end)
    assert await watch.look() == {}
    last = await write(shared_kafka, COMMANDS, 4, b"a", b"b")
    assert await watch.look() == {4: 0.0}
    now[0] += 9
    assert watch.ready(await watch.look())
    now[0] += 2
    assert not watch.ready(await watch.look())
    await decided(4, last)
    assert await watch.look() == {4: 0.0}, "the next one has its own time"
    await decided(4, last + 1)
    assert await watch.look() == {}
    await producer.stop()


def test_quarantine_records_keep_the_very_bytes() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    kept = Quarantined(
        topic=EVENTS,
        partition=3,
        offset=9,
        stream="study",
        code="NOT_JSON",
        reason="?",
        raw=encode_raw(b"\x00\xff"),
        at=now,
    )
    assert read_quarantine(record_bytes(kept)) == kept
    assert kept.value() == b"\x00\xff"
    released = Released(stream="subject-P01", partition=3, offset=9, reason="looked at", by="admin", at=now)
    assert read_quarantine(record_bytes(released)) == released
    for raw in (b"?", b"{}", b'{"kind":"released"}'):
        with pytest.raises(InvalidMessage):
            read_quarantine(raw)
