"""The live tail of the log: a five-line Faust agent that hands records over in batches, and a watch over it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import Unavailable
from hepatrail_projections.completeness import Seen
from hepatrail_projections.faust_transport import Offsets, TailApp, agent_options, tail_running
from hepatrail_projections.records import RawRecord

_BATCH = 500
_QUEUE = 4 * _BATCH
_TICK = 0.25
_TURNS = 10
_SILENT_SECONDS = 5.0


class Tail:
    """What comes in from the end of the log. Not for two readers at once."""

    def __init__(self, app: TailApp, partitions: Collection[TopicPartition], queue: asyncio.Queue[RawRecord]) -> None:
        """`partitions` are all that must be fetched; what the agent puts into `queue` is handed over."""
        self._app = app
        self._partitions = frozenset(partitions)
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
        return self.seen.keys() >= self._partitions

    async def next_records(self) -> list[RawRecord]:
        """What is there, at most a batch; waits a moment when there is nothing. Raises as `check` does."""
        self.check()
        try:
            async with asyncio.timeout(_TICK):
                records = [await self._queue.get()]
        except TimeoutError:
            return []
        for _ in range(_TURNS):
            # What came in the same fetch is still on its way through Faust: the rest of a commit, for example.
            await asyncio.sleep(0)
            while len(records) < _BATCH and not self._queue.empty():
                records.append(self._queue.get_nowait())
        return [record for record in records if self._is_new(record)]

    def check(self) -> None:
        """Raises the app's crash, or Unavailable when something has not been fetched for 5 s."""
        crash = self._app.crash
        if isinstance(crash, KafkaError | OSError | TimeoutError):
            raise Unavailable(f"the Faust app crashed: {crash!r}") from crash
        if crash is not None:
            raise crash
        if not self.complete and self._clock() - self._begun > _SILENT_SECONDS:
            raise Unavailable(f"{len(self._partitions - self.seen.keys())} partitions are not fetched")
        fetched = max((each.fetched_at or 0.0 for each in self.seen.values()), default=0.0)
        if fetched != self._fetched:
            self._fetched, self._changed = fetched, self._clock()
        elif self._clock() - self._changed > _SILENT_SECONDS:
            raise Unavailable(f"nothing was fetched from Kafka for {_SILENT_SECONDS:g} s")

    def _is_new(self, record: RawRecord) -> bool:
        """Whether a record was not handed over before.

        A group that is joined again begins at what its reader has finished: what that is at work on comes twice.
        """
        partition = TopicPartition(record.topic, record.partition)
        if record.offset <= self._handed_over.get(partition, -1):
            return False
        self._handed_over[partition] = record.offset
        return True


@asynccontextmanager
async def tail_of(
    bootstrap: str, group: str, partitions: Collection[TopicPartition], next_offsets: Callable[[], Offsets]
) -> AsyncIterator[Tail]:
    """Follows the partitions from `next_offsets` on, which the reader moves; raises Unavailable when Kafka is away."""
    queue: asyncio.Queue[RawRecord] = asyncio.Queue(_QUEUE)

    def register(app: faust.App, topic: Any) -> None:
        @app.agent(topic, **agent_options())
        async def hand_over(stream: Any) -> None:
            async for event in stream.events():
                await queue.put(event.message)

    topics = tuple(dict.fromkeys(partition.topic for partition in partitions))
    async with tail_running(bootstrap, group, topics, next_offsets, register) as app:
        yield Tail(app, partitions, queue)
