"""RFC 6962 trees: published vectors, the recursion of the RFC, and proofs that no forger can make."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.transparency.merkle import (
    EMPTY_ROOT,
    Frontier,
    NodeAt,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

# Inputs and results of the reference implementation of Certificate Transparency.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENT = {
    (1, 1): (),
    (1, 8): PATHS[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
MOST = 70


def recursion(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word for word, over hashes of leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + recursion(leaves[:split]) + recursion(leaves[split:])).digest()


def nodes(leaves: Sequence[bytes]) -> NodeAt:
    """Nodes of a tree by the recursion alone."""
    return lambda level, index: recursion(leaves[index << level : (index + 1) << level])


LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(MOST)]
SIZES = st.integers(1, MOST)


def hexed(proof: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(each.hex() for each in proof)


def test_roots_and_proofs_are_those_of_the_reference_implementation() -> None:
    leaves = [leaf_hash(data) for data in INPUTS]
    frontier = Frontier()
    for leaf, root in zip(leaves, ROOTS, strict=True):
        frontier.append(leaf)
        assert frontier.root().hex() == root == root_at(nodes(leaves), frontier.size).hex()
    for (index, size), path in PATHS.items():
        assert hexed(inclusion_proof(nodes(leaves), index, size)) == path
    for (first, second), path in CONSISTENT.items():
        assert hexed(consistency_proof(nodes(leaves), first, second)) == path


def test_a_tree_without_leaves_has_the_root_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == root_at(nodes(LEAVES), 0) == recursion([])


def test_a_leaf_is_no_inner_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != recursion([left, right])


def test_the_frontier_of_every_size_has_the_root_of_the_recursion_and_goes_on_from_its_hashes() -> None:
    frontier = Frontier()
    for size in range(1, MOST + 1):
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == recursion(LEAVES[:size]) == root_at(nodes(LEAVES), size)
        frontier = Frontier(frontier.size, frontier.hashes)


def test_a_frontier_has_as_many_hashes_as_its_size_has_ones() -> None:
    with pytest.raises(ValueError, match="a tree of 5 leaves has 2 complete subtrees, not 3"):
        Frontier(5, LEAVES[:3])


def test_a_copy_grows_by_itself() -> None:
    frontier = Frontier()
    frontier.append(LEAVES[0])
    other = frontier.copy()
    other.append(LEAVES[1])
    assert (frontier.size, frontier.root()) == (1, LEAVES[0])


def test_every_inclusion_proof_holds_for_its_leaf_and_for_no_other_place_size_or_root() -> None:
    for size in range(1, MOST + 1):
        root = recursion(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(nodes(LEAVES), index, size)
            assert verify_inclusion(LEAVES[index], index, size, proof, root)
            assert not verify_inclusion(LEAVES[index], (index + 1) % (size + 1), size, proof, root)
            assert not verify_inclusion(LEAVES[index - 1], index, size, proof, root) or size == 1
            assert not verify_inclusion(LEAVES[index], index, size, proof, EMPTY_ROOT)
            assert not verify_inclusion(LEAVES[index], index, size, (*proof, LEAVES[0]), root)
            assert not (proof and verify_inclusion(LEAVES[index], index, size, proof[:-1], root))


def test_every_consistency_proof_holds_for_its_two_trees_and_no_others() -> None:
    for second in range(MOST + 1):
        new = recursion(LEAVES[:second])
        for first in range(second + 1):
            proof = consistency_proof(nodes(LEAVES), first, second)
            old = recursion(LEAVES[:first])
            assert verify_consistency(first, second, old, new, proof)
            assert not verify_consistency(first, second, old, new, (*proof, LEAVES[0]))
            if 0 < first < second:
                assert not verify_consistency(first, second, LEAVES[-1], new, proof)
                assert not verify_consistency(first, second, old, LEAVES[-1], proof)
                assert not verify_consistency(first, second, old, new, proof[:-1])


@given(SIZES, st.data())
def test_a_forged_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(nodes(LEAVES), index, size))
    root = recursion(LEAVES[:size])
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        proof[place] = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        assert not verify_inclusion(LEAVES[index], index, size, proof, root)
    else:
        assert not verify_inclusion(LEAVES[-1], index, size, proof, root)


@given(SIZES, SIZES, st.integers(0, MOST - 1))
def test_no_proof_leads_from_a_tree_to_one_in_which_an_old_leaf_is_changed(one: int, other: int, changed: int) -> None:
    first, second = sorted((one, other))
    changed %= first
    forged = [*LEAVES]
    forged[changed] = leaf_hash(b"forged")
    proof = consistency_proof(nodes(forged), first, second)
    assert not verify_consistency(first, second, recursion(LEAVES[:first]), recursion(forged[:second]), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_no_proof_is_made_or_believed_outside_of_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of {size}"):
        inclusion_proof(nodes(LEAVES), index, size)
    assert not verify_inclusion(LEAVES[0], index, size, (), LEAVES[0])


@pytest.mark.parametrize(("first", "second"), [(-1, 4), (5, 4)])
def test_a_larger_tree_is_no_beginning_of_a_smaller(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="is no beginning of one of"):
        consistency_proof(nodes(LEAVES), first, second)
    assert not verify_consistency(first, second, EMPTY_ROOT, EMPTY_ROOT, ())
