"""SOFA of 1996, table and rules (scores.md sections 0.2, 0.5 to 0.7, 6)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from hepatrail_projections.clinical.scores.common import Options, ScoreInput, ScoreResult, change_from_baseline
from hepatrail_projections.clinical.scores.sofa import SOFA_1996
from score_inputs import SOFA_INPUTS, read
from sofa_scoring import NORMAL, VALUES, points, sofa

CONVENTIONAL = Options(sofa_unit_mode="conventional")
BANDS = {
    ("coagulation", "platelets"): {"150": 0, "149.9": 1, "100": 1, "99": 2, "50": 2, "49": 3, "20": 3, "19.9": 4},
    ("liver", "tbil"): {"19.9": 0, "20": 1, "32.9": 1, "33": 2, "101.9": 2, "102": 3, "204": 3, "204.1": 4},
    ("renal", "creatinine"): {"109.9": 0, "110": 1, "170.9": 1, "171": 2, "299": 2, "300": 3, "440": 3, "440.1": 4},
    ("renal", "urine_output_24h"): {"500": 0, "499.9": 3, "200": 3, "199.9": 4, "0": 4},
    ("cardiovascular", "map"): {"70": 0, "69.99": 1},
    ("cns", "gcs_total"): {"15": 0, "14": 1, "13": 1, "12": 2, "10": 2, "9": 3, "6": 3, "5": 4, "3": 4},
}
EDGES = [(component, code, text, want) for (component, code), edge in BANDS.items() for text, want in edge.items()]


@pytest.mark.parametrize(("component", "code", "text", "want"), EDGES)
def test_every_band_edge(component: str, code: str, text: str, want: int) -> None:
    result = sofa(**{code: text})
    assert (result.status, result.score, result.components[component]) == ("complete", want, want)


@pytest.mark.parametrize(
    ("code", "text", "want"),
    [
        ("tbil", "1.19 mg/dL", 0),
        ("tbil", "1.2 mg/dL", 1),
        ("tbil", "1.95 mg/dL", 1),
        ("tbil", "34.2", 2),
        ("tbil", "6 mg/dL", 3),
        ("tbil", "12.0 mg/dL", 4),
        ("creatinine", "1.2 mg/dL", 1),
        ("creatinine", "176.8", 2),
        ("creatinine", "3.5 mg/dL", 3),
        ("creatinine", "4.95 mg/dL", 3),
        ("creatinine", "5.0 mg/dL", 4),
        ("creatinine", "107", 1),
    ],
)
def test_the_conventional_columns_are_exact_and_the_printed_gap_belongs_above(code: str, text: str, want: int) -> None:
    assert sofa(CONVENTIONAL, **{code: text}).score == want
    assert sofa(CONVENTIONAL).options["sofa_unit_mode"] == "conventional"


@pytest.mark.parametrize(
    ("pao2", "fio2", "support", "want"),
    [
        ("84", "0.21", "none", 0),
        ("83.9", "0.21", "none", 1),
        ("150", "0.5", "mask", 1),
        ("149", "0.5", "mask", 2),
        ("100", "0.5", "imv", 2),
        ("99", "0.5", "imv", 3),
        ("99", "0.5", "nasal_cannula", 2),
        ("50", "0.5", "cpap", 3),
        ("49", "0.5", "niv", 4),
        ("49", "0.5", "ecmo_resp", 4),
        ("49", "0.5", "hfnc", 2),
    ],
)
def test_respiration(pao2: str, fio2: str, support: str, want: int) -> None:
    assert points("respiration", pao2=pao2, fio2=fio2, respiratory_support=support) == want


def test_high_flow_counts_as_support_only_by_option() -> None:
    assert (
        points("respiration", Options(hfnc_counts_as_support=True), pao2="49", fio2="0.5", respiratory_support="hfnc")
        == 4
    )


def test_support_is_asked_for_only_below_two_hundred() -> None:
    assert sofa(pao2="100", fio2="0.5", respiratory_support=None).status == "complete"
    assert sofa(pao2="90", fio2="0.5", respiratory_support=None).missing == ("respiratory_support",)
    assert sofa(pao2=None, fio2="0.5", respiratory_support=None).missing == ("pao2",)


def test_an_estimated_oxygen_fraction_is_accepted_and_flagged() -> None:
    assert sofa(fio2_source="estimated").flags == ("fio2_estimated",)
    assert sofa(fio2_source="measured").flags == ()


def agents(**texts: str | None) -> ScoreResult:
    return sofa(**({"vasoactive_given": "yes", "map": "65"} | texts))


@pytest.mark.parametrize(
    ("agent", "dose", "want"),
    [
        ("dopamine", "0.5", 2),
        ("dopamine", "5", 2),
        ("dopamine", "5.01", 3),
        ("dopamine", "15", 3),
        ("dopamine", "15.01", 4),
        ("dobutamine", "40", 2),
        ("epinephrine", "0.1", 3),
        ("epinephrine", "0.101", 4),
        ("norepinephrine", "0.1", 3),
        ("norepinephrine", "0.006 mg/kg/h", 3),
        ("norepinephrine", "0.0061 mg/kg/h", 4),
    ],
)
def test_catecholamines(agent: str, dose: str, want: int) -> None:
    result = agents(**{f"{agent}_dose": dose, f"{agent}_duration_min": "60", "map": None})
    assert (result.status, result.components["cardiovascular"]) == ("complete", want)


def test_an_agent_below_one_hour_does_not_count() -> None:
    result = agents(norepinephrine_dose="0.3", norepinephrine_duration_min="59")
    assert (result.status, result.components["cardiovascular"]) == ("complete", 1)
    assert agents(norepinephrine_dose="0.3", norepinephrine_duration_min="1 h").components["cardiovascular"] == 4


def test_the_highest_counted_agent_wins() -> None:
    both = {"dobutamine_dose": "5", "dobutamine_duration_min": "120", "norepinephrine_dose": "0.08"}
    assert agents(**both, norepinephrine_duration_min="90").components["cardiovascular"] == 3


def test_a_duration_is_missing_only_where_it_could_give_more() -> None:
    counted = {"norepinephrine_dose": "0.05", "norepinephrine_duration_min": "120"}
    assert agents(**counted, dobutamine_dose="5").status == "complete"
    assert agents(**counted, epinephrine_dose="0.2").missing == ("epinephrine_duration_min",)
    assert agents(norepinephrine_dose="0.05", map=None).missing == ("norepinephrine_duration_min",)
    censored = counted | {"norepinephrine_duration_min": "<90"}
    assert agents(**censored).reasons == {"norepinephrine_duration_min": "censored"}
    assert agents(**counted | {"norepinephrine_duration_min": ">60"}).status == "complete"


def test_without_a_tabled_dose_the_other_agents_must_be_named() -> None:
    assert agents().missing == ("vasoactive_dose",)
    assert agents(dopamine_dose="0").missing == ("vasoactive_dose",)
    other = agents(other_vasoactive="terlipressin")
    assert (other.status, other.components["cardiovascular"]) == ("complete", 1)
    assert other.warnings == ("vasoactive_outside_table",)
    assert agents(other_vasoactive="terlipressin", map=None).missing == ("map",)


def test_whether_agents_run_must_be_stated() -> None:
    result = sofa(vasoactive_given=None, map=None)
    assert (result.missing, result.components["cardiovascular"]) == (("vasoactive_given",), None)
    assert sofa(map=None).missing == ("map",)


def test_creatinine_is_not_needed_when_urine_is_below_two_hundred() -> None:
    assert points("renal", creatinine=None, urine_output_24h="199") == 4
    assert sofa(creatinine=None, urine_output_24h="300").missing == ("creatinine",)


def test_without_urine_creatinine_alone_decides_and_the_result_says_so() -> None:
    result = sofa(urine_output_24h=None)
    assert (result.status, result.details["renal_basis"]) == ("complete", "creatinine_only")
    assert "renal_basis" not in sofa().details


def test_the_worse_of_creatinine_and_urine_counts() -> None:
    assert points("renal", creatinine="200", urine_output_24h="450") == 3
    assert points("renal", creatinine="460", urine_output_24h="450") == 4


def test_renal_replacement_scores_four_only_by_option_and_is_labelled() -> None:
    option = Options(rrt_scores_4=True)
    result = sofa(option, dialysis_sessions_7d="1")
    assert (result.status, result.components["renal"], result.flags) == ("complete", 4, ("rrt_scores_4",))
    assert result.details["renal_basis"] == "renal_replacement"
    assert points("renal", option, cvvhd_hours_7d=">0", creatinine=None) == 4
    assert points("renal", option, dialysis_sessions_7d="0", cvvhd_hours_7d="0") == 0
    assert points("renal", option, dialysis_sessions_7d="<3") == 0
    assert points("renal", dialysis_sessions_7d="3") == 0


def test_components_of_the_coma_scale_come_before_a_total() -> None:
    mixed = sofa(gcs_total="15", gcs_eye="3", gcs_verbal="4", gcs_motor="5")
    assert mixed.components["cns"] == 2
    assert sofa(gcs_eye="3").missing == ("gcs_motor", "gcs_verbal")
    assert sofa(gcs_total=None).missing == ("gcs_total",)
    assert sofa(gcs_eye="4", gcs_verbal="NT", gcs_motor="6", sedated="yes").flags == ("sedated",)


def test_the_verbal_policy_feeds_sofa() -> None:
    result = sofa(Options(verbal_nt_policy="score_1"), gcs_eye="3", gcs_verbal="NT", gcs_motor="5")
    assert (result.status, result.score, result.assumed) == ("complete_with_assumptions", 3, {"gcs_verbal": 1})


def test_the_maximum_is_twenty_four() -> None:
    worst = {"pao2": "49", "fio2": "0.6", "respiratory_support": "imv", "platelets": "5", "tbil": "500"}
    worst |= {"gcs_total": "3", "creatinine": "600", "urine_output_24h": "10", "vasoactive_given": "yes"}
    assert sofa(**worst, epinephrine_dose="1", epinephrine_duration_min="600").score == 24


def test_the_total_without_the_liver_stands_beside_it() -> None:
    assert sofa(tbil="300", platelets="90").details["without_liver"] == 2
    assert "without_liver" not in sofa(pao2=None).details


def test_there_is_no_change_between_unit_modes() -> None:
    assert change_from_baseline(sofa(), sofa(CONVENTIONAL)).reason == "different_options"
    assert change_from_baseline(sofa(), sofa(NORMAL, tbil="300")).value == 4
    assumed = sofa(NORMAL, pao2=None)
    assert change_from_baseline(sofa(), assumed).reason == "complete_with_assumptions"


@settings(deadline=None)
@given(VALUES, VALUES)
def test_more_bilirubin_or_fewer_platelets_never_lower_the_score(one: Fraction, other: Fraction) -> None:
    def score(code: str, value: Fraction) -> int:
        found = SOFA_1996.of(read(SOFA_INPUTS) | {code: ScoreInput(code, value)}).score
        assert found is not None
        return found

    low, high = sorted((one, other))
    assert score("tbil", low) <= score("tbil", high) <= 24
    assert score("platelets", high) <= score("platelets", low)
