"""Cells of the tables of exposure: numbers with their decimals, statistics of them, shares of sessions."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import (
    Cell,
    Column,
    Contribution,
    contributions,
    rounded,
    text,
)
from hepatrail_projections.clinical.endpoints.describe import summary
from hepatrail_projections.clinical.endpoints.proportion import percent
from hepatrail_projections.endpoints.safety_cells import empty

Who: TypeAlias = Iterable[tuple[str, Iterable[UUID]]]
Valued: TypeAlias = Sequence[tuple[str, Fraction, tuple[UUID, ...]]]
"""Values with the participant and the events of each."""

STATISTICS = (
    Column("N", "n"),
    Column("MEAN", "Mean"),
    Column("SD", "SD"),
    Column("MEDIAN", "Median"),
    Column("Q1", "Q1"),
    Column("Q3", "Q3"),
    Column("MIN", "Minimum"),
    Column("MAX", "Maximum"),
    Column("TOTAL", "Total"),
)


def number(
    column: str,
    value: Fraction | None,
    decimals: int,
    held: tuple[Contribution, ...],
    flags: tuple[str, ...] = (),
    per: int = 1,
) -> Cell:
    """A number, shown in units of `per` with its decimals."""
    shown = value if value is None or per == 1 else value / per
    return Cell(column, text(value), rounded(shown, decimals), contributions=held, flags=flags)


def statistics(
    values: Valued, decimals: int, confidence: Decimal, *, total: Fraction | None = None, per: int = 1
) -> tuple[Cell, ...]:
    """The statistics of section 4 of values with so many decimals, and their sum, `total`, where that means something.

    Mean, median and quartiles have one decimal more than the values, the SD two.
    """
    found = summary([value for _, value, _ in values], confidence)
    held = contributions((subject_id, event_ids) for subject_id, _, event_ids in values)
    sd = None if found.sd is None else Fraction(repr(found.sd))
    numbers = (
        number("MEAN", found.mean, decimals + 1, held, per=per),
        number("SD", sd, decimals + 2, held, per=per),
        number("MEDIAN", found.median, decimals + 1, held, per=per),
        number("Q1", found.q1, decimals + 1, held, per=per),
        number("Q3", found.q3, decimals + 1, held, per=per),
        number("MIN", found.least, decimals, held, per=per),
        number("MAX", found.greatest, decimals, held, per=per),
    )
    return (
        Cell("N", str(found.n), str(found.n), found.n, contributions=held),
        *numbers,
        empty("TOTAL") if total is None else number("TOTAL", total, decimals, held, per=per),
    )


def share_of_sessions(column: str, count: int, of: int, who: Who) -> Cell:
    """Sessions of all sessions; without interval, because those of one participant are not independent."""
    share = None if of == 0 else count / of
    return Cell(column, text(share), f"{count} ({percent(share)})", count, of, contributions=contributions(who))
