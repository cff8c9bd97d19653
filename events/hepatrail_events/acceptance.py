"""Whether a measured row may feed derivations, and its canonical value (LAB-02; `scores.md` section 13).

A row that may not is never lost: it is stored as reported with the reason given here. Decided here, because the
domain reference leaves room:

- Reasons are looked for in the order code, unit, value, limits; the first one found is the row's.
- A comparator is judged on the number beside it ("<0.2" arrives as value 0.2, comparator <), limits included.
  It may stand before a number only, never before a code, `NT` or a point of the Glasgow Coma Scale.
- A point outside the scale's range (gcs_eye 5, gcs_total 2) is no allowed value rather than an implausible one:
  a number that the scale does not have cannot be confirmed.
- `integer` takes 2 and 2.0, not 1.5.
- A derived measurement is never entered, except gcs_total; it is a known code, so its value is what is refused.
- A row without value (a reason for `notDone` stands instead) is accepted when its code may be entered: it says
  nothing that could be wrong.
- White space around value and unit is ignored; case is not: `umol/l` is no unit, `Male` no code.

TIME_IN_FUTURE and SOURCE_UNKNOWN need the clock and the protocol and are decided by the caller.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias

from hepatrail_events.catalogue import NOT_TESTABLE, Measurement, catalogue
from hepatrail_events.units import (
    Conversion,
    NotADecimal,
    UnitMissing,
    UnitUnknown,
    conversion_of,
    fraction_str,
    parse_decimal,
    unit_is_optional,
)

Reason: TypeAlias = Literal["UNKNOWN_CODE", "UNIT_MISSING", "UNIT_UNKNOWN", "VALUE_NOT_ALLOWED", "IMPLAUSIBLE"]
Canonical: TypeAlias = Fraction | str | None

_COMPARATORS = ("<", "<=", ">", ">=")
_ENTERED_THOUGH_DERIVED = frozenset({"gcs_total"})
_ALIASES = {"gcs_verbal": ("T", "1T"), "gcs_eye": ("C",)}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The row may feed derivations: a rational in the canonical unit, a code (`NT`, `yes`, `true`), or None."""

    canonical: Canonical


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """The row is stored as reported and feeds nothing; the message says what would be accepted.

    `canonical` is set for IMPLAUSIBLE only: the value that derivations use once an investigator confirms it.
    """

    reason: Reason
    message: str
    canonical: Fraction | None = None


def accept(code: str, value: str | None, comparator: str | None, unit: str | None) -> Accepted | Unaccepted:
    """Judges one row as reported; never raises."""
    measurement = catalogue().get(code)
    if measurement is None:
        return Unaccepted("UNKNOWN_CODE", _unknown(code))
    if measurement.value_type == "derived" and code not in _ENTERED_THOUGH_DERIVED:
        return Unaccepted("VALUE_NOT_ALLOWED", f"{code} is derived from other measurements and never entered")
    if value is None:
        return Accepted(None)
    try:
        conversion = conversion_of(measurement, unit)
    except UnitMissing as error:
        return Unaccepted("UNIT_MISSING", str(error))
    except UnitUnknown as error:
        return Unaccepted("UNIT_UNKNOWN", str(error))
    if comparator is not None and comparator not in _COMPARATORS:
        return Unaccepted("VALUE_NOT_ALLOWED", f"{comparator!r} is no comparator; accepted: {', '.join(_COMPARATORS)}")
    if measurement.value_type in ("coded", "boolean"):
        return _accept_code(measurement, value.strip(), comparator)
    return _accept_number(measurement, value.strip(), comparator, conversion)


def _accept_code(measurement: Measurement, value: str, comparator: str | None) -> Accepted | Unaccepted:
    if comparator is None and measurement.allowed is not None and value in measurement.allowed:
        return Accepted(value)
    return Unaccepted("VALUE_NOT_ALLOWED", _not_allowed(measurement, value, comparator))


def _accept_number(
    measurement: Measurement, value: str, comparator: str | None, conversion: Conversion
) -> Accepted | Unaccepted:
    scale = _is_scale(measurement)
    if scale and comparator is not None:
        return Unaccepted("VALUE_NOT_ALLOWED", _not_allowed(measurement, value, comparator))
    if measurement.value_type == "integer_or_NT" and value in (NOT_TESTABLE, *_ALIASES.get(measurement.code, ())):
        return Accepted(NOT_TESTABLE)
    try:
        number = Fraction(parse_decimal(value))
    except NotADecimal:
        return Unaccepted("VALUE_NOT_ALLOWED", _not_allowed(measurement, value, comparator))
    canonical = conversion.to_canonical(number)
    if (scale or measurement.value_type == "integer") and canonical.denominator != 1:
        return Unaccepted("VALUE_NOT_ALLOWED", _not_allowed(measurement, value, comparator))
    low, high = measurement.plausible_low, measurement.plausible_high
    if (low is None or low <= canonical) and (high is None or canonical <= high):
        return Accepted(canonical)
    if scale:
        return Unaccepted("VALUE_NOT_ALLOWED", _not_allowed(measurement, value, comparator))
    return Unaccepted("IMPLAUSIBLE", _implausible(measurement, canonical), canonical)


def _is_scale(measurement: Measurement) -> bool:
    return measurement.value_type in ("integer_or_NT", "derived")


# A study imported from elsewhere reports the same few unknown codes row by row, and looking for near ones is slow.
@lru_cache(maxsize=1_024)
def _unknown(code: str) -> str:
    near = get_close_matches(code, catalogue(), n=3)
    return f"{code!r} is no measurement of the trial" + (f"; did you mean {' or '.join(near)}?" if near else "")


def _not_allowed(measurement: Measurement, value: str, comparator: str | None) -> str:
    return f"{measurement.code} {comparator or ''}{value!r} is not allowed; accepted: {_accepted_text(measurement)}"


def _accepted_text(measurement: Measurement) -> str:
    if measurement.value_type in ("coded", "boolean"):
        return ", ".join(sorted(measurement.allowed or ())) + ", without comparator"
    if _is_scale(measurement):
        not_testable = f" or {NOT_TESTABLE}" if measurement.value_type == "integer_or_NT" else ""
        return f"a whole number from {_limits(measurement)}{not_testable}, without comparator"
    kind = "a whole number" if measurement.value_type == "integer" else "a plain decimal number"
    return f"{kind}, with a sign such as < in comparator"


def _implausible(measurement: Measurement, canonical: Fraction) -> str:
    unit = "" if unit_is_optional(measurement.canonical_unit) else f" {measurement.canonical_unit}"
    return (
        f"{measurement.code} {fraction_str(canonical)}{unit} is outside {_limits(measurement)}{unit}; "
        "correct value or unit, or let an investigator confirm it"
    )


def _limits(measurement: Measurement) -> str:
    low, high = measurement.plausible_low, measurement.plausible_high
    return f"{'-' if low is None else fraction_str(low)} to {'-' if high is None else fraction_str(high)}"
