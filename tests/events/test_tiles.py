"""Tiles of 16 hashes: the same proofs as from all leaves, however the tree grew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.transparency.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash, root_at
from hepatrail_events.transparency.tiles import WIDTH, Growing, Tile, node_at_of, tiles_of_proof

MOST = 4_400
LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(MOST)]
SIZES = st.integers(1, MOST)


def whole_tree(size: int) -> dict[tuple[int, int], Tile]:
    """All tiles of a tree, as they are stored when it grows in one go."""
    growing = Growing()
    for number in range(size):
        growing.append(LEAVES[number], 2 * number)
    return {(tile.level, tile.number): tile for tile in growing.changed()}


ALL = whole_tree(MOST)


def test_tiles_hold_the_roots_of_16_to_the_power_of_their_level() -> None:
    assert ALL[0, 0].hashes == b"".join(LEAVES[:WIDTH])
    frontier = Frontier()
    for leaf in LEAVES[WIDTH : 2 * WIDTH]:
        frontier.append(leaf)
    assert ALL[1, 0].hashes[32:64] == frontier.root()
    assert {level for level, _ in ALL} == {0, 1, 2, 3}
    assert [ALL[0, MOST // WIDTH - 1].count, ALL[1, 0].count, ALL[3, 0].count] == [WIDTH, WIDTH, 1]


def test_offsets_stand_with_the_leaves_only() -> None:
    assert ALL[0, 1].offsets == b"".join((2 * number).to_bytes(8, "big") for number in range(16, 32))
    assert all(not tile.offsets for (level, _), tile in ALL.items() if level)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_growing_in_any_batches_from_what_was_stored_gives_the_same_tiles(batches: list[int]) -> None:
    stored: dict[tuple[int, int], Tile] = {}
    size = 0
    for count in batches:
        last = [
            max((tile for tile in stored.values() if tile.level == level), key=lambda tile: tile.number)
            for level in {level for level, _ in stored}
        ]
        growing = Growing(last)
        assert growing.size == size
        for number in range(size, size + count):
            growing.append(LEAVES[number], 2 * number)
        size += count
        assert growing.size == size
        changed = growing.changed()
        assert growing.changed() == (), "told once"
        stored |= {(tile.level, tile.number): tile for tile in changed}
    assert stored == whole_tree(size)


def test_only_what_changed_is_told() -> None:
    growing = Growing()
    for number in range(40):
        growing.append(LEAVES[number], number)
    growing.changed()
    growing.append(LEAVES[40], 40)
    assert [(tile.level, tile.number, tile.count) for tile in growing.changed()] == [(0, 2, 9)]


def test_a_copy_grows_by_itself() -> None:
    growing = Growing()
    growing.append(LEAVES[0], 0)
    other = growing.copy()
    other.append(LEAVES[1], 1)
    assert (growing.size, other.size) == (1, 2)
    assert [tile.count for tile in growing.changed()] == [1]
    assert [tile.count for tile in other.changed()] == [2]


def test_roots_from_tiles_are_those_of_the_frontier_at_every_size() -> None:
    node_at = node_at_of(lambda level, number: ALL[level, number].hashes)
    frontier = Frontier()
    for size in range(1, MOST + 1):
        frontier.append(LEAVES[size - 1])
        if size < 600 or size % 97 == 0 or MOST - size < 3:
            assert root_at(node_at, size) == frontier.root()


@given(SIZES, st.data())
def test_a_proof_reads_a_few_tiles_and_is_the_one_from_all_leaves(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(0, size))
    read = {place: ALL[place].hashes for place in tiles_of_proof(size, index=index, first=first)}
    few = node_at_of(lambda level, number: read[level, number])
    every = node_at_of(lambda level, number: ALL[level, number].hashes)
    assert inclusion_proof(few, index, size) == inclusion_proof(every, index, size)
    assert consistency_proof(few, first, size) == consistency_proof(every, first, size)
    assert len(tiles_of_proof(size, index=index)) <= 2 * len({level for level, _ in ALL})


def test_a_node_beyond_the_tiles_is_a_key_error_not_a_wrong_hash() -> None:
    small = whole_tree(20)
    node_at = node_at_of(lambda level, number: small[level, number].hashes)
    assert node_at(0, 19) == LEAVES[19]
    for level, index in ((0, 20), (2, 5), (3, 2), (4, 1)):
        with pytest.raises(KeyError):
            node_at(level, index)
