"""Statistics by their definitions (`endpoints.md` 2.1 and section 4), and what is shown of a number."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import ceil, comb, floor, sqrt

from scipy.stats import t as student

from event_recount.expected import Behind, Expected, Number

ALPHA = 0.05
"""The intervals hold 1 - ALPHA."""


def shown(number: Number | None, decimals: int) -> str:
    """Rounded half away from zero; NE where there is no number."""
    if number is None:
        return "NE"
    # Of a float its shortest text is meant: 1.005 and not the binary fraction beside it.
    size = abs(Fraction(repr(number)) if isinstance(number, float) else Fraction(number))
    units = floor(size * 10**decimals + Fraction(1, 2))
    sign = "-" if number < 0 and units else ""
    whole, rest = divmod(units, 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def percent(n: int, of: int) -> str:
    """A share in percent with one decimal."""
    return "NE" if of == 0 else f"{shown(Fraction(100 * n, of), 1)} %"


def count(behind: Behind, flags: frozenset[str] = frozenset(), of: int | None = None) -> Expected:
    """A number of participants."""
    n = len(behind)
    return Expected(n, str(n), n, of, behind=behind, flags=flags)


def proportion(behind: Behind, of: int, flags: frozenset[str] = frozenset()) -> Expected:
    """Participants of `of`, with the exact interval."""
    n = len(behind)
    value = n / of if of else None
    return Expected(value, f"{n} ({percent(n, of)})", n, of, clopper_pearson(n, of), behind, flags)


@cache
def clopper_pearson(x: int, n: int) -> tuple[float, float] | None:
    """The limits p at which x or more, and x or fewer, of n are as unlikely as half of ALPHA (2.1)."""
    if n == 0:
        return None

    def at_least(p: float) -> float:
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x, n + 1))

    def at_most(p: float) -> float:
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(x + 1))

    lower = 0.0 if x == 0 else _root(lambda p: at_least(p) - ALPHA / 2)
    upper = 1.0 if x == n else _root(lambda p: ALPHA / 2 - at_most(p))
    return lower, upper


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return low


def quantile(values: Sequence[Fraction], p: Fraction) -> Fraction:
    """TYPE2 of section 4: h = n p; a whole h gives the mean of x(h) and x(h + 1), else x of the next h."""
    ordered, h = sorted(values), len(values) * p
    if h == int(h):
        return (ordered[int(h) - 1] + ordered[int(h)]) / 2
    return ordered[ceil(h) - 1]


def describe(values: Sequence[Fraction]) -> Mapping[str, Number | None]:
    """The statistics of section 4 by the columns of the tables; None where there is none."""
    if not values:
        return dict.fromkeys(("MEAN", "SD", "MEDIAN", "Q1", "Q3", "MIN", "MAX"))
    mean = sum(values, Fraction(0)) / len(values)
    squares = sum(((each - mean) ** 2 for each in values), Fraction(0))
    return {
        "MEAN": mean,
        "SD": sqrt(squares / (len(values) - 1)) if len(values) > 1 else None,
        "MEDIAN": quantile(values, Fraction(1, 2)),
        "Q1": quantile(values, Fraction(1, 4)),
        "Q3": quantile(values, Fraction(3, 4)),
        "MIN": min(values),
        "MAX": max(values),
    }


def t_interval(values: Sequence[Fraction]) -> tuple[float, float] | None:
    """The interval of the mean; from two values on."""
    if len(values) < 2:
        return None
    found = describe(values)
    mean, sd = float(found["MEAN"] or 0), float(found["SD"] or 0)
    half = float(student.ppf(1 - ALPHA / 2, len(values) - 1)) * sd / sqrt(len(values))
    return mean - half, mean + half
