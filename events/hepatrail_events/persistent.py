"""A map that grows with a stream: every version of a folded state keeps its own, and none is copied whole."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from immutables import Map

Key = TypeVar("Key")
Value = TypeVar("Value")


class PersistentMap(Mapping[Key, Value], Generic[Key, Value]):
    """An immutable map in the order of first insertion; `put` shares all but a few nodes with the map before.

    A dict copied at each event makes a fold quadratic in the length of the stream; this one costs the same for the
    ten-thousandth entry as for the first. Nothing can be taken out: what a stream said stays said.
    """

    __slots__ = ("_entries", "_places")

    def __init__(self) -> None:
        self._places: Map[Key, int] = Map()
        self._entries: Map[int, tuple[Key, Value]] = Map()

    def put(self, key: Key, value: Value) -> "PersistentMap[Key, Value]":
        """The map with this value for the key; a key that was there keeps its place."""
        place = self._places.get(key)
        after: PersistentMap[Key, Value] = PersistentMap()
        after._places = self._places if place is not None else self._places.set(key, len(self))
        after._entries = self._entries.set(len(self) if place is None else place, (key, value))
        return after

    def __getitem__(self, key: Key) -> Value:
        return self._entries[self._places[key]][1]

    def __iter__(self) -> Iterator[Key]:
        return (self._entries[place][0] for place in range(len(self)))

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"PersistentMap({dict(self)!r})"
