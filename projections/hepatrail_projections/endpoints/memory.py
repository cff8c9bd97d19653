"""What was made last, by place: an event changes few of the thousand rows, and making them is what takes the time."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """The last result of each place; it changes nothing but the time that an answer takes."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[object, Any]] = {}

    def made(self, place: Hashable, of: object, make: Callable[[], T]) -> T:
        """What `make` makes of `of`, or what it made at this place before, of the same.

        `of` must be all that the result depends on beside the place.
        """
        known = self._made.get(place)
        if known is None or (known[0] is not of and known[0] != of):
            known = self._made[place] = (of, make())
        return known[1]
