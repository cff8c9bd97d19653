"""Raw fetches give the very records that a consumer gives."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from hepatrail_events.errors import LogShorter, Unavailable
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, MAX_RECORD_BYTES
from hepatrail_infra.kafka_log import Record, make_producer, read_to_end
from hepatrail_infra.kafka_scan import BadBatch, Scan
from projection_kafka import fresh_topics, producing, settled


async def scanned(bootstrap: str, partition: int, start: int | None = None, end: int | None = None) -> list[object]:
    """All rows with headers; the plain ones must be the same."""
    async with Scan(bootstrap) as scan:
        whole = [row async for rows in scan.with_headers(EVENTS, partition, start, end) for row in rows]
        plain = [row async for rows in scan.batches(EVENTS, partition, start, end) for row in rows]
    assert plain == [row[:3] for row in whole]
    return list(whole)


async def consumed(bootstrap: str, partition: int) -> list[object]:
    """The same as a consumer gives them."""
    found: list[object] = []

    async def take(records: list[Record]) -> None:
        found.extend((each.offset, each.key, each.value, tuple(each.headers)) for each in records)

    await read_to_end(bootstrap, EVENTS, [partition], {}, take)
    return found


async def send(producer: AIOKafkaProducer, partition: int, *values: bytes | None) -> None:
    for value in values:
        await producer.send(EVENTS, value, key=b"k", partition=partition, headers=[("ce_type", value or b"")])
    await producer.flush()


async def test_a_scan_reads_what_a_consumer_reads(kafka: str) -> None:
    async with producing(kafka, "one") as one, producing(kafka, "two") as two:
        for number in range(30):
            await one.begin_transaction()
            await two.begin_transaction()
            await send(one, 3, *[f"one {number}.{each}".encode() for each in range(number % 7 + 1)])
            await send(two, 3, *[f"two {number}.{each}".encode() for each in range(number % 3 + 1)])
            await (one.abort_transaction() if number % 4 == 1 else one.commit_transaction())
            await (two.abort_transaction() if number % 5 == 2 else two.commit_transaction())
    plain = make_producer(kafka)
    await plain.start()
    await send(plain, 3, b"", None, b"behind")
    await plain.stop()
    await settled(kafka)
    found = await scanned(kafka, 3)
    assert found == await consumed(kafka, 3)
    assert len(found) > 100 and not any("one 1." in str(row) for row in found)
    assert await scanned(kafka, 4) == await consumed(kafka, 4) == []


async def test_an_open_transaction_is_not_read_and_nothing_behind_it(kafka: str) -> None:
    async with producing(kafka, "whole") as whole, producing(kafka, "open") as opened:
        await whole.begin_transaction()
        await send(whole, 3, b"before")
        await whole.commit_transaction()
        await settled(kafka)
        await opened.begin_transaction()
        await send(opened, 3, b"open")
        await whole.begin_transaction()
        await send(whole, 3, b"behind")
        await whole.commit_transaction()
        async with Scan(kafka) as scan:
            ends = await scan.ends(EVENTS)
            assert ends[3] == 2 and ends[0] == 0 and len(ends) == 12
            values = [row[2] async for rows in scan.batches(EVENTS, 3) for row in rows]
        assert values == [b"before"]
        await opened.abort_transaction()
    await settled(kafka)
    found = await scanned(kafka, 3)
    assert len(found) == 2 and "before" in str(found[0]) and "behind" in str(found[1])
    assert found == await consumed(kafka, 3)


async def test_records_of_any_size_are_read_in_few_fetches(kafka: str) -> None:
    plain = make_producer(kafka)
    await plain.start()
    large = [bytes([number]) * (MAX_RECORD_BYTES - 1000) for number in range(12)]
    for value in large:
        await send(plain, 3, value, b"small")
    await send(plain, 3, *[b"%d" % number * 50 for number in range(5000)])
    await plain.stop()
    await settled(kafka)
    found = await scanned(kafka, 3)
    assert found == await consumed(kafka, 3) and len(found) == 5024


async def test_a_scan_begins_and_ends_where_it_is_told(kafka: str) -> None:
    plain = make_producer(kafka)
    await plain.start()
    await send(plain, 3, *[b"%d" % number for number in range(100)])
    await plain.stop()
    whole = await scanned(kafka, 3)
    assert await scanned(kafka, 3, 40, 60) == whole[40:60]
    assert await scanned(kafka, 3, 99) == whole[99:]
    assert await scanned(kafka, 3, 100) == await scanned(kafka, 3, 60, 60) == []
    with pytest.raises(LogShorter, match="LOG_SHORTER"):
        await scanned(kafka, 3, 101)


async def test_a_scan_that_is_left_early_closes_its_connection(kafka: str) -> None:
    plain = make_producer(kafka)
    await plain.start()
    for _ in range(20):
        await send(plain, 3, *[b"x" * 500_000 for _ in range(2)])
    await plain.stop()
    async with Scan(kafka) as scan:
        batches = scan.batches(EVENTS, 3)
        assert await anext(batches)
        await batches.aclose()  # type: ignore[attr-defined]
        assert [row async for rows in scan.batches(DECISIONS, 0) for row in rows] == []


async def test_without_kafka_a_scan_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with Scan("127.0.0.1:9"):
            raise AssertionError


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    server = EmbeddedKafka(tmp_path / "kafka")
    yield server
    await server.stop()


async def test_aud_06_a_byte_flipped_in_a_segment_is_named(node: EmbeddedKafka, tmp_path: Path) -> None:
    bootstrap = await node.start()
    await fresh_topics(bootstrap)
    async with producing(bootstrap) as producer:
        for number in range(3):
            await producer.begin_transaction()
            await send(producer, 3, b"commit %d" % number)
            await producer.commit_transaction()
    await settled(bootstrap)
    await node.stop()
    (segment,) = (tmp_path / "kafka").rglob(f"{EVENTS}-3/*.log")
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    bootstrap = await node.start()
    found: list[bytes | None] = []
    with pytest.raises(BadBatch, match=f"{EVENTS}/3@[0-9] are not") as caught:
        async with Scan(bootstrap) as scan:
            async for rows in scan.batches(EVENTS, 3):
                found += [row[2] for row in rows]
    assert caught.value.code == "BAD_CRC" and len(found) < 3
    assert all(row is not None and row.startswith(b"commit") for row in found)
