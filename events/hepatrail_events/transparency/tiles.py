"""Tiles of height 4 (as Go's sumdb cuts a tree): rows of at most 16 hashes by level and number, level 0 the leaves.

A tile of level L holds the roots of complete subtrees of 16^L leaves; what lies between levels is computed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hepatrail_events.transparency.merkle import NodeAt, consistency_proof, inclusion_proof, node_hash

HEIGHT: Final = 4
WIDTH: Final = 1 << HEIGHT
_HASH: Final = 32
_OFFSET: Final = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 16 hashes, one after the other; `offsets` (level 0 only) the 8-byte big-endian offsets of the leaves."""

    level: int
    number: int
    hashes: bytes
    offsets: bytes = b""

    @property
    def count(self) -> int:
        """How many hashes it holds."""
        return len(self.hashes) // _HASH


class Growing:
    """The last tile of each level of one tree, which grows at the end; not for two writers."""

    def __init__(self, last: Iterable[Tile] = ()) -> None:
        """`last` are the last tiles, one a level, in any order."""
        self._last: list[Tile] = sorted(last, key=lambda tile: tile.level)
        self._changed: dict[tuple[int, int], Tile] = {}

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._last[0].number * WIDTH + self._last[0].count if self._last else 0

    def append(self, leaf: bytes, offset: int) -> None:
        """Adds the hash of the next leaf, and its offset in the log."""
        self._put(0, leaf, offset.to_bytes(_OFFSET, "big"))

    def changed(self) -> tuple[Tile, ...]:
        """The tiles that differ from when this was last asked, full ones included."""
        changed = tuple(self._changed.values())
        self._changed = {}
        return changed

    def copy(self) -> "Growing":
        """Another one that grows by itself, with nothing changed so far."""
        return Growing(self._last)

    def _put(self, level: int, node: bytes, offset: bytes = b"") -> None:
        if level == len(self._last):
            self._last.append(Tile(level, 0, b""))
        tile = self._last[level]
        if tile.count == WIDTH:
            tile = Tile(level, tile.number + 1, b"")
        tile = Tile(level, tile.number, tile.hashes + node, tile.offsets + offset)
        self._last[level] = self._changed[level, tile.number] = tile
        if tile.count == WIDTH:
            self._put(level + 1, _subtree(tile.hashes))


def node_at_of(tile: Callable[[int, int], bytes]) -> NodeAt:
    """Nodes of a tree from its tiles: `tile(level, number)` gives the hashes; KeyError for what they do not hold."""

    def node_at(level: int, index: int) -> bytes:
        above, within = divmod(level, HEIGHT)
        first = index << within
        number, begin = divmod(first, WIDTH)
        hashes = tile(above, number)
        chosen = hashes[begin * _HASH : (begin + (1 << within)) * _HASH]
        if len(chosen) != _HASH << within:
            raise KeyError((level, index))
        return _subtree(chosen)

    return node_at


def tiles_of_proof(size: int, index: int | None = None, first: int | None = None) -> frozenset[tuple[int, int]]:
    """The (level, number) that a proof in a tree of `size` reads: of the leaf `index`, or of the beginning `first`."""
    read = set[tuple[int, int]]()

    def dry(level: int, number: int) -> bytes:
        above, within = divmod(level, HEIGHT)
        read.add((above, (number << within) // WIDTH))
        return b"\0" * _HASH

    if index is not None:
        inclusion_proof(dry, index, size)
    if first is not None:
        consistency_proof(dry, first, size)
    return frozenset(read)


def _subtree(hashes: bytes) -> bytes:
    """The root over 1, 2, 4, 8 or 16 hashes."""
    nodes = [hashes[begin : begin + _HASH] for begin in range(0, len(hashes), _HASH)]
    while len(nodes) > 1:
        nodes = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]
