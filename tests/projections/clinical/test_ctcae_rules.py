"""Rules R1 to R11 of ctcae_labs.md section 1 and the notes on terms, one by one."""

from fractions import Fraction

import pytest

from hepatrail_projections.clinical.grading.grade import (
    LabGrade,
    Report,
    baseline_severity,
    baseline_status,
    grade,
)
from hepatrail_projections.clinical.grading.terms import TERM_NAMED, Term

ALT = TERM_NAMED["Alanine aminotransferase increased"]
ALP = TERM_NAMED["Alkaline phosphatase increased"]
BILIRUBIN = TERM_NAMED["Blood bilirubin increased"]
CREATININE = TERM_NAMED["Creatinine increased"]
PLATELETS = TERM_NAMED["Platelet count decreased"]
INR = TERM_NAMED["INR increased"]
HYPERGLYCEMIA = TERM_NAMED["Hyperglycemia"]


def value(text: str, *, u: str | None = None, low: str | None = None) -> Report:
    """A report such as `30`, `<20` or `>=2000`."""
    number = text.lstrip("<>=")
    limits = [None if limit is None else Fraction(limit) for limit in (u, low)]
    return Report(Fraction(number), text.removesuffix(number) or None, *limits)


def status_of(found: LabGrade) -> tuple[str, int | None, int | None, tuple[str, ...]]:
    return (found.status, found.grade, found.grade_min, found.missing)


def test_r5_without_lower_limit_platelets_60_are_grade_2_and_80_are_ungradable() -> None:
    assert status_of(grade(PLATELETS, value("60"))) == ("graded", 2, None, ())
    assert status_of(grade(PLATELETS, value("80"))) == ("ungradable", None, None, ("lln",))
    assert status_of(grade(PLATELETS, value("300"))) == ("ungradable", None, None, ("lln",))


def test_r5_without_upper_limit_alt_is_ungradable_unless_the_baseline_is_abnormal() -> None:
    assert status_of(grade(ALT, value("900"), value("30", u="50"))) == ("ungradable", None, None, ("uln",))
    assert status_of(grade(ALT, value("900"), value("200", u="50"))) == ("graded", 2, None, ())


def test_r5_without_upper_limit_sodium_above_150_is_graded() -> None:
    hypernatremia = TERM_NAMED["Hypernatremia"]
    assert grade(hypernatremia, value("151")).grade == 2
    assert status_of(grade(hypernatremia, value("140"))) == ("ungradable", None, None, ("uln",))


@pytest.mark.parametrize("term", [ALT, ALP, BILIRUBIN, TERM_NAMED["Aspartate aminotransferase increased"]])
def test_r6_without_baseline_only_a_value_up_to_u_is_graded(term: Term) -> None:
    assert status_of(grade(term, value("26", u="26"))) == ("graded", 0, None, ())
    assert status_of(grade(term, value("30", u="26"))) == ("ungradable", None, None, ("baseline",))
    missing = grade(term, value("30")).missing
    assert missing == ("baseline", "uln")


def test_r6_creatinine_without_baseline_is_grade_4_above_6u_and_else_at_least_the_grade_by_u() -> None:
    assert status_of(grade(CREATININE, value("582.1", u="97"))) == ("graded", 4, None, ())
    for x, least in (("582", 3), ("292", 3), ("291", 2), ("145.5", 1), ("97", 0)):
        assert status_of(grade(CREATININE, value(x, u="97"))) == ("incomplete", None, least, ("baseline",))
    assert status_of(grade(CREATININE, value("582"))) == ("ungradable", None, None, ("baseline", "uln"))


def test_creatinine_without_upper_limit_has_at_least_the_grade_by_the_baseline() -> None:
    assert status_of(grade(CREATININE, value("181"), value("60", u="97"))) == ("incomplete", None, 3, ("uln",))
    assert status_of(grade(CREATININE, value("60"), value("60", u="97"))) == ("ungradable", None, None, ("uln",))


def test_creatinine_names_the_limb_that_gave_the_grade() -> None:
    inside = grade(CREATININE, value("65", u="97"), value("40", u="97"))
    assert (inside.grade, inside.grade_from) == (2, "baseline")
    assert grade(CREATININE, value("146", u="97"), value("97", u="97")).grade_from == "uln"
    assert grade(CREATININE, value("90", u="97"), value("90", u="97")).grade_from is None


def test_r7_a_baseline_up_to_its_own_limit_is_normal_also_below_l() -> None:
    assert baseline_status(value("50", u="50")) == "normal"
    assert baseline_status(value("3", u="50", low="9")) == "normal"
    assert baseline_status(value("50.1", u="50")) == "abnormal"
    assert baseline_status(value("50")) is None
    assert baseline_status(None) is None


def test_r7_the_status_is_by_the_limit_of_the_baselines_own_report() -> None:
    found = grade(ALT, value("100", u="120"), value("70", u="50"))
    assert (found.baseline_status, found.grade) == ("abnormal", 0)
    assert grade(ALT, value("100", u="50"), value("70", u="80")).grade == 1


def test_a_baseline_report_without_limit_is_neither_normal_nor_abnormal() -> None:
    assert status_of(grade(ALT, value("200", u="50"), value("70"))) == ("ungradable", None, None, ("baseline_uln",))
    assert grade(ALT, value("50", u="50"), value("70")).grade == 0


def test_r8_all_other_terms_ignore_the_baseline() -> None:
    for x in ("1.2", "1.3", "2.6"):
        assert grade(INR, value(x), value("3.0")) == grade(INR, value(x))
    assert grade(PLATELETS, value("40", low="125"), value("40", low="125")).grade == 3


def test_a_liver_failure_participant_with_inr_3_at_baseline_is_grade_3_there() -> None:
    assert grade(INR, value("3.0"), value("3.0")).grade == 3


@pytest.mark.parametrize(("x", "expected"), [("2.0", 0), ("2.1", 1), ("3.0", 1), ("3.1", 2), ("5.0", 2), ("5.1", 3)])
def test_inr_on_anticoagulation_goes_by_the_baseline_and_asks_for_review(x: str, expected: int) -> None:
    found = grade(INR, value(x), value("2.0"), anticoagulated=True)
    assert (found.grade, found.needs_review) == (expected, expected > 0)
    assert found.grade_from == ("baseline" if expected else None)


def test_inr_on_anticoagulation_without_baseline_is_ungradable() -> None:
    assert status_of(grade(INR, value("9"), anticoagulated=True)) == ("ungradable", None, None, ("baseline",))
    assert status_of(grade(INR, value("9"), value("<1"), anticoagulated=True))[0] == "ungradable"


def test_r9_terms_with_clinical_alternatives_ask_for_review_and_pure_numbers_do_not() -> None:
    asks = {
        "Anemia": ("79", "130"),
        "Hypoalbuminemia": ("35", "40"),
        "Hyponatremia": ("128", "137"),
        "Hypokalemia": ("3.2", "3.5"),
        "Hypoglycemia": ("2.5", "3.9"),
        "Acidosis": ("7.2", "7.35"),
        "Blood bicarbonate decreased": ("20", "22"),
    }
    for name, (x, low) in asks.items():
        assert grade(TERM_NAMED[name], value(x, low=low)).needs_review, name
    for name, (x, low) in {
        "Platelet count decreased": ("10", "125"),
        "White blood cell decreased": ("1", "3.5"),
    }.items():
        assert not grade(TERM_NAMED[name], value(x, low=low)).needs_review, name
    assert not grade(TERM_NAMED["Anemia"], value("140", low="130")).needs_review


def test_hyponatremia_of_125_to_130_is_proposed_as_2_also_with_a_decimal_and_hypokalemia_of_3_as_1() -> None:
    sodium = grade(TERM_NAMED["Hyponatremia"], value("129.4", low="137"))
    potassium = grade(TERM_NAMED["Hypokalemia"], value("3.0", low="3.5"))
    assert (sodium.grade, sodium.needs_review) == (2, True)
    assert (potassium.grade, potassium.needs_review) == (1, True)


def test_r10_the_severity_of_an_abnormal_baseline_is_by_multiples_of_u_and_its_grade_is_0() -> None:
    first = value("400", u="26")
    assert grade(BILIRUBIN, first, first).grade == 0
    assert baseline_severity(BILIRUBIN, first) == 4
    assert baseline_severity(BILIRUBIN, value("20", u="26")) == 0
    assert baseline_severity(INR, value("3")) is None
    assert baseline_severity(BILIRUBIN, None) is None


@pytest.mark.parametrize(
    ("term", "report", "baseline", "expected"),
    [
        (PLATELETS, value("<20", low="125"), None, ("graded", 4, None)),
        (PLATELETS, value("<=25", low="125"), None, ("incomplete", None, 3)),
        (PLATELETS, value("<25", low="125"), None, ("graded", 4, None)),
        (PLATELETS, value("<60", low="125"), None, ("incomplete", None, 2)),
        (ALT, value(">2000", u="50"), value("30", u="50"), ("graded", 4, None)),
        (ALT, value(">1000", u="50"), value("30", u="50"), ("graded", 4, None)),
        (ALT, value(">=1000", u="50"), value("30", u="50"), ("incomplete", None, 3)),
        (ALT, value("<5", u="50"), value("30", u="50"), ("graded", 0, None)),
        (ALT, value("<50", u="50"), None, ("graded", 0, None)),
        (BILIRUBIN, value("<0.2", u="21"), value("10", u="21"), ("graded", 0, None)),
    ],
)
def test_r11_a_bound_is_graded_when_every_value_it_allows_has_the_same_grade(
    term: Term, report: Report, baseline: Report | None, expected: tuple[str, int | None, int | None]
) -> None:
    found = grade(term, report, baseline)
    assert (found.status, found.grade, found.grade_min) == expected
    assert (found.reason == "censored") == (found.status == "incomplete")
    if found.status == "incomplete":
        assert found.needs_review


def test_r11_a_bound_with_a_missing_limit_is_never_grade_0() -> None:
    found = grade(PLATELETS, value("<80"))
    assert (found.status, found.missing, found.reason, found.needs_review) == ("ungradable", ("lln",), "censored", True)


def test_r11_censored_creatinine_without_baseline_keeps_both_reasons() -> None:
    found = grade(CREATININE, value(">300", u="97"))
    assert status_of(found) == ("incomplete", None, 3, ("baseline",))
    assert (found.reason, found.needs_review) == ("censored", True)


def test_a_censored_baseline_has_a_status_but_gives_no_multiples() -> None:
    normal = grade(ALT, value("151", u="50"), value("<10", u="50"))
    assert (normal.baseline_status, normal.grade) == ("normal", 2)
    abnormal = grade(ALT, value("151", u="50"), value(">100", u="50"))
    assert (abnormal.status, abnormal.missing, abnormal.reason) == ("ungradable", ("baseline",), "baseline_censored")
    assert status_of(grade(CREATININE, value("100", u="97"), value("<10", u="97"))) == (
        "incomplete",
        None,
        1,
        ("baseline",),
    )


def test_hyperglycemia_has_no_threshold_and_only_raises_the_flag() -> None:
    over, baseline = value("15", u="6.1"), value("9", u="6.1")
    for found in (grade(HYPERGLYCEMIA, over), grade(HYPERGLYCEMIA, value("30", u="6.1"), baseline)):
        assert (found.status, found.grade, found.grade_min, found.needs_review) == ("none", None, None, True)
    assert not grade(HYPERGLYCEMIA, value("6.1", u="6.1"), fasting=True).needs_review
    assert grade(HYPERGLYCEMIA, value("6.2", u="6.1"), fasting=True).needs_review
    assert not grade(HYPERGLYCEMIA, value("8.9", u="6.1"), baseline, fasting=False).needs_review
    assert grade(HYPERGLYCEMIA, value("9.1", u="6.1"), baseline, fasting=False).needs_review


def test_bilirubin_with_an_abnormal_baseline_of_400_reaches_grade_4_only_above_4000() -> None:
    first = value("400", u="26")
    assert grade(BILIRUBIN, value("4000", u="26"), first).grade == 3
    assert grade(BILIRUBIN, value("4000.1", u="26"), first).grade == 4
