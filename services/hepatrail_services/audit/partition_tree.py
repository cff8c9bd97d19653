"""The tree of one partition as the sealer keeps it: it grows with the log and must pass through what was sealed."""

from collections.abc import Sequence

from hepatrail_events.errors import HepatrailError, LogShorter
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_infra.kafka_log import Record


class HintsDiffer(HepatrailError):
    """The log does not hold what the hints say: read it from the beginning."""


class PartitionTree:
    """A frontier, and the place in the log up to which it reaches.

    `sealed` is the last signed checkpoint of the partition, None before the first seal.
    """

    def __init__(self, partition: int, sealed: Checkpoint | None = None) -> None:
        """At the beginning of the partition."""
        self.partition = partition
        self.frontier = Frontier()
        self.next_offset = 0
        self.last = b""
        self.sealed_size = 0 if sealed is None else sealed.size
        self._sealed = sealed
        self._hinted = False
        if sealed is not None and not sealed.size:
            self._hold_to_the_seal()

    @classmethod
    def resumed(
        cls, partition: int, sealed: Checkpoint, frontier: Frontier, offset: int, last: bytes
    ) -> "PartitionTree":
        """Behind the sealed leaves; `take` expects the last of them first, which proves the place (offset - 1)."""
        tree = cls(partition, sealed)
        tree.frontier, tree.next_offset, tree.last = frontier, offset, last
        tree._hinted = frontier.size > 0
        return tree

    @property
    def begin(self) -> int | None:
        """The offset from which it must be read; None for the first one that there is."""
        return self.next_offset - 1 if self._hinted else None

    @property
    def grew(self) -> bool:
        """Whether it has leaves that are not sealed."""
        return self.frontier.size > self.sealed_size

    def take(self, records: Sequence[Record]) -> None:
        """Adds the records, in the order of their offsets.

        Raises HintsDiffer when the first is not what the hints say, LogShorter when a sealed leaf has changed.
        """
        begin = 0
        if self._hinted and records:
            self._prove(records[0])
            begin = 1
        append, limit = self.frontier.append, self.sealed_size
        for record in records[begin:]:
            leaf = leaf_hash(record.value or b"")
            append(leaf)
            if self.frontier.size == limit:
                self._hold_to_the_seal()
            self.last = leaf
        if records:
            self.next_offset = records[-1].offset + 1

    def check(self) -> None:
        """After reading to the end: raises HintsDiffer, and LogShorter when sealed leaves are missing."""
        if self._hinted:
            raise HintsDiffer(f"partition {self.partition} ends before the place that the hints name")
        if self.frontier.size < self.sealed_size:
            missing = self.sealed_size - self.frontier.size
            raise LogShorter(f"LOG_SHORTER: {missing} sealed events at the end of partition {self.partition} are gone")

    def _prove(self, record: Record) -> None:
        if record.offset != self.next_offset - 1 or leaf_hash(record.value or b"") != self.last:
            raise HintsDiffer(f"another record stands at the end of what was sealed of partition {self.partition}")
        self._hinted = False

    def _hold_to_the_seal(self) -> None:
        if self._sealed is not None and self.frontier.root() != self._sealed.root:
            raise LogShorter(
                f"LOG_SHORTER: the first {self.sealed_size} events of partition {self.partition} "
                "are not those that were sealed"
            )
