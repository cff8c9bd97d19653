"""Takes commands in as they come, while transactions run, so that the next one finds all that has arrived."""

import asyncio
from collections import deque

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_log import LogReader
from hepatrail_services.decider.plan import Asked

_MAX_WAITING = 4000
_MAX_BYTES = 32 * 1024 * 1024
_MAX_POLL = 1000
_POLL_MS = 500
_PAUSE = 0.2


class Intake:
    """The commands of a lane that wait for their decision, in the order of each partition."""

    def __init__(self, reader: LogReader) -> None:
        self.waiting: deque[Asked] = deque()
        self._reader = reader
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()

    def last_fetch(self) -> float:
        """When Kafka last answered a fetch: seconds since the epoch, 0 before the first."""
        return max((self._reader.last_fetch(place) or 0.0 for place in self._reader.partitions), default=0.0)

    async def run(self) -> None:
        """Reads until cancelled; raises LogShorter."""
        while True:
            try:
                batches = await self._reader.getmany(timeout_ms=_POLL_MS, max_records=_MAX_POLL)
            except Unavailable:
                await asyncio.sleep(_PAUSE)
                continue
            for records in batches.values():
                for record in records:
                    self.waiting.append(Asked.read(record.partition, record.offset, record.value))
                    self._bytes += len(record.value or b"")
            if batches:
                self._arrived.set()
            while len(self.waiting) >= _MAX_WAITING or self._bytes >= _MAX_BYTES:
                self._drained.clear()
                await self._drained.wait()

    async def wait(self) -> None:
        """Returns when a command waits, or after `wake`."""
        if not self.waiting:
            self._arrived.clear()
            await self._arrived.wait()

    def wake(self) -> None:
        """Ends a `wait` under way."""
        self._arrived.set()

    def done(self, count: int) -> None:
        """The first `count` commands are decided."""
        for _ in range(count):
            self._bytes -= len(self.waiting.popleft().value)
        self._drained.set()
