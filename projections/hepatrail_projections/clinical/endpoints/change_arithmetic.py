"""Arithmetic of a change from baseline (`endpoints.md` section 4): exact, in canonical units.

Decided here, because the reference leaves room: `<= x` counts as `< x`, and `>= x` as `> x`, since what was measured
is a limit there too; a percent change is kept to 12 decimals, far below what is shown, so that means of many stay
exact and quick.
"""

from fractions import Fraction
from typing import Final, Literal, NamedTuple, TypeAlias

Qualifier: TypeAlias = Literal["QUALIFIED_LOW", "QUALIFIED_HIGH"]

_KEPT: Final = 10**12


class Analysed(NamedTuple):
    """The number that statistics use, and whether it stands for a limit."""

    number: Fraction
    qualifier: Qualifier | None


def analysed(number: Fraction, comparator: str | None, censored_low: Literal["HALF", "LIMIT"]) -> Analysed:
    """What counts of a value as reported: `< x` is x / 2, or x where the protocol says LIMIT; `> x` is x.

    `comparator` is `<`, `<=`, `>`, `>=` or None; ValueError for any other.
    """
    match comparator:
        case None:
            return Analysed(number, None)
        case "<" | "<=":
            return Analysed(number / 2 if censored_low == "HALF" else number, "QUALIFIED_LOW")
        case ">" | ">=":
            return Analysed(number, "QUALIFIED_HIGH")
        case _:
            raise ValueError(f"{comparator!r} is no comparator")


def percent_change(baseline: Fraction, value: Fraction) -> Fraction | None:
    """The change in percent of the baseline; None unless the baseline is above 0."""
    if baseline <= 0:
        return None
    change = value - baseline
    above = 100 * _KEPT * change.numerator * baseline.denominator
    below = change.denominator * baseline.numerator
    return Fraction((2 * above + below) // (2 * below), _KEPT)
