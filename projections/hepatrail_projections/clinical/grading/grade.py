"""The CTCAE v5.0 grade of one laboratory value (`ctcae_labs.md` section 1, R1 to R11); pure and exact.

Decided here, because the reference leaves room:

- Without U but with a baseline, creatinine above 1.5B or 3B has at least that grade: it is the minimum, and the grade
  stays incomplete, as it does the other way round (R6).
- A baseline that is censored gives no multiples: where the rule needs them it counts as missing
  (`baseline_censored`). A baseline whose own report lacks U is neither normal nor abnormal (`baseline_uln` is missing)
  and is treated like a missing one.
- The clinical alternatives of a text (R9) ask for a review from grade 1 on; a value within its limits asks for none.
- Hyperglycemia: U counts unless the participant was stated not to be fasting; any exact baseline counts.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from hepatrail_projections.clinical.grading.bands import BandRow, Limit, Limits, Span, probes, span
from hepatrail_projections.clinical.grading.terms import BaselineRule, Direction, Term

Status: TypeAlias = Literal["graded", "incomplete", "ungradable", "none"]
Reason: TypeAlias = Literal["censored", "baseline_censored"]
BaselineStatus: TypeAlias = Literal["normal", "abnormal"]

_HIGHEST = 4


class Report(NamedTuple):
    """A value and the limits of its own report, in the canonical unit; `comparator` makes it a bound."""

    value: Fraction
    comparator: str | None = None
    uln: Fraction | None = None
    lln: Fraction | None = None

    @property
    def span(self) -> Span:
        """Every value that it allows."""
        return span(self.value, self.comparator)


@dataclass(frozen=True, slots=True)
class LabGrade:
    """The grade that the machine proposes for one term; a person's judgement comes beside it, never into it.

    `status`: graded (`grade` 0 to 4), incomplete (`grade_min` is the least that it can be), ungradable, or none (the
    term has no threshold). `missing` are `uln`, `lln`, `baseline`, `baseline_uln`, sorted. `grade_from` names what the
    multiples that gave the grade are of. `baseline_status` is the row of a PAIR term, frozen with the baseline (R7).
    """

    term: str
    direction: Direction
    status: Status
    grade: int | None = None
    grade_min: int | None = None
    missing: tuple[str, ...] = ()
    reason: Reason | None = None
    needs_review: bool = False
    grade_from: Literal["uln", "baseline"] | None = None
    baseline_status: BaselineStatus | None = None

    @property
    def at_least(self) -> int | None:
        """The grade, or the least that it can be; None when nothing is known."""
        return self.grade if self.grade is not None else self.grade_min


def grade(
    term: Term,
    report: Report,
    baseline: Report | None = None,
    *,
    anticoagulated: bool = False,
    fasting: bool | None = None,
) -> LabGrade:
    """The grade of a value of the term's analyte against its own limits and the participant's baseline.

    `anticoagulated` (therapeutic, at collection; never the circuit's) matters to INR only, `fasting` to glucose.
    """
    if not term.bands.bands:
        flag = _raised(report, baseline, fasting=fasting)
        return LabGrade(term.name, term.direction, "none", needs_review=flag)
    match term.rule:
        case BaselineRule.PAIR:
            return _paired(term, report, baseline)
        case BaselineRule.EITHER:
            return _either(term, report, baseline)
        case BaselineRule.ANTICOAGULATED if anticoagulated:
            return _multiples_of_baseline(term, report, baseline)
        case _:
            return _settle(term, report, term.bands, Limits(report.uln, report.lln), clinical=term.clinical)


def baseline_status(baseline: Report | None) -> BaselineStatus | None:
    """Normal when B <= U_B, abnormal when B > U_B (R7); None without B, without U_B, or when B leaves it open."""
    if baseline is None or baseline.uln is None:
        return None
    if baseline.span.not_above(baseline.uln):
        return "normal"
    return "abnormal" if baseline.span.above(baseline.uln) else None


def baseline_severity(term: Term, baseline: Report | None) -> int | None:
    """How severe the baseline itself is by the row of multiples of U (R10); None for terms without such a pair."""
    if baseline is None or term.rule is not BaselineRule.PAIR:
        return None
    return _settle(term, baseline, term.bands, Limits(baseline.uln), clinical=False).grade


def _paired(term: Term, report: Report, baseline: Report | None) -> LabGrade:
    status = baseline_status(baseline)
    exact = None if baseline is None else baseline.span.exact
    if status == "normal":
        found = _settle(term, report, term.bands, Limits(report.uln), clinical=term.clinical)
        return replace(found, baseline_status=status, grade_from="uln" if found.at_least else None)
    if status == "abnormal" and exact is not None:
        found = _settle(term, report, term.other_bands, Limits(baseline=exact), clinical=term.other_clinical)
        return replace(found, baseline_status=status, grade_from="baseline" if found.at_least else None)
    if report.uln is not None and report.span.not_above(report.uln):
        return LabGrade(term.name, term.direction, "graded", 0, baseline_status=status)
    lacking = {"baseline"} if baseline is None or baseline.uln is not None else {"baseline_uln"}
    return _ungradable(term, report, lacking | ({"uln"} if report.uln is None else set()), baseline, status)


def _either(term: Term, report: Report, baseline: Report | None) -> LabGrade:
    exact = None if baseline is None else baseline.span.exact
    by_limit = _settle(term, report, term.bands, Limits(report.uln), clinical=term.clinical)
    if exact is not None:
        limits = Limits(report.uln, baseline=exact)
        found = _settle(term, report, term.other_bands, limits, clinical=term.clinical)
        least = found.at_least
        more = least is not None and least > (by_limit.at_least or 0)
        return replace(found, grade_from="baseline" if more else "uln" if least else None)
    if by_limit.grade == _HIGHEST:
        return replace(by_limit, grade_from="uln")
    if by_limit.at_least is None:
        return _ungradable(term, report, {*by_limit.missing, "baseline"}, baseline)
    return replace(
        by_limit,
        status="incomplete",
        grade=None,
        grade_min=by_limit.at_least,
        missing=("baseline",),
        reason=by_limit.reason or _why(baseline),
        grade_from="uln" if by_limit.at_least else None,
    )


def _multiples_of_baseline(term: Term, report: Report, baseline: Report | None) -> LabGrade:
    exact = None if baseline is None else baseline.span.exact
    if exact is None:
        return _ungradable(term, report, {"baseline"}, baseline)
    found = _settle(term, report, term.other_bands, Limits(baseline=exact), clinical=term.other_clinical)
    return replace(found, grade_from="baseline" if found.at_least else None)


def _settle(term: Term, report: Report, bands: BandRow, limits: Limits, *, clinical: bool) -> LabGrade:
    """The highest true condition (R4), over every value that the report allows (R11), with the limits known (R5)."""
    lowest, highest = _HIGHEST, 0
    missing: set[Limit] = set()
    known = bands.known(limits)
    for value in probes(report.span, known):
        judged = [(each, each.holds(value)) for each in known]
        true = max((each.grade for each, holds in judged if holds), default=0)
        lowest, highest = min(lowest, true), max(highest, true)
        for each, holds in judged:
            if holds is None and each.grade > true:
                missing |= each.missing
    if missing and lowest == 0:
        return _ungradable(term, report, missing, None)
    open_ended = lowest != highest
    review = open_ended or (clinical and highest > 0)
    if missing or open_ended:
        return LabGrade(
            term.name,
            term.direction,
            "incomplete",
            grade_min=lowest,
            missing=tuple(sorted(missing)),
            reason="censored" if open_ended else None,
            needs_review=review,
        )
    return LabGrade(term.name, term.direction, "graded", lowest, needs_review=review)


def _ungradable(
    term: Term,
    report: Report,
    missing: Collection[str],
    baseline: Report | None,
    status: BaselineStatus | None = None,
) -> LabGrade:
    return LabGrade(
        term.name,
        term.direction,
        "ungradable",
        missing=tuple(sorted(missing)),
        reason="censored" if report.comparator is not None else _why(baseline),
        needs_review=report.comparator is not None,
        baseline_status=status,
    )


def _why(baseline: Report | None) -> Reason | None:
    return "baseline_censored" if baseline is not None and baseline.comparator is not None else None


def _raised(report: Report, baseline: Report | None, *, fasting: bool | None) -> bool:
    """Whether a value is to be looked at although the term has no threshold."""
    over_limit = fasting is not False and report.uln is not None and report.span.above(report.uln)
    return over_limit or (baseline is not None and baseline.comparator is None and report.span.above(baseline.value))
