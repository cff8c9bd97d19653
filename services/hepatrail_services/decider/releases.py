"""Follows `hepatrail.quarantine` for what was released there."""

import asyncio
import logging

from aiokafka import TopicPartition

from hepatrail_events.errors import InvalidMessage, Unavailable
from hepatrail_infra.kafka_admin import QUARANTINE
from hepatrail_infra.kafka_log import LogReader, Record
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine

_log = logging.getLogger(__name__)

_PARTITION = TopicPartition(QUARANTINE, 0)
_PAUSE = 1.0


class Releases:
    """The records that readers pass over; `places` grows while the topic is followed."""

    def __init__(self, bootstrap: str) -> None:
        self._reader = LogReader(bootstrap)
        self.places: set[Place] = set()

    async def start(self) -> None:
        """Reads the topic to its end; raises Unavailable."""
        try:
            await self._reader.start({_PARTITION: None})
            await self._reader.read_to_end(self._take)
        except BaseException:
            await self._reader.stop()
            raise

    async def stop(self) -> None:
        """Disconnects."""
        await self._reader.stop()

    async def follow(self) -> None:
        """Takes in what is released from now on, until cancelled."""
        while True:
            try:
                batches = await self._reader.getmany()
            except Unavailable:
                await asyncio.sleep(_PAUSE)
                continue
            for records in batches.values():
                await self._take(records)

    async def _take(self, records: list[Record]) -> None:
        for record in records:
            try:
                entry = read_quarantine(record.value or b"")
            except InvalidMessage as error:
                _log.warning("quarantine record %d cannot be read: %s", record.offset, error)
                continue
            if isinstance(entry, Released):
                self.places.add(Place(entry.topic, entry.partition, entry.offset))
