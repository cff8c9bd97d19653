"""A map that grows with a stream: a dict in all that a reader sees, and no copy of what was there."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from hepatrail_events.persistent import PersistentMap


def _map(pairs: list[tuple[int, int]]) -> PersistentMap[int, int]:
    found: PersistentMap[int, int] = PersistentMap()
    for key, value in pairs:
        found = found.put(key, value)
    return found


@given(st.lists(st.tuples(st.integers(0, 30), st.integers()), max_size=80))
def test_it_reads_as_a_dict_does_in_the_order_of_first_insertion(pairs: list[tuple[int, int]]) -> None:
    found, plain = _map(pairs), dict(pairs)
    assert list(found.items()) == list(plain.items())
    assert (list(found), list(found.values()), len(found)) == (list(plain), list(plain.values()), len(plain))
    assert [found.get(key) for key in range(31)] == [plain.get(key) for key in range(31)]
    assert found == _map(list(plain.items()))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers()), min_size=1, max_size=40))
def test_every_version_stays_as_it_was(pairs: list[tuple[int, int]]) -> None:
    versions = [_map(pairs[:number]) for number in range(len(pairs) + 1)]
    grown: PersistentMap[int, int] = PersistentMap()
    kept = [grown]
    for key, value in pairs:
        grown = grown.put(key, value)
        kept.append(grown)
    assert kept == versions


def test_an_entry_costs_the_same_however_many_there_are() -> None:
    """Ten thousand versions that are all kept: copied, they would hold fifty million entries."""
    tracemalloc.start()
    try:
        found: PersistentMap[int, int] = PersistentMap()
        versions = [found := found.put(number, number) for number in range(10_000)]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(versions[-1]) == 10_000
    assert most < 150_000_000
