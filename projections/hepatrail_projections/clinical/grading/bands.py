"""Grade bands as the reference prints them (`U < x <= 3U`), and where a value may lie; exact rationals.

`x` is the result, `U` and `L` are the limits of its own report, `B` is the baseline, all in the canonical unit.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

Limit: TypeAlias = Literal["uln", "lln", "baseline"]


class Limits(NamedTuple):
    """The numbers that U, L and B stand for in one case; None where there is none."""

    uln: Fraction | None = None
    lln: Fraction | None = None
    baseline: Fraction | None = None


_SYMBOLS: Mapping[str, Limit] = {"U": "uln", "L": "lln", "B": "baseline"}
_TEXT = re.compile(r"(?:(?P<low>[^<>=]+?) (?P<after><=?) )?x(?: (?P<before><=?|>) (?P<high>[^<>=]+))?")
_EDGE = re.compile(r"(?P<number>[0-9.]+)?(?P<symbol>[ULB])?(?: \+ (?P<plus>[0-9.]+))?")


class Edge(NamedTuple):
    """One end of a band: factor x limit + plus, or the plain number `plus`; whether it belongs to the band."""

    limit: Limit | None
    factor: Fraction
    plus: Fraction
    inclusive: bool

    def value(self, limits: Limits) -> Fraction | None:
        """The number, None when its limit is missing."""
        if self.limit is None:
            return self.plus
        known: Fraction | None = getattr(limits, self.limit)
        if known is None or self.factor == 1:
            return known if known is None or not self.plus else known + self.plus
        return self.factor * known + self.plus if self.plus else self.factor * known


class Span(NamedTuple):
    """Every value between two ends (None: unbounded); one exact value when both are the same."""

    low: Fraction | None
    low_inclusive: bool
    high: Fraction | None
    high_inclusive: bool

    def holds(self, value: Fraction) -> bool:
        """Whether a value lies in it."""
        if self.low is not None and (value < self.low if self.low_inclusive else value <= self.low):
            return False
        return self.high is None or (value <= self.high if self.high_inclusive else value < self.high)

    def not_above(self, limit: Fraction) -> bool:
        """Whether no value in it is greater than the limit."""
        return self.high is not None and self.high <= limit

    def above(self, limit: Fraction) -> bool:
        """Whether every value in it is greater than the limit."""
        if self.low is None:
            return False
        return self.low > limit or (self.low == limit and not self.low_inclusive)

    @property
    def exact(self) -> Fraction | None:
        """The one value that it holds, None when it holds more."""
        return self.low if self.low is not None and self.low == self.high else None


def span(value: Fraction, comparator: str | None = None) -> Span:
    """What a reported value allows: itself, or with a comparator everything on that side of it (R11)."""
    if comparator in ("<", "<="):
        return Span(None, False, value, comparator == "<=")
    if comparator in (">", ">="):
        return Span(value, comparator == ">=", None, False)
    return Span(value, True, value, True)


class Band(NamedTuple):
    """The values of one grade."""

    grade: int
    low: Edge | None
    high: Edge | None


class Known(NamedTuple):
    """A band with the numbers of one case: `span` as far as they are known, and the limits that are `missing`."""

    grade: int
    span: Span
    missing: frozenset[Limit]

    def holds(self, value: Fraction) -> bool | None:
        """Whether the value lies in it; None when that hangs on a missing limit."""
        if not self.span.holds(value):
            return False
        return None if self.missing else True


@dataclass(frozen=True, eq=False)
class BandRow:
    """The bands of one row of the tables; compared by identity, so that it is a cheap key of a memory."""

    bands: tuple[Band, ...]

    def known(self, limits: Limits) -> tuple[Known, ...]:
        """The bands with the numbers of one case."""
        return _known(self, limits)


@lru_cache(maxsize=1 << 12)
def _known(row: BandRow, limits: Limits) -> tuple[Known, ...]:
    return tuple(_band_known(each, limits) for each in row.bands)


def _band_known(each: Band, limits: Limits) -> Known:
    low = None if each.low is None else each.low.value(limits)
    high = None if each.high is None else each.high.value(limits)
    needed: set[Limit] = {edge.limit for edge in (each.low, each.high) if edge is not None and edge.limit is not None}
    missing: frozenset[Limit] = frozenset(limit for limit in needed if getattr(limits, limit) is None)
    inclusive = each.low is None or each.low.inclusive, each.high is None or each.high.inclusive
    return Known(each.grade, Span(low, inclusive[0], high, inclusive[1]), missing)


def band(grade: int, text: str) -> Band:
    """Reads a condition of the reference's tables: `U < x <= 3U`, `x > 20U`, `75 <= x < L`, `U < x <= U + 20`."""
    read = _TEXT.fullmatch(text)
    if read is None:
        raise ValueError(f"{text!r} is no condition on x")
    low = None if read["low"] is None else _edge(read["low"], inclusive=read["after"] == "<=")
    high = None
    if read["before"] == ">":
        low = _edge(read["high"], inclusive=False)
    elif read["before"] is not None:
        high = _edge(read["high"], inclusive=read["before"] == "<=")
    return Band(grade, low, high)


def probes(within: Span, bands: Iterable[Known]) -> tuple[Fraction, ...]:
    """Values of a span, at least one of each piece on which every band is either true or false throughout."""
    if within.exact is not None:
        return (within.exact,)
    ends = {within.low, within.high}.union(*({each.span.low, each.span.high} for each in bands))
    cuts = sorted(cut for cut in ends if cut is not None)
    between = [(low + high) / 2 for low, high in pairwise(cuts)]
    outside = [cuts[0] - 1, cuts[-1] + 1]
    return tuple(value for value in (*cuts, *between, *outside) if within.holds(value))


def _edge(text: str, *, inclusive: bool) -> Edge:
    read = _EDGE.fullmatch(text.strip())
    if read is None:
        raise ValueError(f"{text!r} is no number, limit or multiple of a limit")
    number = Fraction(read["number"] or 1)
    if read["symbol"] is None:
        return Edge(None, Fraction(0), number, inclusive)
    return Edge(_SYMBOLS[read["symbol"]], number, Fraction(read["plus"] or 0), inclusive)
