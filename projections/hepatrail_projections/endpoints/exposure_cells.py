"""Cells of the tables of exposure: numbers with their decimals, statistics of them, shares of sessions."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import TypeAlias
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import (
    Cell,
    Column,
    Contribution,
    in_order,
    rounded,
    text,
)
from hepatrail_projections.clinical.endpoints.describe import summary
from hepatrail_projections.clinical.endpoints.proportion import percent
from hepatrail_projections.endpoints.memory import Memory
from hepatrail_projections.endpoints.safety_cells import empty

Who: TypeAlias = Iterable[tuple[str, tuple[UUID, ...]]]
"""Participants with the events of something of theirs; some may come several times."""

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


def held(who: Who, place: str, memory: Memory) -> tuple[Contribution, ...]:
    """Each participant once with all these events, in order; who has the same ones as before is not made anew."""
    found: dict[str, list[tuple[UUID, ...]]] = {}
    for subject_id, event_ids in who:
        found.setdefault(subject_id, []).append(event_ids)
    return tuple(
        memory.made(("exposure", place, each), found[each], partial(_contribution, each, found[each]))
        for each in sorted(found)
    )


def _contribution(subject_id: str, event_ids: Iterable[tuple[UUID, ...]]) -> Contribution:
    return Contribution(subject_id, in_order(chain.from_iterable(event_ids)))


def statistics(
    values: Sequence[Fraction],
    of: tuple[Contribution, ...],
    decimals: int,
    confidence: Decimal,
    *,
    total: Fraction | None = None,
    per: int = 1,
) -> tuple[Cell, ...]:
    """The statistics of section 4 of values with so many decimals, and their sum, `total`, where that means something.

    `of` are those whose values they are. Mean, median and quartiles have one decimal more than the values, the SD two.
    """
    found = summary(values, confidence)
    sd = None if found.sd is None else Fraction(repr(found.sd))
    numbers = (
        number("MEAN", found.mean, decimals + 1, of, per=per),
        number("SD", sd, decimals + 2, of, per=per),
        number("MEDIAN", found.median, decimals + 1, of, per=per),
        number("Q1", found.q1, decimals + 1, of, per=per),
        number("Q3", found.q3, decimals + 1, of, per=per),
        number("MIN", found.least, decimals, of, per=per),
        number("MAX", found.greatest, decimals, of, per=per),
    )
    return (
        Cell("N", str(found.n), str(found.n), found.n, contributions=of),
        *numbers,
        empty("TOTAL") if total is None else number("TOTAL", total, decimals, of, per=per),
    )


def share_of_sessions(column: str, count: int, of: int, who: tuple[Contribution, ...]) -> Cell:
    """Sessions of all sessions; without interval, because those of one participant are not independent."""
    share = None if of == 0 else count / of
    return Cell(column, text(share), f"{count} ({percent(share)})", count, of, contributions=who)
