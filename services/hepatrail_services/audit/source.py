"""Where a log is read from by those who trust nothing else: Kafka, a bundle, or a copy in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Row: TypeAlias = tuple[int, bytes | None, bytes | None]
"""Offset, key, value."""
HeaderRow: TypeAlias = tuple[int, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Offset, key, value, headers."""

_BATCH = 1_000


class LogSource(Protocol):
    """Committed records only, in the order of their offsets."""

    def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """Batches from `start` (None: the beginning) to the end as it stands when called.

        Raises Unavailable, LogShorter when `start` lies beyond the end.
        """
        ...

    def rows_with_headers(self, topic: str, partition: int) -> AsyncIterator[Sequence[HeaderRow]]:
        """The same from the beginning, with headers."""
        ...


@dataclass(slots=True)
class MemorySource:
    """A log in lists: what tests, forgers and bundles hold. Offsets need not be without gaps."""

    topics: dict[tuple[str, int], list[HeaderRow]] = field(default_factory=dict)

    async def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """As `LogSource.rows`."""
        kept = [row[:3] for row in self.topics.get((topic, partition), ()) if start is None or row[0] >= start]
        for begin in range(0, len(kept), _BATCH):
            yield kept[begin : begin + _BATCH]

    async def rows_with_headers(self, topic: str, partition: int) -> AsyncIterator[Sequence[HeaderRow]]:
        """As `LogSource.rows_with_headers`."""
        kept = self.topics.get((topic, partition), [])
        for begin in range(0, len(kept), _BATCH):
            yield kept[begin : begin + _BATCH]
