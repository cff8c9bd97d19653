"""Exact units and decimals: every conversion is a rational, nothing is ever rounded (`scores.md` sections 0.3, 13).

The errors below are no part of the project's error tree: whoever calls turns them into the reason of a row
(`acceptance.py`) at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Protocol

MAX_DIGITS = 40
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")


class NotADecimal(ValueError):
    """The text is no plain decimal number."""


class UnitMissing(ValueError):
    """The measurement has a dimension and no unit was given."""


class UnitUnknown(ValueError):
    """The unit is none of the measurement's units."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """canonical = value x factor + offset, both exact."""

    factor: Fraction
    offset: Fraction = Fraction(0)

    def to_canonical(self, value: Fraction) -> Fraction:
        """From this unit to the canonical one."""
        return value * self.factor + self.offset

    def from_canonical(self, canonical: Fraction) -> Fraction:
        """From the canonical unit to this one; the exact inverse of `to_canonical`."""
        return (canonical - self.offset) / self.factor

    @classmethod
    def read(cls, text: str) -> "Conversion":
        """Reads `factor` or `factor:offset`, each a decimal or a fraction of integers (`5/9:-160/9`)."""
        factor, _, offset = text.partition(":")
        return cls(Fraction(factor), Fraction(offset or "0"))


IDENTITY = Conversion(Fraction(1))


class Convertible(Protocol):
    """What `to_canonical` needs of a measurement."""

    @property
    def code(self) -> str:
        """Its code in `labs.csv`."""
        ...

    @property
    def canonical_unit(self) -> str | None:
        """Its canonical UCUM unit."""
        ...

    @property
    def units(self) -> Mapping[str, Conversion]:
        """Every accepted unit, the canonical one included."""
        ...


def unit_is_optional(canonical_unit: str | None) -> bool:
    """Whether a value may come without unit: the canonical one is `1`, `[pH]` or an annotation in braces."""
    if canonical_unit is None or canonical_unit in ("1", "[pH]"):
        return True
    return canonical_unit.startswith("{") and canonical_unit.endswith("}")


def conversion_of(measurement: Convertible, unit: str | None) -> Conversion:
    """The conversion from a reported unit; UnitMissing or UnitUnknown otherwise.

    UCUM is case-sensitive and so is this. White space around a unit is no part of it; a blank unit is absent.
    """
    given = (unit or "").strip()
    if not given:
        if unit_is_optional(measurement.canonical_unit):
            return IDENTITY
        raise UnitMissing(f"{measurement.code} needs a unit: {units_text(measurement)}")
    conversion = measurement.units.get(given)
    if conversion is None:
        raise UnitUnknown(f"{given!r} is no unit of {measurement.code}; accepted: {units_text(measurement)}")
    return conversion


def to_canonical(measurement: Convertible, value: Decimal, unit: str | None) -> Fraction:
    """The exact value in the measurement's canonical unit; UnitMissing or UnitUnknown otherwise."""
    return conversion_of(measurement, unit).to_canonical(Fraction(value))


def units_text(measurement: Convertible) -> str:
    """The accepted units as a sentence's end: `umol/L, mg/dL or mg/L`."""
    units = list(measurement.units)
    if not units:
        return "none"
    return units[0] if len(units) == 1 else f"{', '.join(units[:-1])} or {units[-1]}"


def parse_decimal(text: str) -> Decimal:
    """A plain decimal: optional sign, ASCII digits, at most one point, at most 40 digits; NotADecimal otherwise.

    No exponent, no infinity, no thousands separator, no comparator: "1e3", "1,5" and "<0.2" are refused.
    """
    trimmed = text.strip()
    if not _DECIMAL.fullmatch(trimmed):
        raise NotADecimal(f"{text!r} is no plain decimal number such as 12 or 0.35")
    if sum(character.isdigit() for character in trimmed) > MAX_DIGITS:
        raise NotADecimal(f"a number has at most {MAX_DIGITS} digits")
    return Decimal(trimmed)


def fraction_str(value: Fraction, significant: int = 12) -> str:
    """Decimal text without exponent: exact when the expansion is finite, else rounded to `significant` digits.

    Half is rounded away from zero. Only display and transport use this; comparisons use the fraction.
    """
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        context = Context(prec=significant, rounding=ROUND_HALF_UP)
        return format(context.divide(Decimal(value.numerator), Decimal(value.denominator)), "f")
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text
