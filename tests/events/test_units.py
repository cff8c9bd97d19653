"""Conversions are exact both ways, and only plain decimals are numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.catalogue import catalogue
from hepatrail_events.units import (
    Conversion,
    NotADecimal,
    UnitMissing,
    UnitUnknown,
    fraction_str,
    parse_decimal,
    to_canonical,
)

PAIRS = [(code, unit) for code, measurement in catalogue().items() for unit in measurement.units]
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9)


@pytest.mark.parametrize(
    ("code", "value", "unit", "canonical"),
    [
        ("creatinine", "1.5", "mg/dL", "132.6"),
        ("tbil", "2.0", "mg/dL", "34.2"),
        ("temperature", "101.3", "[degF]", "38.5"),
        ("temperature", "32", "[degF]", "0"),
        ("albumin", "3.5", "g/dL", "35"),
        ("ammonia", "100", "ug/dL{NH3_N}", "71.39"),
        ("afp", "100", "[IU]/mL", "121"),
        ("fio2", "40", "%", "0.4"),
        ("cvvhd_hours_7d", "90", "min", "1.5"),
        ("weight", "150", "[lb_av]", "68.0388555"),
        ("inr", "1.7", None, "1.7"),
        ("ph_arterial", "7.33", None, "7.33"),
    ],
)
def test_the_trials_conversions_are_exact(code: str, value: str, unit: str | None, canonical: str) -> None:
    assert to_canonical(catalogue()[code], Decimal(value), unit) == Fraction(canonical)


def test_only_an_exact_fifty_thirds_gives_the_catecholamine_dose() -> None:
    assert to_canonical(catalogue()["dopamine_dose"], Decimal("0.3"), "mg/kg/h") == 5


@settings(deadline=None)
@given(st.sampled_from(PAIRS), DECIMALS)
def test_every_conversion_round_trips_exactly(pair: tuple[str, str], value: Decimal) -> None:
    code, unit = pair
    measurement = catalogue()[code]
    canonical = to_canonical(measurement, value, unit)
    assert measurement.units[unit].from_canonical(canonical) == Fraction(value)


def test_a_dimension_needs_its_unit() -> None:
    with pytest.raises(UnitMissing, match="umol/L, mg/dL, mg/L or mmol/L"):
        to_canonical(catalogue()["creatinine"], Decimal(1), None)
    with pytest.raises(UnitMissing):
        to_canonical(catalogue()["creatinine"], Decimal(1), "  ")


@pytest.mark.parametrize(("code", "unit"), [("creatinine", "umol/l"), ("bun", "mg/dL"), ("inr", "s")])
def test_a_unit_that_is_not_listed_is_refused(code: str, unit: str) -> None:
    with pytest.raises(UnitUnknown, match="accepted"):
        to_canonical(catalogue()[code], Decimal(1), unit)


def test_white_space_around_a_unit_says_nothing() -> None:
    assert to_canonical(catalogue()["creatinine"], Decimal(1), " mg/dL ") == Fraction("88.4")


@pytest.mark.parametrize("text", ["0", "12", "-3.5", "+4", ".5", "007", " 1.20 ", "1" * 40])
def test_plain_decimals_are_read(text: str) -> None:
    assert parse_decimal(text) == Decimal(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e3",
        "1E-2",
        "inf",
        "-Infinity",
        "nan",
        "1,5",
        "1 000",
        "5.",
        "<0.2",
        "--1",
        "1_0",
        "٣",
        "0x1",
        "1" * 41,
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(NotADecimal):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1, 2), "0.5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(2652, 25), "106.08"),
        (Fraction(10**30), "1" + "0" * 30),
        (Fraction(1, 10**12), "0.000000000001"),
        (Fraction(50, 3), "16.6666666667"),
        (Fraction(2, 3 * 10**8), "0.00000000666666666667"),
    ],
)
def test_a_fraction_is_written_exactly_or_to_twelve_digits(value: Fraction, text: str) -> None:
    assert fraction_str(value) == text


def test_fewer_digits_can_be_asked_for_and_half_goes_up() -> None:
    assert fraction_str(Fraction(1, 3), 3) == "0.333"
    assert fraction_str(Fraction(200, 3), 2) == "67"


@settings(deadline=None)
@given(DECIMALS)
def test_a_finite_value_is_written_without_loss(value: Decimal) -> None:
    assert Fraction(fraction_str(Fraction(value))) == Fraction(value)
    assert "E" not in fraction_str(Fraction(value))


def test_factor_and_offset_are_read_as_fractions() -> None:
    assert Conversion.read("5/9:-160/9") == Conversion(Fraction(5, 9), Fraction(-160, 9))
    assert Conversion.read("0.1110") == Conversion(Fraction(111, 1000), Fraction(0))
