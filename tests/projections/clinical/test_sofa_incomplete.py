"""SOFA where something was not measured, is censored or cannot be used (scores.md sections 0.5 to 0.7, 6)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.common import ScoreInput
from hepatrail_projections.clinical.scores.sofa import SOFA_1996
from score_inputs import SOFA_INPUTS, read
from sofa_scoring import NORMAL, VALUES, points, sofa


def test_a_censored_urine_that_could_give_more_is_not_forgotten() -> None:
    assert sofa(urine_output_24h="<500").reasons == {"urine_output_24h": "censored"}
    assert points("renal", urine_output_24h="<200") == 4
    assert points("renal", urine_output_24h=">500") == 0
    assert points("renal", urine_output_24h="<500", creatinine="500") == 4


@pytest.mark.parametrize(
    ("code", "text", "component", "want"),
    [
        ("platelets", "<10", "coagulation", 4),
        ("platelets", "<20", "coagulation", 4),
        ("platelets", ">150", "coagulation", 0),
        ("tbil", ">204", "liver", 4),
        ("tbil", "<20", "liver", 0),
        ("creatinine", ">=441", "renal", 4),
        ("pao2", ">400", "respiration", 0),
    ],
)
def test_a_censored_value_counts_where_all_it_allows_gives_the_same_points(
    code: str, text: str, component: str, want: int
) -> None:
    assert points(component, **{code: text}) == want


@pytest.mark.parametrize(
    ("code", "text"),
    [("platelets", "<=20"), ("platelets", "<30"), ("platelets", ">149"), ("tbil", ">=204"), ("pao2", "<80")],
)
def test_a_censored_value_is_missing_where_it_does_not(code: str, text: str) -> None:
    result = sofa(**{code: text})
    assert (result.status, result.missing, result.reasons) == ("incomplete", (code,), {code: "censored"})


def test_assume_normal_puts_zero_in_place_of_what_was_not_measured() -> None:
    result = sofa(NORMAL, pao2=None, fio2=None, platelets="90")
    assert (result.status, result.score) == ("complete_with_assumptions", 2)
    assert (result.assumed, result.missing) == ({"respiration": 0}, ("fio2", "pao2"))
    assert sofa(NORMAL).status == "complete"


def test_assume_normal_never_goes_below_what_was_measured() -> None:
    assert sofa(NORMAL, pao2="90", fio2="0.5", respiratory_support=None).assumed == {"respiration": 2}
    assert sofa(NORMAL, creatinine=None, urine_output_24h="300").assumed == {"renal": 3}
    assert sofa(NORMAL, gcs_eye="1", gcs_motor="1").assumed == {"cns": 3}


def test_assume_normal_never_covers_what_was_measured_and_cannot_be_used() -> None:
    untestable = sofa(NORMAL, gcs_eye="3", gcs_verbal="NT", gcs_motor="5")
    assert (untestable.status, untestable.missing) == ("incomplete", ("gcs_verbal",))
    assert sofa(NORMAL, platelets="<60").reasons == {"platelets": "censored"}
    inputs = read(SOFA_INPUTS) | {"tbil": ScoreInput("tbil", None, problem="not_accepted")}
    assert SOFA_1996.of(inputs, NORMAL).reasons == {"tbil": "not_accepted"}


def test_an_incomplete_result_keeps_its_components_and_gives_the_range() -> None:
    result = sofa(pao2=None, platelets=None, tbil="300")
    assert result.components["liver"] == 4
    assert result.components["respiration"] is None
    assert result.range == (4, 12)
    assert sofa().range is None


def test_nothing_recorded() -> None:
    result = SOFA_1996.of({})
    assert result.missing == ("creatinine", "fio2", "gcs_total", "pao2", "platelets", "tbil", "vasoactive_given")
    assert result.range == (0, 24)


def test_an_invalid_input_stops_everything() -> None:
    result = sofa(fio2="40", platelets="147000")
    assert (result.status, result.invalid, result.components) == ("invalid_input", ("fio2", "platelets"), {})


@settings(deadline=None)
@given(VALUES, st.sampled_from(("<", "<=", ">", ">=")), VALUES)
def test_a_censored_value_that_is_used_gives_what_any_value_it_allows_gives(
    limit: Fraction, sign: str, value: Fraction
) -> None:
    allowed = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign]
    for code in ("platelets", "tbil", "creatinine", "urine_output_24h"):
        censored = SOFA_1996.of(read(SOFA_INPUTS) | {code: ScoreInput(code, limit, sign)})
        if allowed and censored.status == "complete":
            assert censored.score == SOFA_1996.of(read(SOFA_INPUTS) | {code: ScoreInput(code, value)}).score
