"""The tables of the outcomes: every cell carries its number, what is shown of it, and whom it rests on.

Source: `endpoints.md`. Values are unrounded; they are rounded for `display` only, half away from zero.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeAlias
from uuid import UUID

Number: TypeAlias = int | float | Decimal | Fraction

NOT_ESTIMABLE: Final = "NE"
"""Shown where a number cannot be had from what there is."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval; `confidence` is the whole of it, such as 0.95."""

    lower: float
    upper: float
    confidence: Decimal
    method: Literal["CLOPPER_PEARSON", "LOG_LOG", "T"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """A participant in a cell, and the events that put them there (none: the participant's absence of such)."""

    subject_id: str
    event_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table.

    `value` is decimal text, unrounded, None where it is not estimable or not defined. `n` of `of` is what a proportion
    is made of. `contributions` are in the order of the participants' ids; `flags` are codes of what to know before
    using the number.
    """

    column: str
    value: str | None
    display: str
    n: int | None = None
    of: int | None = None
    interval: Interval | None = None
    contributions: tuple[Contribution, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: `code` is unique in it and stable, `label` in the words of the protocol."""

    code: str
    label: str
    cells: tuple[Cell, ...]
    level: int = 0

    def cell(self, column: str) -> Cell:
        """The cell of a column; KeyError without one."""
        for each in self.cells:
            if each.column == column:
                return each
        raise KeyError(column)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `code` names it in cells, `label` heads it."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Table:
    """One output of `endpoints.md`; `section` is where it is defined there."""

    code: str
    title: str
    section: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def row(self, code: str) -> Row:
        """The row of a code; KeyError without one."""
        for each in self.rows:
            if each.code == code:
                return each
        raise KeyError(code)

    def cells(self) -> Iterator[tuple[Row, Cell]]:
        """Every cell with its row."""
        for row in self.rows:
            for cell in row.cells:
                yield row, cell


def text(number: Number | None) -> str | None:
    """A number as decimal text without an exponent; a fraction that has none as its nearest float."""
    if number is None:
        return None
    if isinstance(number, Fraction):
        number = float(number)
    return format(Decimal(repr(number) if isinstance(number, float) else number), "f")


def rounded(number: Number | None, decimals: int) -> str:
    """What is shown of a number: half away from zero, never minus zero; NE for None."""
    if number is None:
        return NOT_ESTIMABLE
    # Of a float its shortest text is meant, 1.005 and not the binary fraction beside it. Integers: thousands of cells.
    top, bottom = (Decimal(repr(number)) if isinstance(number, float) else number).as_integer_ratio()
    units = (2 * abs(top) * 10**decimals + bottom) // (2 * bottom)
    digits = str(units).rjust(decimals + 1, "0")
    shown = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"-{shown}" if top < 0 and units else shown


def contributions(entries: Iterable[tuple[str, Iterable[UUID]]]) -> tuple[Contribution, ...]:
    """Participants with their events, each once, in the order of their ids."""
    found: dict[str, list[UUID]] = {}
    for subject_id, event_ids in entries:
        found.setdefault(subject_id, []).extend(event_ids)
    return tuple(Contribution(each, in_order(found[each])) for each in sorted(found))


def in_order(event_ids: Iterable[UUID]) -> tuple[UUID, ...]:
    """Ids, each once, in their order: by their numbers, because a UUID compares and hashes in Python."""
    event_ids = tuple(event_ids)
    if len(event_ids) < 2:
        return event_ids
    numbered = {each.int: each for each in event_ids}
    return tuple(map(numbered.__getitem__, sorted(numbered)))
