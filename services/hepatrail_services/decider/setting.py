"""What the lanes of a process share."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import COMMANDS
from hepatrail_infra.kafka_lag import DECIDER_GROUP
from hepatrail_services.decider.memory import Folder
from hepatrail_services.decider.plan import Asked, Failure
from hepatrail_services.decider.releases import Releases
from hepatrail_services.decider.rules import Rules
from hepatrail_services.decider.study_follower import StudyFollower

GROUP = DECIDER_GROUP


@dataclass(slots=True)
class Trouble:
    """Commands whose transaction Kafka refused: they are tried again one at a time, and at last without events."""

    careful_until: dict[int, int] = field(default_factory=dict)
    doomed: set[tuple[int, int]] = field(default_factory=set)

    def refused(self, batch: Sequence[Asked]) -> None:
        """Kafka refused the records of a batch."""
        if len(batch) == 1:
            self.doomed.add((batch[0].partition, batch[0].offset))
        for asked in batch:
            self.careful_until[asked.partition] = max(asked.offset, self.careful_until.get(asked.partition, -1))

    def careful(self, asked: Asked) -> bool:
        """Whether a command is to be decided in a transaction of its own."""
        return asked.offset <= self.careful_until.get(asked.partition, -1)


@dataclass(frozen=True, slots=True)
class Setting:
    """The surroundings of a lane. `confirm` raises LaneLost unless the process is still a member of the group;
    `failed` raises Halted when decisions fail by a bug too often."""

    bootstrap: str
    rules: Rules
    clock: Clock
    producer: str
    folder: Folder
    study: StudyFollower
    releases: Releases
    trouble: Trouble
    confirm: Callable[[], Awaitable[None]]
    failed: Callable[[Sequence[Failure]], None]


def commands(partition: int) -> TopicPartition:
    """A partition of the commands topic."""
    return TopicPartition(COMMANDS, partition)
