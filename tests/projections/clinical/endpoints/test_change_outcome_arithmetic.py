"""Arithmetic and statistics of a change from baseline (`endpoints.md` section 4), against numpy."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_projections.clinical.endpoints.change_arithmetic import Analysed, analysed, percent_change
from hepatrail_projections.clinical.endpoints.describe import summary, type2

positive = st.fractions(Fraction(1, 1000), 10_000, max_denominator=1000)


@pytest.mark.parametrize(
    ("comparator", "rule", "number", "qualifier"),
    [
        (None, "HALF", 8, None),
        ("<", "HALF", 4, "QUALIFIED_LOW"),
        ("<=", "HALF", 4, "QUALIFIED_LOW"),
        ("<", "LIMIT", 8, "QUALIFIED_LOW"),
        ("<=", "LIMIT", 8, "QUALIFIED_LOW"),
        (">", "HALF", 8, "QUALIFIED_HIGH"),
        (">=", "LIMIT", 8, "QUALIFIED_HIGH"),
    ],
)
def test_below_a_limit_counts_half_or_the_limit_above_it_the_limit(
    comparator: str | None, rule: str, number: int, qualifier: str | None
) -> None:
    assert analysed(Fraction(8), comparator, rule) == Analysed(Fraction(number), qualifier)  # type: ignore[arg-type]


def test_another_sign_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'~' is no comparator"):
        analysed(Fraction(8), "~", "HALF")


def test_percent_needs_a_baseline_above_zero() -> None:
    assert percent_change(Fraction(0), Fraction(1)) is None
    assert percent_change(Fraction(-1), Fraction(1)) is None
    assert percent_change(Fraction(1, 1000), Fraction(0)) == -100
    assert percent_change(Fraction(80), Fraction(60)) == -25


def test_percent_is_kept_to_twelve_decimals() -> None:
    assert percent_change(Fraction(3), Fraction(4)) == Fraction("33.333333333333")
    assert percent_change(Fraction(3), Fraction(5)) == Fraction("66.666666666667")
    assert percent_change(Fraction(3), Fraction(2)) == Fraction("-33.333333333333")
    assert percent_change(Fraction(3), Fraction(1)) == Fraction("-66.666666666667")


@given(positive, st.fractions(0, 10_000, max_denominator=1000))
def test_percent_is_the_change_over_the_baseline(baseline: Fraction, value: Fraction) -> None:
    found = percent_change(baseline, value)
    assert found is not None
    assert abs(found - (value - baseline) / baseline * 100) <= Fraction(1, 2 * 10**12)


@given(st.lists(st.fractions(-1000, 1000, max_denominator=1000), min_size=2, max_size=30))
def test_the_statistics_are_those_of_numpy(values: list[Fraction]) -> None:
    found, floats = summary(values, Decimal("0.95")), [float(each) for each in values]
    quantiles = np.quantile(floats, (0.25, 0.5, 0.75), method="averaged_inverted_cdf")
    assert [float(each or 0) for each in (found.q1, found.median, found.q3)] == pytest.approx(list(quantiles), abs=1e-9)
    assert (float(found.mean or 0), found.sd) == pytest.approx((np.mean(floats), np.std(floats, ddof=1)), abs=1e-9)
    assert (found.n, found.least, found.greatest) == (len(values), min(values), max(values))


@given(st.lists(st.fractions(-50, 50, max_denominator=20), min_size=1, max_size=30), st.sampled_from((1, 2, 3, 5, 7)))
def test_a_quantile_of_type2_is_that_of_numpy(values: list[Fraction], eighths: int) -> None:
    ordered, p = sorted(values), Fraction(eighths, 8)
    peer = np.quantile([float(each) for each in ordered], float(p), method="averaged_inverted_cdf")
    assert float(type2(ordered, p)) == pytest.approx(float(peer), abs=1e-9)
