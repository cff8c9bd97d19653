"""What checkpoints say of one tree: its root at certain sizes."""

from array import array
from bisect import bisect_right
from typing import Final, NamedTuple

from hepatrail_events.transparency.checkpoint import HASH_BYTES

TAKEN_EARLIER: Final = 0
"""In place of a seal's number: a checkpoint that somebody kept outside of the log."""


class Mark(NamedTuple):
    """The root of the first `size` leaves, as seal number `seal` has it."""

    size: int
    root: bytes
    seal: int

    def whose(self) -> str:
        """How a sentence names it."""
        return f"seal {self.seal}" if self.seal != TAKEN_EARLIER else "a checkpoint taken earlier"


class Marks:
    """Marks by size, 48 bytes each; one that says the same as another of its size is kept once."""

    def __init__(self) -> None:
        self._sizes = array("Q")
        self._seals = array("Q")
        self._roots = bytearray()

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, index: int) -> Mark:
        begin = index * HASH_BYTES
        return Mark(self._sizes[index], bytes(self._roots[begin : begin + HASH_BYTES]), self._seals[index])

    def add(self, size: int, root: bytes, seal: int) -> None:
        """One more; of equal ones the first stays."""
        at = bisect_right(self._sizes, size)
        before = at - 1
        while before >= 0 and self._sizes[before] == size:
            if self[before].root == root:
                return
            before -= 1
        self._sizes.insert(at, size)
        self._seals.insert(at, seal)
        self._roots[at * HASH_BYTES : at * HASH_BYTES] = root
