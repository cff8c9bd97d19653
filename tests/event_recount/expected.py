"""What a recount says that must stand in a cell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias
from uuid import UUID

Key: TypeAlias = tuple[str, str, str]
"""Table, row and column."""
Number: TypeAlias = int | float | Fraction
Behind: TypeAlias = Mapping[str, Iterable[UUID]]
"""The participants in a cell, and the events that put them there."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The number (None: none), what is shown of it, `n` of `of`, its interval, whom it rests on, what to know of it."""

    value: Number | None
    shown: str
    n: int | None = None
    of: int | None = None
    limits: tuple[float, float] | None = None
    behind: Behind = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


Cells: TypeAlias = dict[Key, Expected]

EMPTY = Expected(None, "")
"""A cell in which there is nothing to say."""
