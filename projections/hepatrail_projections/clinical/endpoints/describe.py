"""Statistics of a parameter at a point (`endpoints.md` section 4): exact in, exact out but for the root of the SD."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm, sqrt
from typing import Final

from scipy.special import stdtrit

from hepatrail_projections.clinical.endpoints.cells import Interval

_QUANTILES: Final = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4))


@dataclass(frozen=True, slots=True)
class Summary:
    """n values of a parameter; `sd` (n - 1) is None below two of them, all others at none."""

    n: int
    mean: Fraction | None
    sd: float | None
    median: Fraction | None
    q1: Fraction | None
    q3: Fraction | None
    least: Fraction | None
    greatest: Fraction | None
    mean_interval: Interval | None


def summary(values: Sequence[Fraction], confidence: Decimal) -> Summary:
    """The statistics; the interval of the mean is Student's t, from two values on."""
    if not values:
        return Summary(0, None, None, None, None, None, None, None, None)
    # Whole numbers over one denominator: the same results as with fractions, many times sooner.
    scale = lcm(*{each.denominator for each in values})
    ordered = sorted(each.numerator * (scale // each.denominator) for each in values)
    n, total = len(ordered), sum(ordered)
    mean = Fraction(total, n * scale)
    squares = n * sum(each * each for each in ordered) - total * total
    sd = None if n < 2 else sqrt(Fraction(squares, n * (n - 1) * scale * scale))
    median, q1, q3 = (
        Fraction(ordered[lower] + ordered[upper], 2 * scale) for lower, upper in (_type2(n, p) for p in _QUANTILES)
    )
    return Summary(
        n,
        mean,
        sd,
        median,
        q1,
        q3,
        Fraction(ordered[0], scale),
        Fraction(ordered[-1], scale),
        None if sd is None else _t_interval(float(mean), sd, n, confidence),
    )


def type2(ordered: Sequence[Fraction], p: Fraction) -> Fraction:
    """The quantile of Hyndman and Fan's definition 2 (SAS's default): averaged where n p is whole.

    `ordered` is ascending and not empty; 0 < p < 1. Source: The American Statistician 50 (1996) 361.
    """
    lower, upper = _type2(len(ordered), p)
    return (ordered[lower] + ordered[upper]) / 2


def _type2(n: int, p: Fraction) -> tuple[int, int]:
    """The places of the two values whose mean is the quantile; the same twice where it is one of them."""
    at, rest = divmod(n * p.numerator, p.denominator)
    return (at, at) if rest else (at - 1, at)


def _t_interval(mean: float, sd: float, n: int, confidence: Decimal) -> Interval:
    half = float(stdtrit(n - 1, float((1 + confidence) / 2))) * sd / sqrt(n)
    return Interval(mean - half, mean + half, confidence, "T")
