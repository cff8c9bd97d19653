"""Every boundary example of ctcae_labs.md section 5, and the tables of section 2 against the reference itself."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from hepatrail_events.ae_terms import grade_exists
from hepatrail_events.catalogue import catalogue
from hepatrail_projections.clinical.grading.bands import Band, band
from hepatrail_projections.clinical.grading.grade import LabGrade, Report, grade
from hepatrail_projections.clinical.grading.terms import TERM_NAMED, TERMS, TERMS_OF, Term

REFERENCE = Path(__file__).resolve().parents[3] / "../shared/domain/ctcae_labs.md"


def proposed(
    name: str, x: str, *, u: str | None = None, low: str | None = None, b: str | None = None, b_u: str | None = None
) -> LabGrade:
    """The grade of x; the baseline's own limit is the result's unless told otherwise."""
    number = {key: None if text is None else Fraction(text) for key, text in {"u": u, "l": low, "b": b}.items()}
    own = number["u"] if b_u is None else Fraction(b_u)
    baseline = None if number["b"] is None else Report(number["b"], None, own, number["l"])
    return grade(TERM_NAMED[name], Report(Fraction(x), None, number["u"], number["l"]), baseline)


ALT, ALP, BILIRUBIN = (
    "Alanine aminotransferase increased",
    "Alkaline phosphatase increased",
    "Blood bilirubin increased",
)


@pytest.mark.parametrize(
    ("name", "x", "u", "b", "expected"),
    [
        (ALT, "50", "50", "30", 0),
        (ALT, "50.1", "50", "30", 1),
        (ALT, "150", "50", "30", 1),
        (ALT, "150.1", "50", "30", 2),
        (ALT, "250", "50", "30", 2),
        (ALT, "1000", "50", "30", 3),
        (ALT, "1000.1", "50", "30", 4),
        (ALT, "299", "50", "200", 0),
        (ALT, "300", "50", "200", 1),
        (ALT, "600", "50", "200", 1),
        (ALT, "601", "50", "200", 2),
        (ALP, "400", "125", "200", 1),
        (ALP, "399", "125", "200", 0),
        (BILIRUBIN, "400", "26", "400", 0),
        (BILIRUBIN, "400.1", "26", "400", 1),
        (BILIRUBIN, "600", "26", "400", 1),
        (BILIRUBIN, "39", "26", "20", 1),
        (BILIRUBIN, "39.1", "26", "20", 2),
        ("Creatinine increased", "145.5", "97", "97", 1),
        ("Creatinine increased", "145.6", "97", "97", 2),
        ("Creatinine increased", "130", "97", "60", 2),
        ("Creatinine increased", "181", "97", "60", 3),
        ("Creatinine increased", "582.1", "97", "300", 4),
        ("Creatinine increased", "65", "97", "40", 2),
    ],
)
def test_terms_with_a_baseline_are_graded_at_their_bounds(name: str, x: str, u: str, b: str, expected: int) -> None:
    found = proposed(name, x, u=u, b=b)
    assert (found.status, found.grade) == ("graded", expected)


@pytest.mark.parametrize(
    ("name", "limits", "values", "grades"),
    [
        ("Platelet count decreased", {"low": "125"}, "75 74 50 49 25 24", (1, 2, 2, 3, 3, 4)),
        ("Anemia", {"low": "130"}, "100 99 80 79", (1, 2, 2, 3)),
        ("Hypoalbuminemia", {"low": "40"}, "30 29.9 20 19.9", (1, 2, 2, 3)),
        ("Hypoglycemia", {"low": "3.9"}, "3.0 2.9 2.2 2.1 1.7 1.6", (1, 2, 2, 3, 3, 4)),
        ("Leukocytosis", {}, "100 100.1", (0, 3)),
        ("INR increased", {}, "1.2 1.3 1.5 1.6 2.5 2.6", (0, 1, 1, 2, 2, 3)),
        ("Activated partial thromboplastin time prolonged", {"u": "37"}, "37 55.5 55.6 92.5 92.6", (0, 1, 2, 2, 3)),
        ("Hyponatremia", {"low": "137"}, "130 129.9 125 124.9 120 119.9", (1, 2, 2, 3, 3, 4)),
        ("Hyperkalemia", {"u": "5.3"}, "5.5 5.6 6.0 6.1 7.0 7.1", (1, 2, 2, 3, 3, 4)),
        ("Hypokalemia", {"low": "3.5"}, "3.0 2.9 2.5 2.4", (1, 3, 3, 4)),
        # Not in section 5; the bounds of section 2.
        ("White blood cell decreased", {"low": "3.5"}, "3.5 3.4 3.0 2.9 2.0 1.9 1.0 0.9", (0, 1, 1, 2, 2, 3, 3, 4)),
        ("Hemoglobin increased", {"u": "175"}, "175 175.1 195 195.1 215 215.1", (0, 1, 1, 2, 2, 3)),
        ("Hypernatremia", {"u": "147"}, "147 150 150.1 155 155.1 160 160.1", (0, 1, 2, 2, 3, 3, 4)),
        ("Acidosis", {"low": "7.35"}, "7.35 7.34 7.3 7.29", (0, 1, 1, 3)),
        ("Alkalosis", {"u": "7.45"}, "7.45 7.46 7.5 7.51", (0, 1, 1, 3)),
        ("Blood bicarbonate decreased", {"low": "22"}, "22 21.9 5", (0, 1, 1)),
        ("Urine output decreased", {}, "240 239 0", (0, 4, 4)),
    ],
)
def test_terms_without_baseline_are_graded_at_their_bounds(
    name: str, limits: dict[str, str], values: str, grades: tuple[int, ...]
) -> None:
    assert tuple(proposed(name, x, **limits).grade for x in values.split()) == grades


def test_binary_floating_point_would_fail_here_and_rationals_do_not() -> None:
    assert proposed("Creatinine increased", "1.8", u="1.2", b="1.2").grade == 1
    assert proposed(BILIRUBIN, "1.8", u="1.2", b="1.0").grade == 1


def test_a_low_and_a_high_term_of_one_analyte_are_two_grades() -> None:
    both = {code for code, terms in TERMS_OF.items() if {term.direction for term in terms} == {"H", "L"}}
    assert both == {"wbc", "hemoglobin", "glucose", "sodium", "potassium", "ph_arterial"}


def test_the_terms_are_those_of_labs_csv_and_no_other_analyte_has_one() -> None:
    listed = {code: set(each.ctcae_terms) for code, each in catalogue().items() if each.ctcae_terms}
    assert {code: {term.name for term in terms} for code, terms in TERMS_OF.items()} == listed
    for code in ("lactate", "ammonia", "dbil", "bun", "rbc", "pt", "pta", "afp", "ceruloplasmin"):
        assert code not in TERMS_OF


def test_every_grade_that_may_be_proposed_may_be_reported_as_an_adverse_event() -> None:
    for term in TERMS:
        for each in (*term.bands.bands, *term.other_bands.bands):
            assert grade_exists("LAB_ABNORMALITY", term.name, each.grade), (term.name, each.grade)
            assert each.grade < 5


CONDITION = re.compile(r"(?:[0-9.]*[UBL]?(?: \+ [0-9]+)? <=? )?x (?:<=?|>) [0-9.]*[UBL]?(?: \+ [0-9]+)?")


def printed(cells: list[str]) -> set[Band]:
    return {band(number, found.strip()) for number, cell in enumerate(cells, 1) for found in CONDITION.findall(cell)}


def table_rows(text: str) -> list[list[str]]:
    section = text.split("## 2. ")[1].split("## 3. ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|") and not line.startswith(("|---", "| code"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the domain reference is not beside this repository")
def test_the_tables_are_those_of_the_reference() -> None:
    found: dict[str, list[set[Band]]] = {}
    name = ""
    for cells in table_rows(REFERENCE.read_text(encoding="utf-8")):
        name = cells[1].split(", ")[0] or name
        grades = cells[3:7] if cells[2] in ("normal", "abnormal") else cells[2:6]
        if name == "Hypokalemia":
            grades[1] = ""  # The numbers of grade 1, with symptoms.
        if name == "Hyponatremia":
            grades[2] = grades[2].split("; or")[-1]  # Before it, the numbers of grade 2, with symptoms.
        found.setdefault(name, []).append(printed(grades))
    assert set(found) == set(TERM_NAMED)
    for term in TERMS:
        assert found[term.name] == as_printed(term), term.name


def as_printed(term: Term) -> list[set[Band]]:
    if term.code == "creatinine":
        return [set(term.other_bands.bands)]
    if term.code == "urine_output_24h":
        # Printed in words: "anuria, < 240 mL in 24 h".
        return [set()]
    rows = [set(term.bands.bands)]
    return [*rows, set(term.other_bands.bands)] if term.other_bands.bands else rows
