"""RFC 6962 Merkle trees: hashes, the frontier of a growing tree, proofs and their verification (RFC 9162 2.1)."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

NodeAt = Callable[[int, int], bytes]
"""The hash of the complete subtree of a level (0: leaves) and an index in it: leaves index << level and following."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: one complete subtree for each one-bit of `size`, the largest first.

    All that is needed to append leaves and to know the root; O(log size).
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(hashes):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Adds the hash of the next leaf."""
        node, rest, hashes = leaf, self.size, self.hashes
        while rest & 1:
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            rest >>= 1
        hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node

    def copy(self) -> "Frontier":
        """Another one that grows by itself."""
        return Frontier(self.size, self.hashes)


def root_at(node_at: NodeAt, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return _range_root(node_at, 0, size) if size else EMPTY_ROOT


def inclusion_proof(node_at: NodeAt, index: int, size: int) -> tuple[bytes, ...]:
    """The path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up; ValueError outside of it."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    return tuple(_path(node_at, index, 0, size))


def consistency_proof(node_at: NodeAt, first: int, second: int) -> tuple[bytes, ...]:
    """That the tree of `first` leaves is a beginning of that of `second`; ValueError unless 0 <= first <= second."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {first} leaves is no beginning of one of {second}")
    return () if first in (0, second) else tuple(_subproof(node_at, first, 0, second, whole=True))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf's hash stands at `index` in the tree of that size and root."""
    if not 0 <= index < size:
        return False
    node, at, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(first: int, second: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree (first, root1) is a beginning of the tree (second, root2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and root1 == root2
    if first == 0:
        return not proof and root1 == EMPTY_ROOT
    hashes = [root1, *proof] if first & (first - 1) == 0 else list(proof)
    if not hashes:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == root1 and new == root2


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(node_at: NodeAt, begin: int, end: int) -> bytes:
    count = end - begin
    if count & (count - 1) == 0:
        return node_at(count.bit_length() - 1, begin // count)
    middle = begin + _split(count)
    return node_hash(_range_root(node_at, begin, middle), _range_root(node_at, middle, end))


def _path(node_at: NodeAt, index: int, begin: int, end: int) -> list[bytes]:
    if end - begin == 1:
        return []
    middle = begin + _split(end - begin)
    if index < middle:
        return [*_path(node_at, index, begin, middle), _range_root(node_at, middle, end)]
    return [*_path(node_at, index, middle, end), _range_root(node_at, begin, middle)]


def _subproof(node_at: NodeAt, first: int, begin: int, end: int, *, whole: bool) -> list[bytes]:
    if first == end - begin:
        return [] if whole else [_range_root(node_at, begin, end)]
    split = _split(end - begin)
    if first <= split:
        return [
            *_subproof(node_at, first, begin, begin + split, whole=whole),
            _range_root(node_at, begin + split, end),
        ]
    rest = _subproof(node_at, first - split, begin + split, end, whole=False)
    return [*rest, _range_root(node_at, begin, begin + split)]
