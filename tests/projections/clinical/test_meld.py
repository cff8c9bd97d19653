"""MELD 2002 against the reference vectors, and its rules one by one (scores.md sections 0, 1)."""

import csv
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.common import (
    ScoreInput,
    ScoreResult,
    change_from_baseline,
    given,
    half_up,
    nine_decimals,
)
from hepatrail_projections.clinical.scores.meld import INPUTS, MELD_2002

VECTORS = list(
    csv.DictReader((Path(__file__).parent / "meld_2002_vectors.csv").read_text(encoding="utf-8").splitlines())
)


def from_vector(text: str) -> dict[str, ScoreInput]:
    """Plain numbers are in the canonical unit, others name theirs; decimals stay decimals."""
    raw: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    read = {}
    for code, value in raw.items():
        amount, unit = (value["value"], value["unit"]) if isinstance(value, dict) else (value, None)
        read[code] = given(code, str(amount), unit)
    return read


def meld(**values: str) -> ScoreResult:
    """MELD from texts such as `2.0 mg/dL`, `<17.1 umol/L` or `0`."""
    read = {}
    for code, text in values.items():
        amount, _, unit = text.partition(" ")
        number = amount.lstrip("<>=")
        read[code] = given(code, number, unit or None, amount.removesuffix(number) or None)
    return MELD_2002.of(read)


def usual(**values: str) -> ScoreResult:
    """Bilirubin 2.0, INR 1.5, creatinine 1.2 mg/dL, no dialysis, but for what is named."""
    plain = {"tbil": "2.0 mg/dL", "inr": "1.5", "creatinine": "1.2 mg/dL", "dialysis_sessions_7d": "0"}
    return meld(**{code: text for code, text in (plain | values).items() if text})


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 28


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_reference_vector(vector: dict[str, str]) -> None:
    expected = json.loads(vector["expected"])
    result = MELD_2002.of(from_vector(vector["inputs"]))
    assert (result.status, result.score) == (expected["status"], expected["score"])
    assert result.missing == tuple(expected.get("missing", ()))
    assert result.invalid == tuple(expected.get("invalid", ()))
    assert result.reasons == expected.get("reasons", {})
    if "unrounded" in expected:
        assert result.unrounded is not None
        assert abs(float(result.unrounded) - expected["unrounded"]) <= 0.0006


def test_hand_check_of_the_reference() -> None:
    result = usual()
    assert (result.score, str(result.unrounded)) == (15, "15.336122852")
    assert result.components == {"creatinine_mg_dl": Fraction("1.2"), "tbil_mg_dl": 2, "inr": Fraction("1.5")}
    assert result.flags == ()


def test_an_incomplete_result_still_shows_what_entered() -> None:
    result = usual(inr="")
    assert (result.status, result.missing) == ("incomplete", ("inr",))
    assert result.components == {"creatinine_mg_dl": Fraction("1.2"), "tbil_mg_dl": 2, "inr": None}
    assert result.unrounded is None


def test_dialysis_replaces_creatinine_and_says_so() -> None:
    result = usual(dialysis_sessions_7d="2", creatinine="0.5 mg/dL")
    assert result.components["creatinine_mg_dl"] == 4
    assert result.flags == ("dialysis_rule",)


def test_dialysis_is_listed_only_when_creatinine_is_known() -> None:
    assert usual(dialysis_sessions_7d="").missing == ("dialysis_sessions_7d",)
    assert usual(dialysis_sessions_7d="", creatinine="").missing == ("creatinine",)
    assert usual(dialysis_sessions_7d="1", creatinine="").missing == ("creatinine",)


@pytest.mark.parametrize(
    ("code", "text", "component"),
    [
        ("tbil", "<17.1 umol/L", Fraction(1)),
        ("tbil", "<=1.0 mg/dL", Fraction(1)),
        ("inr", "<0.9", Fraction(1)),
        ("creatinine", "<0.5 mg/dL", Fraction(1)),
        ("creatinine", ">4.0 mg/dL", Fraction(4)),
        ("creatinine", ">=353.6 umol/L", Fraction(4)),
    ],
)
def test_a_censored_result_counts_where_its_bounded_value_is_certain(code: str, text: str, component: Fraction) -> None:
    result = usual(**{code: text})
    assert result.status == "complete"
    assert component in result.components.values()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("tbil", "<17.2 umol/L"),
        ("tbil", ">500 umol/L"),
        ("inr", ">8"),
        ("inr", "<1.1"),
        ("creatinine", "<1.1 mg/dL"),
        ("creatinine", ">3.9 mg/dL"),
    ],
)
def test_a_censored_result_is_missing_where_it_leaves_the_score_open(code: str, text: str) -> None:
    result = usual(**{code: text})
    assert (result.status, result.missing, result.reasons) == ("incomplete", (code,), {code: "censored"})


def test_a_censored_creatinine_does_not_matter_under_the_dialysis_rule() -> None:
    assert usual(creatinine="<1.1 mg/dL", dialysis_sessions_7d="2").score == usual(dialysis_sessions_7d="3").score


@pytest.mark.parametrize(("text", "rule"), [(">=2", True), (">1", True), ("<2", False), ("<=1", False)])
def test_a_censored_count_of_sessions_may_decide_the_rule(text: str, rule: bool) -> None:
    result = usual(dialysis_sessions_7d=text)
    assert result.status == "complete"
    assert (result.flags == ("dialysis_rule",)) is rule


@pytest.mark.parametrize("text", [">0", ">=1", "<3", "<=2"])
def test_a_censored_count_of_sessions_may_leave_it_open(text: str) -> None:
    result = usual(dialysis_sessions_7d=text)
    assert result.missing == ("dialysis_sessions_7d",)
    assert result.reasons == {"dialysis_sessions_7d": "censored"}
    assert usual(dialysis_sessions_7d=text, creatinine="4.0 mg/dL").status == "complete"


@pytest.mark.parametrize(
    ("code", "text"),
    [("creatinine", "1.2 umol/L"), ("tbil", "2 g/L"), ("inr", "abc"), ("dialysis_sessions_7d", "1.5")],
)
def test_invalid_inputs_are_found_before_anything_is_computed(code: str, text: str) -> None:
    result = usual(**{code: text, "albumin": "1 g/L"})
    assert (result.status, result.invalid, result.missing, result.components) == ("invalid_input", (code,), (), {})


def test_inputs_of_other_scores_are_left_alone() -> None:
    result = usual(sodium="1", albumin="35 g/L")
    assert result.status == "complete"
    assert [each.code for each in result.inputs] == list(INPUTS)


def test_a_confirmed_implausible_value_is_not_judged_again() -> None:
    inputs = {
        code: given(code, text) for code, text in {"tbil": "200", "inr": "2", "dialysis_sessions_7d": "0"}.items()
    }
    inputs["creatinine"] = ScoreInput("creatinine", Fraction(9))
    assert MELD_2002.of(inputs).status == "complete"


@pytest.mark.parametrize(("value", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.499999999", 2), ("-0.5", -1)])
def test_half_is_rounded_away_from_zero(value: str, rounded: int) -> None:
    assert half_up(Decimal(value)) == rounded


def test_nine_decimals_take_binary_noise_away() -> None:
    assert nine_decimals(0.1 + 0.2) == Decimal("0.3")
    assert half_up(nine_decimals(2.4999999999999996)) == 3


LEVELS = st.fractions(Fraction(1, 2), Fraction(60), max_denominator=1000)


@settings(deadline=None)
@given_values(LEVELS, LEVELS, LEVELS, st.integers(0, 14), LEVELS)
def test_meld_stays_in_range_and_never_falls_when_bilirubin_rises(
    creatinine: Fraction, tbil: Fraction, inr: Fraction, sessions: int, rise: Fraction
) -> None:
    def score(bilirubin: Fraction) -> int:
        values = {
            "creatinine": creatinine * Fraction("88.4"),
            "tbil": bilirubin * Fraction("17.1"),
            "inr": inr,
            "dialysis_sessions_7d": Fraction(sessions),
        }
        result = MELD_2002.of({code: ScoreInput(code, value) for code, value in values.items()})
        assert result.score is not None
        return result.score

    assert 6 <= score(tbil) <= score(tbil + rise) <= 40


def test_change_from_baseline() -> None:
    baseline, later = usual(), usual(tbil="10 mg/dL")
    assert later.score is not None
    assert baseline.score is not None
    change = change_from_baseline(baseline, later)
    assert (change.value, change.reason) == (later.score - baseline.score, None)
    assert change_from_baseline(later, baseline).value == -(later.score - baseline.score)


def test_there_is_no_change_without_two_complete_scores_of_one_kind() -> None:
    whole, part = usual(), usual(inr="")
    assert change_from_baseline(part, whole).reason == "baseline_incomplete"
    assert change_from_baseline(whole, part).reason == "incomplete"
    other = ScoreResult("meld_3_0", "complete", score=10)
    assert change_from_baseline(whole, other).reason == "different_score"
    optioned = ScoreResult("meld_2002", "complete", score=10, options={"x": "y"})
    assert change_from_baseline(whole, optioned).reason == "different_options"
    assert change_from_baseline(whole, optioned).value is None
