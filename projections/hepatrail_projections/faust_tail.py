"""The live tail of the projector: a five-line agent over `apply`."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_projections.engine import Engine
from hepatrail_projections.faust_transport import TailApp, agent_options, tail_running
from hepatrail_projections.records import READ_TOPICS, RawRecord

GROUP = "hepatrail-projector"
_TOPICS = (EVENTS, DECISIONS, QUARANTINE)
_BATCH = 500
_QUEUE = 4 * _BATCH
_TICK = 0.25
_TURNS = 10
_SILENT_SECONDS = 5.0
_FAR_BEHIND = 5_000


class _EngineOffsets:
    """The engine's offsets are those of Postgres: no other projector moves them without the engine's failing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def stored(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where the tables end."""
        offsets = self._engine.next_offsets
        return {partition: offsets[partition] for partition in partitions}

    def known(self, partition: TopicPartition) -> int | None:
        """Where the tables end."""
        return self._engine.next_offsets.get(partition)


async def follow(engine: Engine, bootstrap: str, healthy: asyncio.Event) -> None:
    """Projects what is written from now on, until cancelled; returns when the log runs away from it.

    `healthy` is set while records can be fetched. Raises Unavailable when Kafka is away or the app crashed for it, any
    other crash as it is, and what `apply` raises.
    """
    queue: asyncio.Queue[RawRecord] = asyncio.Queue(_QUEUE)

    def register(app: faust.App, topic: Any) -> None:
        @app.agent(topic, **agent_options())
        async def project(stream: Any) -> None:
            async for event in stream.events():
                await queue.put(event.message)

    async with tail_running(bootstrap, GROUP, _TOPICS, _EngineOffsets(engine), register) as tail:
        await _apply_all(engine, queue, tail, healthy)


async def _apply_all(engine: Engine, queue: asyncio.Queue[RawRecord], tail: TailApp, healthy: asyncio.Event) -> None:
    watch = _Watch(tail)
    while not watch.behind(engine):
        watch.check()
        records = await _next_records(queue)
        if records:
            await engine.apply(records)
        await engine.idle(tail.seen)
        if watch.complete:
            healthy.set()


async def _next_records(queue: asyncio.Queue[RawRecord]) -> list[RawRecord]:
    """What is there, at most a batch; waits a moment when there is nothing."""
    try:
        async with asyncio.timeout(_TICK):
            records = [await queue.get()]
    except TimeoutError:
        return []
    for _ in range(_TURNS):
        # What came in the same fetch is still on its way through Faust: an event and its decision, for example.
        await asyncio.sleep(0)
        while len(records) < _BATCH and not queue.empty():
            records.append(queue.get_nowait())
    return records


class _Watch:
    """Sees a crash of the app, fetches that stopped, partitions that were not assigned, and a tail that falls back."""

    def __init__(self, tail: TailApp) -> None:
        self._tail = tail
        self._clock = asyncio.get_running_loop().time
        self._fetched: float | None = None
        self._begun = self._changed = self._clock()

    @property
    def complete(self) -> bool:
        """Whether all partitions are being fetched."""
        return self._tail.seen.keys() >= set(READ_TOPICS)

    def check(self) -> None:
        """Raises the app's crash, or Unavailable when something has not been fetched for 5 s."""
        crash = self._tail.crash
        if isinstance(crash, KafkaError | OSError | TimeoutError):
            raise Unavailable(f"the Faust app crashed: {crash!r}") from crash
        if crash is not None:
            raise crash
        if not self.complete and self._clock() - self._begun > _SILENT_SECONDS:
            raise Unavailable(f"{len(set(READ_TOPICS) - self._tail.seen.keys())} partitions are not fetched")
        fetched = max((each.fetched_at or 0.0 for each in self._tail.seen.values()), default=0.0)
        if fetched != self._fetched:
            self._fetched, self._changed = fetched, self._clock()
        elif self._clock() - self._changed > _SILENT_SECONDS:
            raise Unavailable(f"nothing was fetched from Kafka for {_SILENT_SECONDS:g} s")

    def behind(self, engine: Engine) -> bool:
        """Whether catching up would be faster."""
        offsets = engine.next_offsets
        return sum(max(0, (each.stable or 0) - offsets[tp]) for tp, each in self._tail.seen.items()) > _FAR_BEHIND
