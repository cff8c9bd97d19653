"""TEAEs by system organ class, preferred term and highest grade (`endpoints.md` section 2)."""

import csv
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clinical_builders import T0
from hepatrail_events.adverse_events import AEGradeChanged
from hepatrail_events.ae_terms import AE_TERMS
from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.clinical.grading.terms import TERMS
from hepatrail_projections.endpoints import safety_terms
from hepatrail_projections.endpoints.safety_terms import system_organ_class
from safety_outcome_course import OutcomeTrial, derived, minute, who

DAY = timedelta(days=1)
CODE = "TEAE_BY_TERM_AND_GRADE"
COLUMNS = ["GRADE_1", "GRADE_2", "GRADE_3", "GRADE_4", "GRADE_5", "MISSING", "ANY", "EVENTS"]


@pytest.fixture
def trial() -> OutcomeTrial:
    made = OutcomeTrial()
    made.treated("S-1", "S-2", "S-3", "S-4")
    return made


def shown(trial: OutcomeTrial, row: str) -> list[int | None]:
    """The numbers of a row in the order of the columns."""
    return [cell.n for cell in trial.tables()[CODE].row(row).cells]


def test_the_columns_are_the_grades_missing_any_and_the_events(trial: OutcomeTrial) -> None:
    table = trial.tables()[CODE]
    assert [column.code for column in table.columns] == COLUMNS
    assert [cell.column for cell in table.row("TOTAL").cells] == COLUMNS


def test_a_participant_counts_once_a_term_at_the_highest_grade(trial: OutcomeTrial) -> None:
    trial.ae("S-1", grade=1)
    worst = trial.ae("S-1", T0 + DAY, grade=3)
    trial.ae("S-2", grade=1)
    assert shown(trial, "CODE_FEVER") == [1, 0, 1, 0, 0, 0, 2, 3]
    of_grade_3, any_grade = (trial.tables()[CODE].row("CODE_FEVER").cell(each) for each in ("GRADE_3", "ANY"))
    (row,) = (each for rows in derived(trial.log, T0)[0] for each in rows.adverse_events if each.ae_id == worst.ae_id)
    assert [each.event_ids for each in of_grade_3.contributions] == [row.event_ids]
    assert [(each.subject_id, len(each.event_ids)) for each in any_grade.contributions] == [("S-1", 2), ("S-2", 1)]


def test_of_a_worsened_event_only_grades_since_treatment_count(trial: OutcomeTrial) -> None:
    event = trial.ae("S-1", T0 - 2 * DAY, grade=1)
    earlier = AEGradeChanged(ae_id=event.ae_id, ae_version=2, to_grade=4, grade_at=minute(T0 - DAY))
    better = AEGradeChanged(ae_id=event.ae_id, ae_version=3, to_grade=1, grade_at=minute(T0 - timedelta(hours=1)))
    worse = AEGradeChanged(ae_id=event.ae_id, ae_version=4, to_grade=2, grade_at=minute(T0 + DAY))
    trial.say("S-1", earlier)
    trial.say("S-1", better)
    trial.say("S-1", worse)
    assert shown(trial, "CODE_FEVER") == [0, 1, 0, 0, 0, 0, 1, 1]


def test_missing_is_who_has_no_grade_at_all(trial: OutcomeTrial) -> None:
    trial.ae("S-1", grade=None)
    trial.ae("S-2", grade=None)
    trial.ae("S-2", grade=2)
    assert shown(trial, "CODE_FEVER") == [0, 1, 0, 0, 0, 1, 2, 3]


def test_a_class_counts_a_participant_once_over_its_terms(trial: OutcomeTrial) -> None:
    trial.ae("S-1", code="INFECTION_OTHER", grade=1)
    trial.ae("S-1", code="SEPSIS", grade=4)
    trial.ae("S-2", code="SEPSIS", grade=3)
    trial.ae("S-2", code="RASH", grade=1)
    assert shown(trial, "SOC_INFECTIONS_AND_INFESTATIONS") == [0, 0, 1, 1, 0, 0, 2, 3]
    assert shown(trial, "TOTAL") == [0, 0, 1, 1, 0, 0, 2, 4]
    rows = [(row.level, row.code) for row in trial.tables()[CODE].rows]
    assert rows == [
        (0, "TOTAL"),
        (0, "SOC_INFECTIONS_AND_INFESTATIONS"),
        (1, "CODE_SEPSIS"),
        (1, "CODE_INFECTION_OTHER"),
        (0, "SOC_SKIN_AND_SUBCUTANEOUS_TISSUE_DISORDERS"),
        (1, "CODE_RASH"),
    ]


def test_a_coded_event_stands_under_its_preferred_term_and_an_uncoded_one_is_flagged(trial: OutcomeTrial) -> None:
    trial.coded("S-1", trial.ae("S-1"), "10037660", "Pyrexia")
    trial.coded("S-2", trial.ae("S-2", code="OTHER", ctcae_term="Fever"), "10037660", None)
    trial.ae("S-3")
    table = trial.tables()[CODE]
    assert who(table, "PT_10037660", "ANY") == ["S-1", "S-2"]
    assert table.row("PT_10037660").label == "Pyrexia"
    assert {cell.flags for cell in table.row("PT_10037660").cells} == {()}
    assert {cell.flags for cell in table.row("CODE_FEVER").cells} == {("UNCODED",)}
    general = "SOC_GENERAL_DISORDERS_AND_ADMINISTRATION_SITE_CONDITIONS"
    assert [row.code for row in table.rows] == ["TOTAL", general, "PT_10037660", "CODE_FEVER"]


def test_a_code_that_names_no_term_stands_with_the_term_that_the_site_named(trial: OutcomeTrial) -> None:
    trial.ae("S-1", code="OTHER", ctcae_term="Nausea")
    trial.ae("S-2", code="OTHER", ctcae_term="NAUSEA ")
    trial.ae("S-3", code="OTHER", ctcae_term="Something new")
    trial.ae("S-4", code="OTHER")
    assert [(row.code, row.label) for row in trial.tables()[CODE].rows] == [
        ("TOTAL", "Any TEAE"),
        ("SOC_GASTROINTESTINAL_DISORDERS", "Gastrointestinal disorders"),
        ("CODE_OTHER_NAUSEA", "Other: Nausea"),
        ("SOC_UNKNOWN", "System organ class not known"),
        ("CODE_OTHER", "Other"),
        ("CODE_OTHER_SOMETHING_NEW", "Other: Something new"),
    ]


def test_a_preferred_term_lies_in_the_class_that_most_of_its_events_name(trial: OutcomeTrial) -> None:
    for subject, term in (("S-1", "Hypotension"), ("S-2", "Hypoxia"), ("S-3", "Hypoxia")):
        trial.coded(subject, trial.ae(subject, code="OTHER", ctcae_term=term), "10000009", "Collapse")
    codes = [row.code for row in trial.tables()[CODE].rows]
    assert codes == ["TOTAL", "SOC_RESPIRATORY_THORACIC_AND_MEDIASTINAL_DISORDERS", "PT_10000009"]


def test_the_class_of_the_coded_name_goes_before_that_of_the_term_that_the_site_named(trial: OutcomeTrial) -> None:
    trial.coded("S-1", trial.ae("S-1", code="OTHER", ctcae_term="Nausea"), "10021097", "Hypotension")
    trial.coded("S-2", trial.ae("S-2", code="OTHER", ctcae_term="Nausea"), "10000010", "No term of CTCAE")
    assert [row.code for row in trial.tables()[CODE].rows if row.code != "TOTAL"] == [
        "SOC_GASTROINTESTINAL_DISORDERS",
        "PT_10000010",
        "SOC_VASCULAR_DISORDERS",
        "PT_10021097",
    ]


def _named(row: AdverseEventRow, code: str, term: str | None) -> str | None:
    return system_organ_class(replace(row, code=code, ctcae_term=term, meddra=None))


def test_every_term_of_the_trial_and_of_its_analytes_has_a_class(trial: OutcomeTrial) -> None:
    trial.ae("S-1")
    (row,) = derived(trial.log, T0)[0][0].adverse_events
    assert all(_named(row, code, None) for code, known in AE_TERMS.items() if known.ctcae_term)
    assert all(_named(row, "LAB_ABNORMALITY", term.name) for term in TERMS)
    assert _named(row, "OTHER", "Eye disorders - Other, specify") == "Eye disorders"
    for each in ("disorder", "disorders"):
        named = _named(row, "OTHER", f"Musculoskeletal and connective tissue {each} - other")
        assert named == "Musculoskeletal and connective tissue disorders"
    assert _named(row, "OTHER", "No disorders - Other, specify") is None
    assert _named(row, "OTHER", "nervous system disorders - other, specify") == "Nervous system disorders"
    assert _named(row, "LOCAL_BLEEDING", None) == "Injury, poisoning and procedural complications"


def test_the_list_of_terms_is_that_of_ctcae() -> None:
    """NCI counts 837 terms in the 26 classes of CTCAE v5.0, each with one for what it does not list."""
    path = Path(safety_terms.__file__).with_name(safety_terms.TERMS_FILE)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len({row["term"].casefold() for row in rows}) == len(rows) == 837
    others = {row["system_organ_class"]: row["term"] for row in rows if row["term"].endswith(" - Other, specify")}
    assert len(others) == 26 and set(others) == {row["system_organ_class"] for row in rows}
