"""The catalogue is `labs.csv`, whole and unchanged."""

from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.catalogue import SEED_LABS, catalogue
from hepatrail_events.units import Conversion

REFERENCE = Path(__file__).resolve().parents[2] / "../shared/domain/labs.csv"
HASH_OF_REFERENCE = "284a28d220b664d2fb8b4749d7757f482010a2fbfe87983dd32403655b89d225"


def test_the_file_is_the_reference_to_the_byte() -> None:
    shipped = files("hepatrail_events").joinpath("data/labs.csv").read_bytes()
    assert sha256_hex(shipped) == HASH_OF_REFERENCE
    if not REFERENCE.exists():
        pytest.skip("the domain reference is not beside the project: its hash was compared only")
    assert shipped == REFERENCE.read_bytes()


def test_it_has_every_row_once() -> None:
    assert len(catalogue()) == 69
    assert all(code == measurement.code for code, measurement in catalogue().items())


def test_the_21_analytes_of_the_trial_are_those_marked_in_the_file() -> None:
    assert len(SEED_LABS) == 21
    assert tuple(code for code, measurement in catalogue().items() if measurement.in_seed) == SEED_LABS


def test_it_is_read_once() -> None:
    assert catalogue() is catalogue()


def test_the_canonical_unit_is_among_the_units_and_changes_nothing() -> None:
    for measurement in catalogue().values():
        assert measurement.canonical_unit is not None
        identity = measurement.units[measurement.canonical_unit]
        assert identity == Conversion(Fraction(1), Fraction(0))


def test_every_factor_is_positive_and_every_limit_in_order() -> None:
    for measurement in catalogue().values():
        assert all(conversion.factor > 0 for conversion in measurement.units.values())
        if measurement.plausible_low is not None and measurement.plausible_high is not None:
            assert measurement.plausible_low < measurement.plausible_high


def test_creatinine_row() -> None:
    creatinine = catalogue()["creatinine"]
    assert creatinine.name_zh == "血肌酐"
    assert creatinine.loinc == "14682-9"
    assert list(creatinine.units) == ["umol/L", "mg/dL", "mg/L", "mmol/L"]
    assert creatinine.units["mg/dL"].factor == Fraction(442, 5)
    assert creatinine.plausible_low == 10
    assert creatinine.plausible_high == 3500
    assert creatinine.typical_low == 57
    assert creatinine.typical_high == 97
    assert creatinine.typical_low_female == 41
    assert creatinine.typical_high_female == 73
    assert creatinine.decimals == 1
    assert creatinine.allowed is None
    assert creatinine.ctcae_terms == ("Creatinine increased",)


def test_several_ctcae_terms_are_kept_apart() -> None:
    assert catalogue()["glucose"].ctcae_terms == ("Hypoglycemia", "Hyperglycemia")
    assert catalogue()["lactate"].ctcae_terms == ()


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("respiratory_support", "none nasal_cannula mask hfnc cpap niv imv ecmo_resp"),
        ("vasoactive_given", "yes no"),
        ("sedated", "no yes unknown"),
        ("sex", "male female"),
        ("fio2_source", "measured set estimated"),
        ("temperature_site", "core rectal bladder esophageal oral tympanic temporal axillary unknown"),
        ("admission_type", "nonoperative emergency_postoperative elective_postoperative"),
        (
            "other_vasoactive",
            "terlipressin vasopressin phenylephrine metaraminol milrinone levosimendan angiotensin_ii other",
        ),
        ("acute_renal_failure", "true false"),
        ("gcs_verbal", "NT"),
    ],
)
def test_coded_values_are_those_of_the_notes(code: str, allowed: str) -> None:
    assert catalogue()[code].allowed == frozenset(allowed.split())
