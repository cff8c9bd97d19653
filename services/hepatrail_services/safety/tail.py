"""The live tail of the safety process: a five-line Faust agent, and a watch over it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_projections.completeness import Seen
from hepatrail_projections.faust_transport import TailApp, agent_options, tail_running
from hepatrail_projections.records import RawRecord
from hepatrail_services.safety.catching_up import FOLLOWED
from hepatrail_services.safety.reactor import Reactor

GROUP = "hepatrail-safety"
_BATCH = 500
_QUEUE = 4 * _BATCH
_TICK = 0.25
_TURNS = 10
_SILENT_SECONDS = 5.0


class _Offsets:
    """Kept in Postgres by the reactor; the tail begins where it has come."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor

    async def stored(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where the reactor reads on."""
        offsets = self._reactor.next_offsets
        return {partition: offsets[partition] for partition in partitions}

    def known(self, partition: TopicPartition) -> int | None:
        """Where the reactor reads on."""
        return self._reactor.next_offsets.get(partition)


class Tail:
    """What comes in from the end of the log."""

    def __init__(self, app: TailApp, queue: asyncio.Queue[RawRecord]) -> None:
        self._app = app
        self._queue = queue
        self._clock = asyncio.get_running_loop().time
        self._handed_over: dict[TopicPartition, int] = {}
        self._fetched: float | None = None
        self._begun = self._changed = self._clock()

    @property
    def seen(self) -> Mapping[TopicPartition, Seen]:
        """What the last fetch of each partition showed."""
        return self._app.seen

    @property
    def complete(self) -> bool:
        """Whether all partitions are being fetched."""
        return self.seen.keys() >= set(FOLLOWED)

    async def next_records(self) -> list[RawRecord]:
        """What is there, at most a batch; waits a moment when there is nothing. Raises as `check` does."""
        self._check()
        try:
            async with asyncio.timeout(_TICK):
                records = [await self._queue.get()]
        except TimeoutError:
            return []
        for _ in range(_TURNS):
            # The rest of a commit came in the same fetch and is still on its way through Faust.
            await asyncio.sleep(0)
            while len(records) < _BATCH and not self._queue.empty():
                records.append(self._queue.get_nowait())
        return [record for record in records if self._is_new(record)]

    def _is_new(self, record: RawRecord) -> bool:
        """Whether a record was not handed over before.

        A group that is joined again begins at what the reactor has finished: what it is at work on comes twice.
        """
        partition = TopicPartition(record.topic, record.partition)
        if record.offset <= self._handed_over.get(partition, -1):
            return False
        self._handed_over[partition] = record.offset
        return True

    def _check(self) -> None:
        """Raises the app's crash, or Unavailable when something has not been fetched for 5 s."""
        crash = self._app.crash
        if isinstance(crash, KafkaError | OSError | TimeoutError):
            raise Unavailable(f"the Faust app crashed: {crash!r}") from crash
        if crash is not None:
            raise crash
        if not self.complete and self._clock() - self._begun > _SILENT_SECONDS:
            raise Unavailable(f"{len(set(FOLLOWED) - self.seen.keys())} partitions are not fetched")
        fetched = max((each.fetched_at or 0.0 for each in self.seen.values()), default=0.0)
        if fetched != self._fetched:
            self._fetched, self._changed = fetched, self._clock()
        elif self._clock() - self._changed > _SILENT_SECONDS:
            raise Unavailable(f"nothing was fetched from Kafka for {_SILENT_SECONDS:g} s")


@asynccontextmanager
async def tail_of(reactor: Reactor, bootstrap: str) -> AsyncIterator[Tail]:
    """Follows the log from the reactor's offsets on; raises Unavailable when Kafka is away."""
    queue: asyncio.Queue[RawRecord] = asyncio.Queue(_QUEUE)

    def register(app: faust.App, topic: Any) -> None:
        @app.agent(topic, **agent_options())
        async def react(stream: Any) -> None:
            async for event in stream.events():
                await queue.put(event.message)

    async with tail_running(bootstrap, GROUP, (EVENTS, QUARANTINE), _Offsets(reactor), register) as app:
        yield Tail(app, queue)
