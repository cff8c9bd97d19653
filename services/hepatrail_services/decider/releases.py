"""Follows `hepatrail.quarantine` for what was released there."""

import logging

from aiokafka import TopicPartition

from hepatrail_events.errors import InvalidMessage
from hepatrail_infra.kafka_admin import QUARANTINE
from hepatrail_infra.kafka_log import Record
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_services.decider.follower import Follower

_log = logging.getLogger(__name__)


class Releases(Follower):
    """The records that readers pass over; `places` grows while the topic is followed."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap, TopicPartition(QUARANTINE, 0))
        self.places: set[Place] = set()

    async def _take(self, records: list[Record]) -> None:
        for record in records:
            try:
                entry = read_quarantine(record.value or b"")
            except InvalidMessage as error:
                _log.warning("quarantine record %d cannot be read: %s", record.offset, error)
                continue
            if isinstance(entry, Released):
                self.places.add(Place(entry.topic, entry.partition, entry.offset))
