"""Proportions of participants with exact intervals (`endpoints.md` 2.1)."""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from scipy.special import betaincinv

from hepatrail_projections.clinical.endpoints.cells import Cell, Contribution, Interval, contributions, rounded, text


@lru_cache(maxsize=4096)
def clopper_pearson(x: int, n: int, confidence: Decimal) -> Interval | None:
    """The exact interval of x out of n; None where n is 0. ValueError unless 0 <= x <= n.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404, through the quantiles of the beta distribution.
    """
    if not 0 <= x <= n:
        raise ValueError(f"{x} of {n} is no proportion")
    if n == 0:
        return None
    tail = float((1 - confidence) / 2)
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return Interval(lower, upper, confidence, "CLOPPER_PEARSON")


def proportion_cell(
    column: str,
    who: Iterable[tuple[str, Iterable[UUID]]],
    of: int,
    confidence: Decimal,
    flags: tuple[str, ...] = (),
) -> Cell:
    """Participants (each with the events that count) of `of`: `3 (25.0 %)`, with the exact interval."""
    return share_cell(column, contributions(who), of, confidence, flags)


def share_cell(
    column: str, held: tuple[Contribution, ...], of: int, confidence: Decimal, flags: tuple[str, ...] = ()
) -> Cell:
    """As `proportion_cell`, of contributions that are in order already."""
    count = len(held)
    share = None if of == 0 else count / of
    display = f"{count} ({percent(share)})"
    return Cell(column, text(share), display, count, of, clopper_pearson(count, of, confidence), held, flags)


def count_cell(column: str, count: int, who: Iterable[tuple[str, Iterable[UUID]]], flags: tuple[str, ...] = ()) -> Cell:
    """A number of things, with the participants and events that they are."""
    return Cell(column, str(count), str(count), count, None, None, contributions(who), flags)


def percent(share: float | None) -> str:
    """A share as percent with one decimal, NE for none."""
    shown = rounded(None if share is None else Decimal(repr(share)) * 100, 1)
    return shown if share is None else f"{shown} %"
