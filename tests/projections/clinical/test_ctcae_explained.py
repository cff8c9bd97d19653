"""What a grade says of itself (ctcae_labs.md R5 to R11), and which grades are findings (R13), value by value."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from hepatrail_projections.clinical.grading.grade import LabGrade, Report, grade
from hepatrail_projections.clinical.grading.reported import TermGrade
from hepatrail_projections.clinical.grading.terms import TERM_NAMED, Term
from hepatrail_projections.clinical.grading.unreviewed import Finding, GradedResult, new_severe_grades
from hepatrail_projections.clinical.inputs import Collected

ALT = TERM_NAMED["Alanine aminotransferase increased"]
CREATININE = TERM_NAMED["Creatinine increased"]
INR = TERM_NAMED["INR increased"]
NO_THRESHOLD = next(term for term in TERM_NAMED.values() if not term.bands.bands and term.direction == "H")
BOUND = "baseline_censored"


def value(text: str, u: str | None = None) -> Report:
    """A report such as `30` or `<20`, with its upper limit."""
    number = text.lstrip("<>=")
    return Report(Fraction(number), text.removesuffix(number) or None, None if u is None else Fraction(u))


NORMAL, ABNORMAL, CENSORED = value("30", "50"), value("200", "50"), value(">60", "50")


@pytest.mark.parametrize(
    ("term", "now", "before", "wanted"),
    [
        # Against a normal baseline the multiples are of U, against an abnormal one of B; a grade 0 is of neither.
        (ALT, value("60", "50"), NORMAL, ("graded", 1, None, "uln", "normal", (), None)),
        (ALT, value("40", "50"), NORMAL, ("graded", 0, None, None, "normal", (), None)),
        (ALT, value("900", "50"), ABNORMAL, ("graded", 2, None, "baseline", "abnormal", (), None)),
        (ALT, value("210", "50"), ABNORMAL, ("graded", 0, None, None, "abnormal", (), None)),
        # A baseline that is a bound says that it was abnormal and gives no multiples, or leaves open what it was.
        (ALT, value("40", "50"), CENSORED, ("graded", 0, None, None, "abnormal", (), None)),
        (
            ALT,
            value("90", "50"),
            CENSORED,
            ("ungradable", None, None, None, "abnormal", ("baseline",), "baseline_censored"),
        ),
        (ALT, value("90", "50"), value(">40", "50"), ("ungradable", None, None, None, None, ("baseline",), BOUND)),
        (ALT, value("90", "50"), None, ("ungradable", None, None, None, None, ("baseline",), None)),
        (ALT, value(">90", "50"), None, ("ungradable", None, None, None, None, ("baseline",), "censored")),
        # Creatinine takes the higher of the two, and of equal ones that of U.
        (CREATININE, value("150", "97"), value("60", "97"), ("graded", 2, None, "uln", None, (), None)),
        (CREATININE, value("190", "97"), value("60", "97"), ("graded", 3, None, "baseline", None, (), None)),
        (CREATININE, value("90", "97"), value("80", "97"), ("graded", 0, None, None, None, (), None)),
        (CREATININE, value("600", "97"), None, ("graded", 4, None, "uln", None, (), None)),
        (CREATININE, value("110", "97"), None, ("incomplete", None, 1, "uln", None, ("baseline",), None)),
        (CREATININE, value("90", "97"), None, ("incomplete", None, 0, None, None, ("baseline",), None)),
        (
            CREATININE,
            value("110", "97"),
            value(">60", "97"),
            ("incomplete", None, 1, "uln", None, ("baseline",), BOUND),
        ),
        (
            CREATININE,
            value("110"),
            value(">60", "97"),
            ("ungradable", None, None, None, None, ("baseline", "uln"), BOUND),
        ),
        # INR of an anticoagulated participant has its own baseline only.
        (INR, value("3", "1.2"), value(">2", "1.2"), ("ungradable", None, None, None, None, ("baseline",), BOUND)),
        # A term without threshold has no grade.
        (NO_THRESHOLD, value("9", "2"), None, ("none", None, None, None, None, (), None)),
    ],
)
def test_a_grade_says_what_it_rests_on_and_what_lacks(
    term: Term, now: Report, before: Report | None, wanted: tuple[object, ...]
) -> None:
    found = grade(term, now, before, anticoagulated=True)
    told = (found.status, found.grade, found.grade_min, found.grade_from, found.baseline_status)
    assert (*told, found.missing, found.reason) == wanted
    assert (found.term, found.direction) == (term.name, "H")


def test_the_clinical_alternatives_ask_for_a_review_only_where_the_term_has_any() -> None:
    assert not grade(ALT, value("900", "50"), NORMAL).needs_review
    assert not grade(CREATININE, value("150", "97"), value("60", "97")).needs_review
    assert grade(ALT, value(">90", "50"), NORMAL).needs_review, "a bound leaves the grade open"


BEGIN = datetime(2026, 3, 10, 2, tzinfo=UTC)


def result(number: int, grades: Sequence[tuple[str, int | None, int | None]], at_baseline: int | None) -> GradedResult:
    """A result an hour after the one before, known 10 minutes later; per term its grade, or the least it can be."""
    moment = BEGIN + timedelta(hours=number)
    terms = tuple(
        TermGrade(LabGrade(name, "H", "graded" if whole is not None else "incomplete", whole, least), at_baseline, {})
        for name, whole, least in grades
    )
    known, event_ids = moment + timedelta(minutes=10), (UUID(int=100 + number),)
    return GradedResult(UUID(int=number), "wbc", Collected(moment), moment, known, terms, event_ids)


def found_in(*results: GradedResult, severe: int = 3) -> list[Finding]:
    return list(new_severe_grades(results, severe, timedelta(hours=24)))


def test_r13_a_finding_names_its_result_its_term_and_when_somebody_is_to_hear_of_it() -> None:
    (three,) = found_in(result(1, [("Leukocytosis", 3, None)], 1))
    moment = BEGIN + timedelta(hours=1)
    known = moment + timedelta(minutes=10)
    later = known + timedelta(hours=24)
    ids = (UUID(int=101),)
    assert three == Finding(
        UUID(int=1), "wbc", "Leukocytosis", "H", 3, False, 1, Collected(moment), known, "P3", later, ids
    )
    (at_least_four,) = found_in(result(1, [("Leukocytosis", None, 4)], None))
    assert (at_least_four.grade, at_least_four.minimum, at_least_four.priority) == (4, True, "P2")
    assert at_least_four.opens_at == at_least_four.since == known


def test_r13_a_result_without_the_term_or_without_any_grade_interrupts_nothing() -> None:
    severe = [("Leukocytosis", 3, None)]
    with_other = result(2, [("White blood cell decreased", 0, None)], None)
    ungradable = result(3, [("Leukocytosis", None, None)], None)
    found = found_in(result(1, severe, None), with_other, ungradable, result(4, severe, None))
    assert [each.result_id.int for each in found] == [1]
    found = found_in(with_other, ungradable, result(4, severe, None))
    assert [each.result_id.int for each in found] == [4]


def test_r13_an_incomplete_grade_is_not_known_to_be_lower_so_the_next_one_is_not_new() -> None:
    three = [("Leukocytosis", 3, None)]
    found = found_in(result(1, three, None), result(2, [("Leukocytosis", None, 1)], None), result(3, three, None))
    assert [each.result_id.int for each in found] == [1]


def test_r13_without_a_grade_at_baseline_any_severe_grade_is_new() -> None:
    mild = [("Leukocytosis", 1, None)]
    assert [each.grade for each in found_in(result(1, mild, None), severe=1)] == [1]
    assert found_in(result(1, mild, 1), severe=1) == []
