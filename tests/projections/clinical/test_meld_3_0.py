"""MELD 3.0, rule by rule, and the published patients (scores.md section 3)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.common import Options, ScoreInput, ScoreResult
from hepatrail_projections.clinical.scores.meld_3_0 import MELD_3_0
from score_inputs import MELD_INPUTS, read


def meld_3(options: Options | None = None, /, **changes: str | None) -> ScoreResult:
    return MELD_3_0.of(read(MELD_INPUTS | changes), options or Options())


ALL_ONE = {"tbil": "1.0 mg/dL", "inr": "1.0", "creatinine": "1.0 mg/dL"}


def test_normal_values_give_six_and_a_woman_gets_a_third_more() -> None:
    assert meld_3(**ALL_ONE).unrounded == 6
    assert meld_3(**ALL_ONE, sex="female").unrounded == Decimal("7.33")


MILD = {"tbil": "2.5 mg/dL", "sodium": "131", "inr": "1.0", "creatinine": "1.2 mg/dL", "albumin": "3.8 g/dL"}
MEDIUM = {"tbil": "6 mg/dL", "sodium": "131", "inr": "1.5", "creatinine": "1.5 mg/dL"}
SEVERE = {"tbil": "12 mg/dL", "sodium": "128", "inr": "2.2", "creatinine": "2.8 mg/dL", "albumin": "2.0 g/dL"}


@pytest.mark.parametrize(
    ("patient", "raw", "score"),
    [
        (MILD | {"sex": "male"}, "15.81", 16),
        (MILD | {"sex": "female"}, "17.14", 17),
        (MEDIUM | {"sex": "male", "albumin": "3.5 g/dL"}, "24.71", 25),
        (MEDIUM | {"sex": "male", "albumin": "2.2 g/dL"}, "26.15", 26),
        (MEDIUM | {"sex": "female", "albumin": "2.2 g/dL"}, "27.48", 27),
        (SEVERE | {"sex": "male"}, "37.93", 38),
        (SEVERE | {"sex": "female"}, "39.26", 39),
    ],
)
def test_the_example_patients_of_kim_2021_table_4(patient: dict[str, str], raw: str, score: int) -> None:
    """Seven of the eight; the laboratory values of the sixth (34.22) are not in the reference."""
    result = meld_3(**patient)
    assert result.unrounded is not None
    assert round(result.unrounded, 2) == Decimal(raw)
    assert result.score == score


def test_an_exact_tie_is_rounded_up() -> None:
    result = meld_3(**ALL_ONE, sodium="126", albumin="2.7 g/dL")
    assert (result.unrounded, result.score) == (Decimal("16.5"), 17)


@pytest.mark.parametrize(
    ("code", "text", "component", "bound"),
    [
        ("creatinine", "0.5 mg/dL", "creatinine_mg_dl", 1),
        ("creatinine", "3.5 mg/dL", "creatinine_mg_dl", 3),
        ("creatinine", ">3.0 mg/dL", "creatinine_mg_dl", 3),
        ("sodium", "120", "sodium", 125),
        ("sodium", "140", "sodium", 137),
        ("albumin", "10", "albumin_g_dl", Fraction("1.5")),
        ("albumin", "45", "albumin_g_dl", Fraction("3.5")),
        ("albumin", ">40", "albumin_g_dl", Fraction("3.5")),
        ("inr", "0.8", "inr", 1),
        ("tbil", "0.4 mg/dL", "tbil_mg_dl", 1),
    ],
)
def test_bounds(code: str, text: str, component: str, bound: Fraction) -> None:
    assert meld_3(**{code: text}).components[component] == bound


def test_dialysis_sets_creatinine_to_three_not_four() -> None:
    assert meld_3(dialysis_sessions_7d="2").components["creatinine_mg_dl"] == 3
    assert meld_3(cvvhd_hours_7d="30", creatinine=None).components["creatinine_mg_dl"] == 3


def test_everything_is_needed() -> None:
    nothing = MELD_3_0.of({})
    assert nothing.missing == ("albumin", "creatinine", "inr", "sex", "sodium", "tbil")
    assert meld_3(albumin="<20").reasons == {"albumin": "censored"}


def test_the_cap_is_an_option_and_stored_with_the_result() -> None:
    severe = {"tbil": "30 mg/dL", "inr": "8", "creatinine": "3 mg/dL", "sodium": "125", "albumin": "15"}
    capped, free = meld_3(**severe), meld_3(Options(meld3_cap=None), **severe)
    assert (capped.score, capped.options) == (40, {"meld3_cap": "40"})
    assert free.score is not None
    assert free.score > 40
    assert free.options == {"meld3_cap": "none"}
    assert free.unrounded == capped.unrounded


def test_above_thirty_a_lower_sodium_lowers_the_score() -> None:
    """Bilirubin above about 30.5 mg/dL turns the interaction term round; that is the published formula."""
    assert (meld_3(tbil="521", sodium="125").unrounded or 0) < (meld_3(tbil="525", sodium="137").unrounded or 0)
    at = {sodium: meld_3(tbil="530", sodium=sodium).unrounded for sodium in ("125", "137")}
    assert (at["125"] or 0) < (at["137"] or 0)
    below = {sodium: meld_3(tbil="510", sodium=sodium).unrounded for sodium in ("125", "137")}
    assert (below["125"] or 0) > (below["137"] or 0)


LEVELS = st.fractions(Fraction(1, 2), Fraction(80), max_denominator=100)


@settings(deadline=None)
@given(LEVELS, LEVELS, LEVELS, st.integers(100, 160), st.integers(8, 70), st.sampled_from(("male", "female")), LEVELS)
def test_the_score_stays_in_range_and_never_falls_when_inr_rises(
    creatinine: Fraction, tbil: Fraction, inr: Fraction, sodium: int, albumin: int, sex: str, rise: Fraction
) -> None:
    def score(ratio: Fraction) -> int:
        values: dict[str, Fraction | str] = {"creatinine": creatinine * Fraction("88.4"), "inr": ratio, "sex": sex}
        values |= {"tbil": tbil * Fraction("17.1"), "sodium": Fraction(sodium), "albumin": Fraction(albumin)}
        values |= {"dialysis_sessions_7d": Fraction(0), "cvvhd_hours_7d": Fraction(0)}
        found = MELD_3_0.of({code: ScoreInput(code, value) for code, value in values.items()}).score
        assert found is not None
        return found

    assert 6 <= score(inr) <= score(inr + rise) <= 40
