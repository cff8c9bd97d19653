"""MELD-Na of 2016, rule by rule (scores.md sections 0.2, 2)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.common import ScoreInput, ScoreResult
from hepatrail_projections.clinical.scores.meld import MELD_2002
from hepatrail_projections.clinical.scores.meld_na import MELD_NA_2016, with_sodium
from score_inputs import MELD_INPUTS, read


def meld_na(**changes: str | None) -> ScoreResult:
    return MELD_NA_2016.of(read(MELD_INPUTS | changes))


def test_the_step_at_eleven_is_policy() -> None:
    assert with_sodium(12, Fraction(125)) == Fraction("23.088")
    assert with_sodium(11, Fraction(125)) == 11
    low = meld_na(tbil="1.0 mg/dL", inr="1.5", creatinine="1.0 mg/dL", sodium="125")
    assert (low.details["meld_i"], low.score) == (11, 11)
    higher = meld_na(tbil="1.1 mg/dL", inr="1.6", creatinine="1.0 mg/dL", sodium="125")
    assert (higher.details["meld_i"], higher.score) == (12, 23)


def test_the_rounded_meld_decides_whether_sodium_is_applied() -> None:
    """Raw 11.45 rounds to 11: sodium is not applied, and not needed."""
    raw = meld_na(tbil="1.0 mg/dL", inr="1.5655", creatinine="1.0 mg/dL", sodium=None)
    assert (
        MELD_2002.of(read(MELD_INPUTS | {"tbil": "1.0 mg/dL", "inr": "1.5655", "creatinine": "1.0 mg/dL"})).score == 11
    )
    assert (raw.status, raw.score, raw.details["meld_i"]) == ("complete", 11, 11)
    assert raw.unrounded == 11


def test_sodium_is_listed_only_where_meld_is_known_and_above_eleven() -> None:
    assert meld_na(sodium=None).missing == ("sodium",)
    assert meld_na(sodium=None).details == {"meld_i": 15}
    assert meld_na(sodium=None, inr=None).missing == ("inr",)
    assert meld_na(sodium=None, inr=None).details == {}


@pytest.mark.parametrize(
    ("sodium", "score"), [("110", 25), ("125", 25), (">150", 15), ("137", 15), ("150", 15), ("<125", 25), ("130", 21)]
)
def test_sodium_is_bounded(sodium: str, score: int) -> None:
    assert meld_na(sodium=sodium).score == score


def test_a_censored_sodium_inside_the_bounds_is_missing() -> None:
    result = meld_na(sodium="<130")
    assert (result.missing, result.reasons) == (("sodium",), {"sodium": "censored"})


def test_twenty_four_hours_of_cvvhd_replace_creatinine() -> None:
    dialysed = meld_na(cvvhd_hours_7d="24")
    assert (dialysed.components["creatinine_mg_dl"], dialysed.flags) == (4, ("dialysis_rule",))
    assert meld_na(cvvhd_hours_7d="23.9").components["creatinine_mg_dl"] == Fraction("1.2")
    assert meld_na(cvvhd_hours_7d=">=24", creatinine=None).status == "complete"
    assert meld_na(cvvhd_hours_7d=">23").reasons == {"cvvhd_hours_7d": "censored"}
    assert meld_na(cvvhd_hours_7d="<24").status == "complete"


def test_an_unknown_count_is_not_needed_when_the_other_meets_the_rule_or_creatinine_is_capped() -> None:
    assert meld_na(cvvhd_hours_7d=None).missing == ("cvvhd_hours_7d",)
    assert meld_na(cvvhd_hours_7d=None, dialysis_sessions_7d=None).missing == ("cvvhd_hours_7d", "dialysis_sessions_7d")
    assert meld_na(cvvhd_hours_7d=None, dialysis_sessions_7d="2").status == "complete"
    assert meld_na(cvvhd_hours_7d=None, dialysis_sessions_7d=None, creatinine="4.0 mg/dL").status == "complete"
    assert meld_na(cvvhd_hours_7d=None, dialysis_sessions_7d=None, creatinine=None).missing == ("creatinine",)


def test_the_cap_is_forty() -> None:
    result = meld_na(tbil="40 mg/dL", inr="6", creatinine="4 mg/dL", sodium="125")
    assert result.score == 40
    assert result.unrounded is not None
    assert result.unrounded > 40


def test_an_invalid_sodium_is_found_although_it_would_not_be_needed() -> None:
    result = meld_na(tbil="1.0 mg/dL", inr="1.0", creatinine="1.0 mg/dL", sodium="13")
    assert (result.status, result.invalid, result.components) == ("invalid_input", ("sodium",), {})


LEVELS = st.fractions(Fraction(1), Fraction(30), max_denominator=100)
SODIUM = st.integers(100, 160)


@settings(deadline=None)
@given(LEVELS, LEVELS, LEVELS, SODIUM, SODIUM)
def test_a_lower_sodium_never_lowers_the_score_and_it_stays_in_range(
    creatinine: Fraction, tbil: Fraction, inr: Fraction, one: int, other: int
) -> None:
    def score(sodium: int) -> int:
        values = {"creatinine": creatinine * Fraction("88.4"), "tbil": tbil * Fraction("17.1"), "inr": inr}
        values |= {"sodium": Fraction(sodium), "dialysis_sessions_7d": Fraction(0), "cvvhd_hours_7d": Fraction(0)}
        found = MELD_NA_2016.of({code: ScoreInput(code, value) for code, value in values.items()}).score
        assert found is not None
        return found

    low, high = sorted((one, other))
    assert 6 <= score(high) <= score(low) <= 40
