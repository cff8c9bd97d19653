"""How fast a log is verified from Kafka, by the processor time of its one core, and what memory that takes."""

import asyncio
import gc
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from aiokafka import TopicPartition

from benchmarks.limits import Line
from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_infra.kafka_scan import Scan
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.verifier import verify
from long_log import LongLog
from projection_kafka import fresh_topics, producing

LIMIT = 50_000
"""Events a second on one core."""
STREAMS, ROUNDS = 400, 50
"""100,000 events at 5 a commit."""
SHORT, SINGLE = 10, 15
"""Rounds of the log that memory is compared with, and of the one with an event a transaction."""
_MEGABYTE = 1024 * 1024


async def measure_verification() -> list[Line]:
    """The lines of the report about verification."""
    with tempfile.TemporaryDirectory() as directory:
        kafka = EmbeddedKafka(Path(directory) / "kafka")
        try:
            return await _measure(await kafka.start())
        finally:
            await kafka.stop()


async def _measure(bootstrap: str) -> list[Line]:
    short = await _run(bootstrap, LongLog(streams=STREAMS, rounds=SHORT), 100)
    long = await _run(bootstrap, LongLog(streams=STREAMS, rounds=ROUNDS), 100)
    single = await _run(bootstrap, LongLog(streams=STREAMS, rounds=SINGLE, commit=1), 1)
    grown = (long.resident - short.resident) / _MEGABYTE
    more = long.events - short.events
    return [
        Line(
            f"verify {long.events:,} events, 5 a commit, 100 commits a transaction",
            f"{long.pace:,.0f} events/s of CPU ({long.wall:,.0f} by the clock)",
            f"{LIMIT:,} events/s",
            long.pace / LIMIT,
            1.0,
            at_most=False,
        ),
        Line(f"verify {single.events:,} events, 1 a transaction", f"{single.pace:,.0f} events/s of CPU", ""),
        Line(f"memory of verifying {more:,} events more", f"{grown:+.1f} MB", ""),
    ]


class _Run:
    """One verification: events, events a second of processor time and by the clock, bytes resident at its end."""

    def __init__(self, events: int, processor: float, clock: float) -> None:
        self.events = events
        self.pace, self.wall = events / processor, events / clock
        self.resident = psutil.Process().memory_info().rss


async def _run(bootstrap: str, log: LongLog, commits: int) -> _Run:
    await fresh_topics(bootstrap)
    async with asyncio.TaskGroup() as group:
        for partition in range(PARTITIONS):
            group.create_task(_write(bootstrap, log, partition, commits))
    gc.collect()
    processor, clock = time.process_time(), time.perf_counter()
    async with Scan(bootstrap) as scan:
        report = await verify(KafkaSource(scan))
    run = _Run(report.events, time.process_time() - processor, time.perf_counter() - clock)
    if not report.whole or report.events != log.events:
        raise RuntimeError(report.last_line())
    return run


async def _write(bootstrap: str, log: LongLog, partition: int, commits: int) -> None:
    """As a decider's lane does: all events of a transaction in one batch, up to `commits` commits a transaction."""
    everything = log.commits(partition)
    async with producing(bootstrap, f"bench-{partition}") as producer:
        while chosen := list(islice(everything, commits)):
            async with producer.transaction():
                await _send(producer, TopicPartition(EVENTS, partition), [row for rows in chosen for row in rows])


async def _send(producer: Any, place: TopicPartition, rows: Sequence[tuple[int, bytes | None, bytes | None]]) -> None:
    builder = producer.create_batch()
    for _, key, value in rows:
        headers = Envelope.from_json(parse_object(value or b"")).headers()
        fields = {"timestamp": None, "key": key, "value": value, "headers": headers}
        if builder.append(**fields) is None:
            await producer.send_batch(builder, place.topic, partition=place.partition)
            builder = producer.create_batch()
            builder.append(**fields)
    await producer.send_batch(builder, place.topic, partition=place.partition)
