"""Catching up with the log: a plain `getmany` loop over the same `apply` as the live tail, in larger batches."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import LogShorter
from hepatrail_infra.kafka_log import LogReader, Record
from hepatrail_infra.kafka_wire import Wire
from hepatrail_projections.collecting import without_gc
from hepatrail_projections.completeness import Seen
from hepatrail_projections.engine import Engine
from hepatrail_projections.records import ReadRecord, read_ahead

Progress = Callable[[int, int], None]
"""Called with the offsets projected and the offsets there are, over all partitions."""

BATCH_RECORDS = 5_000
_BATCH_BYTES = 32 * 1024 * 1024
_WAIT_MS = 100


class CheckedLog:
    """The log from the engine's offsets on; finds out whether it is the one that the engine has read.

    Reading begins at the last record that was projected, whose hash is compared: `LOG_SHORTER` when the log ends
    before it, or another record stands there.
    """

    def __init__(self, engine: Engine, bootstrap: str) -> None:
        self._engine = engine
        self._bootstrap = bootstrap
        self._reader = LogReader(bootstrap)
        self._unchecked = dict(engine.last_records)
        self._delivered: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> "CheckedLog":
        async with Wire(self._bootstrap) as wire:
            ends = await wire.stable_ends(self._engine.next_offsets)
        for partition, (offset, _) in self._unchecked.items():
            if ends[partition] <= offset:
                raise LogShorter(
                    f"LOG_SHORTER: {partition.topic}/{partition.partition} ends at {ends[partition]}, but what "
                    f"stood at {offset} was projected."
                )
        last = {partition: offset for partition, (offset, _) in self._unchecked.items()}
        await self._reader.start({tp: last.get(tp, offset) for tp, offset in self._engine.next_offsets.items()})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.stop()

    async def getmany(self, timeout_ms: int, max_records: int) -> list[Record]:
        """The next records of all partitions, those of each in order."""
        arrived: list[Record] = []
        for partition, records in (await self._reader.getmany(timeout_ms, max_records)).items():
            self._delivered[partition] = records[-1].offset
            arrived += self._check(partition, records) if partition in self._unchecked else records
        return arrived

    async def seen(self) -> dict[TopicPartition, Seen]:
        """What the last fetches showed."""
        reader = self._reader
        return {
            partition: Seen(
                position=await reader.position(partition),
                stable=reader.last_stable_offset(partition),
                high=reader.highwater(partition),
                fetched_at=reader.last_fetch(partition),
                delivered=self._delivered.get(partition),
            )
            for partition in reader.partitions
        }

    @property
    def checked(self) -> bool:
        """Whether the last projected record of every partition was found."""
        return not self._unchecked

    def _check(self, partition: TopicPartition, records: list[Record]) -> list[Record]:
        offset, known = self._unchecked.pop(partition)
        first = records[0]
        if first.offset != offset or sha256_hex(first.value or b"") != known:
            raise LogShorter(
                f"LOG_SHORTER: {partition.topic}/{partition.partition} does not hold at {offset} the record that was "
                "projected from there."
            )
        return records[1:]


async def catch_up(engine: Engine, bootstrap: str, *, until_behind: int = 0, progress: Progress | None = None) -> None:
    """Projects everything until at most `until_behind` offsets remain.

    Raises LogShorter, Unavailable, and what `apply` raises.
    """
    async with CheckedLog(engine, bootstrap) as log:
        batch = await _fill(log)
        while True:
            batch = await apply_and_read(engine, batch, _fill(log)) if batch else await _fill(log)
            seen = await log.seen()
            await engine.idle(seen)
            remaining = _remaining(seen)
            if progress is not None:
                progress(sum(each.position for each in seen.values()), sum(each.stable or 0 for each in seen.values()))
            if log.checked and remaining is not None and remaining <= until_behind:
                await engine.apply(batch)
                return


async def apply_and_read(
    engine: Engine, batch: Sequence[ReadRecord], reading: Coroutine[Any, Any, list[ReadRecord]]
) -> list[ReadRecord]:
    """Projects a batch while the next one is read: Postgres works on one, this process on the other."""
    ahead = asyncio.create_task(reading)
    try:
        with without_gc():
            await engine.apply(batch)
    except BaseException:
        ahead.cancel()
        await asyncio.wait([ahead])
        raise
    return await ahead


async def _fill(log: CheckedLog) -> list[ReadRecord]:
    """A batch: what is there, until it is large enough."""
    records: list[ReadRecord] = []
    size = 0
    while len(records) < BATCH_RECORDS and size < _BATCH_BYTES:
        arrived = await log.getmany(0 if records else _WAIT_MS, BATCH_RECORDS - len(records))
        if not arrived:
            break
        records += await read_ahead(arrived)
        size += sum(len(each.value or b"") for each in arrived)
    return records


def _remaining(seen: Mapping[TopicPartition, Seen]) -> int | None:
    """How many offsets are left to read, None while a partition has not answered yet."""
    left = 0
    for each in seen.values():
        if each.stable is None:
            return None
        left += max(0, each.stable - each.position)
    return left
