"""Follows the study stream, which every decision is taken under."""

import asyncio
from typing import Any

from aiokafka import TopicPartition

from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import Record, partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_services.decider.follower import Follower
from hepatrail_services.decider.memory import Folder, StreamState


class StudyFollower(Follower):
    """The state of the study as far as it was read; raises Halted where the stream cannot be read."""

    def __init__(self, bootstrap: str, folder: Folder) -> None:
        super().__init__(bootstrap, TopicPartition(EVENTS, partition_of(STUDY)))
        self._folder = folder
        self._stream: StreamState = folder.initial(STUDY)
        self._grown = asyncio.Condition()

    @property
    def state(self) -> Any:
        """The rules' state of the study."""
        return self._stream.state

    @property
    def version(self) -> int:
        """How many events of the study it holds."""
        return self._stream.link.streamseq

    async def start(self) -> None:
        """Reads the stream to its end; raises Unavailable, Halted."""
        self._stream = self._folder.initial(STUDY)
        await super().start()

    async def at_least(self, version: int, patience: float) -> bool:
        """Waits until the study is read up to `version`; False when that takes longer than `patience` seconds."""
        try:
            async with asyncio.timeout(patience), self._grown:
                await self._grown.wait_for(lambda: self.version >= version)
        except TimeoutError:
            return False
        return True

    async def _take(self, records: list[Record]) -> None:
        key = STUDY.encode()
        for record in records:
            if record.key == key:
                place = Place(record.topic, record.partition, record.offset)
                self._stream = self._folder.fold(STUDY, self._stream, place, record.value)
        async with self._grown:
            self._grown.notify_all()
