"""APACHE II of 1985, tables and rules (scores.md sections 0.2, 8)."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.scores.apache_ii import APACHE_II_1985
from hepatrail_projections.clinical.scores.common import Options, ScoreInput, ScoreResult
from score_inputs import APACHE_INPUTS, read

NORMAL = Options(missing_policy="assume_normal")


def apache(options: Options | None = None, /, **changes: str | None) -> ScoreResult:
    return APACHE_II_1985.of(read(APACHE_INPUTS | changes), options or Options())


LIMITS = {
    "temperature": ("41:4", "39:3", "38.5:1", "36:0", "34:1", "32:2", "30:3", ":4"),
    "map": ("160:4", "130:3", "110:2", "70:0", "50:2", ":4"),
    "heart_rate": ("180:4", "140:3", "110:2", "70:0", "55:2", "40:3", ":4"),
    "resp_rate": ("50:4", "35:3", "25:1", "12:0", "10:1", "6:2", ":4"),
    "ph_arterial": ("7.70:4", "7.60:3", "7.50:1", "7.33:0", "7.25:2", "7.15:3", ":4"),
    "sodium": ("180:4", "160:3", "155:2", "150:1", "130:0", "120:2", "111:3", ":4"),
    "potassium": ("7:4", "6:3", "5.5:1", "3.5:0", "3:1", "2.5:2", ":4"),
    "hematocrit": ("60:4", "50:2", "46:1", "30:0", "20:2", ":4"),
    "wbc": ("40:4", "20:2", "15:1", "3:0", "1:2", ":4"),
    "creatinine": ("309.4:4", "176.8:3", "132.6:2", "53.04:0", ":2"),
}
COMPONENT = {"ph_arterial": "acid_base"}
EDGES: list[tuple[str, Fraction, int]] = []
for name, printed in LIMITS.items():
    for above, below in pairwise(printed):
        at, here = above.split(":")
        EDGES += [
            (name, Fraction(at), int(here)),
            (name, Fraction(at) - Fraction("0.001"), int(below.split(":")[1])),
        ]


@pytest.mark.parametrize(("code", "value", "want"), EDGES)
def test_every_band_edge(code: str, value: Fraction, want: int) -> None:
    result = APACHE_II_1985.of(read(APACHE_INPUTS) | {code: ScoreInput(code, value)})
    assert (result.status, result.components[COMPONENT.get(code, code)]) == ("complete", want)
    assert (result.score, result.details["aps"]) == (want, want)


@pytest.mark.parametrize(("text", "want"), [("101.3 [degF]", 1), ("101.29 [degF]", 0), ("35.95", 1), ("36", 0)])
def test_temperature_is_banded_exactly_in_any_unit(text: str, want: int) -> None:
    assert apache(temperature=text).score == want


@pytest.mark.parametrize(("pao2", "want"), [("70.1", 0), ("70", 1), ("61", 1), ("60.5", 3), ("55", 3), ("54.9", 4)])
def test_oxygenation_by_pao2_below_half_oxygen(pao2: str, want: int) -> None:
    assert apache(fio2="0.49", pao2=pao2).components["oxygenation"] == want


@pytest.mark.parametrize(
    ("fio2", "pao2", "difference", "want"),
    [
        ("0.5", "106.5", "200", 2),
        ("50 %", "107", "199.5", 0),
        ("0.9", "242.2", "349.5", 2),
        ("0.9", "241.7", "350", 3),
        ("0.9", "92.2", "499.5", 3),
        ("0.9", "91.7", "500", 4),
    ],
)
def test_oxygenation_by_the_alveolar_difference_from_half_oxygen_on(
    fio2: str, pao2: str, difference: str, want: int
) -> None:
    result = apache(fio2=fio2, pao2=pao2, paco2="40")
    assert (result.components["oxygenation"], result.details["a_ado2"]) == (want, Fraction(difference))


def test_the_barometric_pressure_is_an_option() -> None:
    result = apache(Options(barometric_pressure=Fraction(755)), fio2="0.5", pao2="106.5", paco2="40")
    assert (result.details["a_ado2"], result.score) == (Fraction("197.5"), 0)
    assert result.options["barometric_pressure"] == "755"


def test_paco2_is_asked_for_only_from_half_oxygen_on() -> None:
    assert apache(fio2="0.6").missing == ("paco2",)
    assert apache(fio2="0.6", pao2=None).missing == ("paco2", "pao2")
    assert apache(fio2="0.4", pao2=None).missing == ("pao2",)
    assert apache(fio2=None).missing == ("fio2",)


def test_censored_gases() -> None:
    assert apache(fio2=">0.4").reasons == {"fio2": "censored"}
    assert apache(pao2=">70").components["oxygenation"] == 0
    assert apache(pao2=">=70").reasons == {"pao2": "censored"}
    assert apache(fio2="0.6", pao2="<25", paco2="40").components["oxygenation"] == 3
    assert apache(fio2="1.0", pao2="<200", paco2="40").reasons == {"pao2": "censored"}
    assert "a_ado2" not in apache(fio2="0.6", pao2="<25", paco2="40").details


def test_bicarbonate_replaces_ph_only_where_there_is_none() -> None:
    both = apache(hco3_serum="10")
    assert (both.components["acid_base"], both.details["acid_base_basis"]) == (0, "ph_arterial")
    alone = apache(ph_arterial=None, hco3_serum="17")
    assert (alone.components["acid_base"], alone.details["acid_base_basis"]) == (3, "hco3_serum")
    assert apache(ph_arterial="<7.4", hco3_serum="24").details["acid_base_basis"] == "hco3_serum"
    neither = apache(ph_arterial=None)
    assert (neither.missing, neither.reasons) == (("ph_arterial|hco3_serum",), {})
    assert apache(ph_arterial="<7.4").reasons == {"ph_arterial|hco3_serum": "censored"}


@pytest.mark.parametrize(
    ("text", "want"), [("52", 4), ("41", 3), ("32", 1), ("22", 0), ("18", 2), ("15", 3), ("14.9", 4), ("21.9", 2)]
)
def test_bicarbonate_bands(text: str, want: int) -> None:
    assert apache(ph_arterial=None, hco3_serum=text).score == want


@pytest.mark.parametrize(
    ("creatinine", "want"), [("310", 8), ("3.5 mg/dL", 8), ("200", 6), ("1.5 mg/dL", 4), ("100", 0)]
)
def test_acute_renal_failure_doubles_the_points_of_creatinine(creatinine: str, want: int) -> None:
    assert apache(creatinine=creatinine, acute_renal_failure="true").score == want


def test_the_low_band_is_not_doubled_and_warned_of() -> None:
    result = apache(creatinine="50", acute_renal_failure="true")
    assert (result.score, result.warnings) == (2, ("acute_renal_failure_low_creatinine",))
    assert apache(creatinine="50").warnings == ()
    assert apache(creatinine="54", acute_renal_failure="true").warnings == ()


def test_acute_renal_failure_is_asked_for_only_where_creatinine_needs_it() -> None:
    assert apache(creatinine="132", acute_renal_failure=None).status == "complete"
    assert apache(creatinine="132.6", acute_renal_failure=None).missing == ("acute_renal_failure",)
    assert apache(creatinine=None, acute_renal_failure=None).missing == ("creatinine",)
    assert apache(creatinine=">400", acute_renal_failure="true").score == 8
    assert apache(creatinine=">400", acute_renal_failure=None).missing == ("acute_renal_failure",)
    assert apache(creatinine=">100", acute_renal_failure=None).reasons == {"creatinine": "censored"}


@pytest.mark.parametrize(
    ("age", "want"), [("44", 0), ("45", 2), ("54", 2), ("55", 3), ("64", 3), ("65", 5), ("74", 5), ("75", 6)]
)
def test_age(age: str, want: int) -> None:
    result = apache(age=age)
    assert (result.score, result.details["aps"]) == (want, 0)


@pytest.mark.parametrize(
    ("admission", "want"), [("nonoperative", 5), ("emergency_postoperative", 5), ("elective_postoperative", 2)]
)
def test_chronic_health(admission: str, want: int) -> None:
    assert apache(chronic_health="true", admission_type=admission).score == want
    assert apache(chronic_health="true").missing == ("admission_type",)
    assert apache(chronic_health=None).missing == ("chronic_health",)
    assert apache(admission_type=admission).score == 0


def test_coma_gives_fifteen_less_the_scale() -> None:
    assert apache(gcs_total="3").score == 12
    assert apache(gcs_eye="3", gcs_verbal="4", gcs_motor="5").score == 3
    untestable = apache(NORMAL, gcs_eye="3", gcs_verbal="NT", gcs_motor="5")
    assert (untestable.status, untestable.reasons) == ("incomplete", {"gcs_verbal": "not_testable"})
    assumed = apache(Options(verbal_nt_policy="score_1"), gcs_eye="3", gcs_verbal="NT", gcs_motor="5")
    assert (assumed.score, assumed.assumed) == (6, {"gcs_verbal": 1})


def test_without_any_blood_gas_oxygenation_stays_open_or_is_assumed() -> None:
    gone = {"fio2": None, "pao2": None, "ph_arterial": None, "hco3_serum": "24"}
    assert apache(**gone).missing == ("fio2", "pao2")
    result = apache(NORMAL, **gone)
    assert (result.status, result.score, result.assumed) == ("complete_with_assumptions", 0, {"oxygenation": 0})
    assert result.missing == ("fio2", "pao2")


@pytest.mark.parametrize(
    "changes",
    [
        {"age": None},
        {"chronic_health": None},
        {"chronic_health": "true"},
        {"creatinine": "200", "acute_renal_failure": None},
    ],
)
def test_assume_normal_never_covers_what_is_no_physiology(changes: dict[str, str | None]) -> None:
    assert apache(NORMAL, **changes).status == "incomplete"


def test_an_axillary_temperature_is_used_as_measured_with_a_warning() -> None:
    result = apache(temperature="38.4", temperature_site="axillary")
    assert (result.score, result.warnings) == (0, ("temperature_axillary",))
    assert apache(temperature_site="rectal").warnings == ()


def test_an_incomplete_result_gives_the_range() -> None:
    assert apache(creatinine=None, age=None).range == (0, 14)
    assert APACHE_II_1985.of({}).range == (0, 71)


def test_the_maximum_is_seventy_one() -> None:
    result = apache(
        temperature="42",
        map="170",
        heart_rate="200",
        resp_rate="60",
        fio2="1.0",
        pao2="60",
        paco2="40",
        ph_arterial="7.0",
        sodium="185",
        potassium="8",
        creatinine="400",
        acute_renal_failure="true",
        hematocrit="65",
        wbc="50",
        gcs_total="3",
        age="80",
        chronic_health="true",
        admission_type="nonoperative",
    )
    assert (result.score, result.details["aps"]) == (71, 60)


@pytest.mark.parametrize(
    ("code", "text"), [("temperature", "98.6"), ("hematocrit", "0.4"), ("pao2", "12"), ("admission_type", "none")]
)
def test_an_invalid_input_stops_everything(code: str, text: str) -> None:
    result = apache(**{code: text})
    assert (result.status, result.invalid, result.details) == ("invalid_input", (code,), {})


@settings(deadline=None)
@given(st.fractions(Fraction(0), Fraction(300), max_denominator=50), st.sampled_from(sorted(LIMITS)))
def test_any_value_stays_in_range(value: Fraction, code: str) -> None:
    score = APACHE_II_1985.of(read(APACHE_INPUTS) | {code: ScoreInput(code, value)}).score
    assert score is not None
    assert 0 <= score <= 4
