"""What was made last, by place: an event changes few of the thousand rows, and making them is what takes the time."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """Results that still hold, one or a few a place; it changes nothing but the time that an answer takes."""

    def __init__(self) -> None:
        self._made: dict[Hashable, list[tuple[object, Any]]] = {}

    def made(self, place: Hashable, of: object, make: Callable[[], T], keep: int = 1) -> T:
        """What `make` makes of `of`, or what it made at this place before, of the same.

        `of` must be all that the result depends on beside the place. The last `keep` results stay.
        """
        known = self._made.get(place, [])
        for made_of, result in known:
            if made_of is of or made_of == of:
                return result  # type: ignore[no-any-return]
        result = make()
        self._made[place] = [(of, result), *known[: keep - 1]]
        return result
