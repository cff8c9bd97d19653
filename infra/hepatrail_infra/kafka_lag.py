"""Commands that wait too long: what turns the API's readiness red (DESIGN section 2, fact 4)."""

import time
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition

from hepatrail_infra.kafka_admin import COMMANDS, PARTITIONS
from hepatrail_infra.kafka_wire import Wire

DECIDER_GROUP = "hepatrail-decider"
UNDECIDED_SECONDS = 10.0

_PLACES = tuple(TopicPartition(COMMANDS, partition) for partition in range(PARTITIONS))


class UndecidedWatch:
    """Remembers since when the next command of each partition has been waiting; call `look` every second or so."""

    def __init__(self, bootstrap: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._bootstrap = bootstrap
        self._clock = clock
        self._waiting: dict[int, tuple[int, float]] = {}

    async def look(self) -> Mapping[int, float]:
        """Seconds that the oldest undecided command of a partition has waited; empty when all are decided.

        Raises Unavailable when Kafka is away.
        """
        async with Wire(self._bootstrap, patience=2.0) as wire:
            committed = await wire.committed(DECIDER_GROUP, _PLACES)
            first = await wire.beginnings(_PLACES)
            ends = await wire.stable_ends(_PLACES)
        now = self._clock()
        waiting = {}
        for place in _PLACES:
            offset = committed.get(place)
            next_offset = max(first[place], offset or 0)
            if next_offset < ends[place]:
                before = self._waiting.get(place.partition)
                moved = before is None or before[0] != next_offset
                waiting[place.partition] = (next_offset, now if moved or before is None else before[1])
        self._waiting = waiting
        return {partition: now - since for partition, (_, since) in waiting.items()}

    @staticmethod
    def ready(waiting: Mapping[int, float]) -> bool:
        """Whether no command has been undecided for 10 s."""
        return all(seconds < UNDECIDED_SECONDS for seconds in waiting.values())
