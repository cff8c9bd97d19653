"""Reads one partition to its end, then follows it."""

import asyncio
from abc import ABC, abstractmethod

from aiokafka import TopicPartition

from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_log import LogReader, Record

_PAUSE = 1.0


class Follower(ABC):
    """What a process knows beside its own lanes, taken in record by record."""

    def __init__(self, bootstrap: str, partition: TopicPartition) -> None:
        self._reader = LogReader(bootstrap)
        self._partition = partition

    async def start(self) -> None:
        """Reads the partition to its end; raises Unavailable and what taking in raises."""
        try:
            await self._reader.start({self._partition: None})
            await self._reader.read_to_end(self._take)
        except BaseException:
            await self._reader.stop()
            raise

    async def stop(self) -> None:
        """Disconnects."""
        await self._reader.stop()

    async def follow(self) -> None:
        """Takes in what comes from now on, until cancelled; raises what taking in raises."""
        while True:
            try:
                batches = await self._reader.getmany()
            except Unavailable:
                await asyncio.sleep(_PAUSE)
                continue
            for records in batches.values():
                await self._take(records)

    @abstractmethod
    async def _take(self, records: list[Record]) -> None:
        """Takes in records, in order."""
