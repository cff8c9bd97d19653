"""The reference values of `endpoints.md` 2.1 and 4, and what must hold for any numbers."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hepatrail_projections.clinical.endpoints.cells import Contribution, rounded, text
from hepatrail_projections.clinical.endpoints.describe import summary, type2
from hepatrail_projections.clinical.endpoints.proportion import clopper_pearson, proportion_cell

CONFIDENCE = Decimal("0.95")
# x, lower, upper of N = 12.
EXACT = [
    (0, 0.0000, 0.2646),
    (1, 0.0021, 0.3848),
    (2, 0.0209, 0.4841),
    (3, 0.0549, 0.5719),
    (4, 0.0992, 0.6511),
    (5, 0.1517, 0.7233),
    (6, 0.2109, 0.7891),
    (7, 0.2767, 0.8483),
    (8, 0.3489, 0.9008),
    (9, 0.4281, 0.9451),
    (10, 0.5159, 0.9791),
    (11, 0.6152, 0.9979),
    (12, 0.7354, 1.0000),
]


@pytest.mark.parametrize(("x", "lower", "upper"), EXACT)
def test_the_exact_intervals_of_twelve(x: int, lower: float, upper: float) -> None:
    found = clopper_pearson(x, 12, CONFIDENCE)
    assert found is not None
    assert [found.lower, found.upper] == pytest.approx([lower, upper], abs=1e-4)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_exact_interval_is_that_of_another_library_and_holds_the_share(case: tuple[int, int]) -> None:
    x, n = case
    found = clopper_pearson(x, n, CONFIDENCE)
    peer = binomtest(x, n).proportion_ci(0.95, method="exact")
    assert found is not None
    assert [found.lower, found.upper] == pytest.approx([peer.low, peer.high], abs=1e-9)
    assert found.lower <= x / n <= found.upper


def test_nobody_gives_no_interval_and_more_than_all_is_a_mistake() -> None:
    assert clopper_pearson(0, 0, CONFIDENCE) is None
    with pytest.raises(ValueError, match="13 of 12"):
        clopper_pearson(13, 12, CONFIDENCE)


def test_a_proportion_names_each_participant_once_with_all_events() -> None:
    one, other = UUID(int=2), UUID(int=1)
    cell = proportion_cell("ANY", [("S-2", [one]), ("S-1", []), ("S-2", [other, one])], 12, CONFIDENCE)
    assert (cell.n, cell.of, cell.display) == (2, 12, "2 (16.7 %)")
    assert cell.contributions == (Contribution("S-1"), Contribution("S-2", (other, one)))
    nobody = proportion_cell("ANY", [], 0, CONFIDENCE)
    assert (nobody.value, nobody.display, nobody.interval) == (None, "0 (NE)", None)


def test_the_statistics_of_the_reference() -> None:
    found = summary([Fraction(each) for each in (2, 4, 4, 7, 9, 10)], CONFIDENCE)
    assert (found.n, rounded(found.mean, 1), rounded(found.sd, 2)) == (6, "6.0", "3.16")
    assert [rounded(each, 1) for each in (found.median, found.q1, found.q3)] == ["5.5", "4.0", "9.0"]
    assert [rounded(each, 0) for each in (found.least, found.greatest)] == ["2", "10"]


def test_one_value_is_all_quantiles_and_has_no_deviation() -> None:
    found = summary([Fraction(7)], CONFIDENCE)
    assert {found.mean, found.median, found.q1, found.q3, found.least, found.greatest} == {Fraction(7)}
    assert (found.sd, found.mean_interval) == (None, None)
    assert summary([], CONFIDENCE).mean is None


@given(st.lists(st.fractions(-1000, 1000, max_denominator=100), min_size=2, max_size=40))
def test_statistics_lie_in_their_order_and_intervals_hold_the_mean(values: list[Fraction]) -> None:
    found = summary(values, CONFIDENCE)
    assert found.least is not None and found.q1 is not None and found.median is not None
    assert found.q3 is not None and found.greatest is not None
    assert found.least <= found.q1 <= found.median <= found.q3 <= found.greatest
    assert found.mean_interval is not None and found.mean is not None
    assert found.mean_interval.lower <= float(found.mean) <= found.mean_interval.upper
    assert found == summary(values[::-1], CONFIDENCE)


def test_a_quantile_between_two_values_is_their_mean_only_where_the_count_divides() -> None:
    ordered = [Fraction(each) for each in (1, 2, 3, 4)]
    assert type2(ordered, Fraction(1, 4)) == Fraction(3, 2)
    assert type2(ordered[:3], Fraction(1, 4)) == 1


@pytest.mark.parametrize(
    ("number", "decimals", "shown"),
    [
        (0.25, 1, "0.3"),
        (-0.25, 1, "-0.3"),
        (Decimal("2.5"), 0, "3"),
        (Fraction(1, 3), 3, "0.333"),
        (-0.04, 1, "0.0"),
        (1.005, 2, "1.01"),
        (12, 0, "12"),
        (1e-7, 3, "0.000"),
        (None, 1, "NE"),
    ],
)
def test_rounding_is_half_away_from_zero(number: float, decimals: int, shown: str) -> None:
    assert rounded(number, decimals) == shown


def test_a_number_as_text_has_no_exponent() -> None:
    assert [text(each) for each in (1e-7, Decimal("1E+3"), 3, Fraction(1, 8), None)] == [
        "0.0000001",
        "1000",
        "3",
        "0.125",
        None,
    ]
