"""The leaves of one partition in memory, for proofs that trust nothing but the log: 40 bytes a leaf."""

from array import array
from bisect import bisect_left

from hepatrail_events.transparency.merkle import leaf_hash, node_hash
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.audit.source import LogSource

_HASH = 32


class LeafStore:
    """Leaf hashes and offsets in the order of the log; `node_at` is the `NodeAt` of proofs."""

    def __init__(self) -> None:
        self._hashes = bytearray()
        self._offsets = array("Q")
        self._nodes: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._offsets)

    def append(self, offset: int, value: bytes | None) -> None:
        """The next record of the partition."""
        self._hashes += leaf_hash(value or b"")
        self._offsets.append(offset)

    def node_at(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree; computed once, KeyError beyond the leaves."""
        if level == 0:
            if not 0 <= index < len(self):
                raise KeyError((level, index))
            return bytes(self._hashes[index * _HASH : (index + 1) * _HASH])
        node = self._nodes.get((level, index))
        if node is None:
            node = node_hash(self.node_at(level - 1, 2 * index), self.node_at(level - 1, 2 * index + 1))
            self._nodes[level, index] = node
        return node

    def index_of(self, offset: int) -> int | None:
        """The leaf at an offset, None when no committed record stands there."""
        index = bisect_left(self._offsets, offset)
        return index if index < len(self) and self._offsets[index] == offset else None


async def leaves_of(source: LogSource, partition: int) -> LeafStore:
    """All leaves of a partition of the events; raises Unavailable."""
    leaves = LeafStore()
    async for rows in source.rows(EVENTS, partition):
        for offset, _, value in rows:
            leaves.append(offset, value)
    return leaves
