"""All grades of one reported result: from the text of the report to every term of its analyte, each kind once.

The texts are the key of a memory: a participant has thousands of results and is derived anew at every event.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from hepatrail_events.catalogue import catalogue
from hepatrail_events.units import (
    Conversion,
    NotADecimal,
    UnitMissing,
    UnitUnknown,
    conversion_of,
    fraction_str,
    parse_decimal,
)
from hepatrail_projections.clinical.grading.grade import LabGrade, Report, baseline_severity, grade
from hepatrail_projections.clinical.grading.terms import CTCAE_VERSION, TERMS_OF, BaselineRule, Direction, Term


class Reported(NamedTuple):
    """A result as its report prints it; `low` and `high` are in the unit of the value."""

    value: str
    comparator: str | None
    unit: str | None
    low: str | None
    high: str | None


class Circumstance(NamedTuple):
    """Something that held when a sample was collected, and the events that say so."""

    holds: bool
    event_ids: tuple[str, ...] = ()


ABSENT = Circumstance(False)


class Against(NamedTuple):
    """What a result is graded against beside its own report: the participant's baseline and circumstances.

    `anticoagulated` matters to INR, `renal_replacement` to creatinine, `fasting` to glucose; they stay at their
    defaults for all other analytes.
    """

    baseline: Reported | None = None
    baseline_event_ids: tuple[str, ...] = ()
    baseline_anticoagulated: bool = False
    anticoagulated: Circumstance = ABSENT
    renal_replacement: Circumstance = ABSENT
    fasting: bool | None = None


@dataclass(frozen=True, slots=True)
class TermGrade:
    """One term's grade beside the grade of the baseline by the same rules (R10)."""

    grade: LabGrade
    grade_at_baseline: int | None
    entry: dict[str, Any]


class Graded(NamedTuple):
    """The grades of a result, and the same as a row shows them; shared by all results alike, never to be changed."""

    terms: tuple[TermGrade, ...]
    json: list[dict[str, Any]]
    worst: int
    """The highest grade, or least grade that a term can have, of all terms."""


UNGRADED = Graded((), [], 0)
"""A result of no term, or one that is not to be graded (R12)."""


@lru_cache(maxsize=1 << 15)
def graded(code: str, reported: Reported, against: Against) -> Graded:
    """Every term of the analyte, in both directions; nothing for an analyte without a CTCAE laboratory term."""
    terms = TERMS_OF.get(code)
    report = None if terms is None else read_report(code, reported)
    if terms is None or report is None:
        return UNGRADED
    first = _baseline(code, against.baseline, against.baseline_anticoagulated)
    made = tuple(_term_grade(number, term, report, first, against) for number, term in enumerate(terms))
    return Graded(made, [each.entry for each in made], max(each.grade.at_least or 0 for each in made))


class _Baseline(NamedTuple):
    """The baseline of an analyte, and for each of its terms the grade and the severity that it has itself (R10)."""

    report: Report | None
    grades: tuple[int | None, ...]
    severities: tuple[int | None, ...]


@lru_cache(maxsize=1 << 12)
def _baseline(code: str, reported: Reported | None, anticoagulated: bool) -> _Baseline:
    terms = TERMS_OF[code]
    report = None if reported is None else read_report(code, reported)
    if report is None:
        return _Baseline(None, (None,) * len(terms), (None,) * len(terms))
    return _Baseline(
        report,
        tuple(grade(term, report, report, anticoagulated=anticoagulated).grade for term in terms),
        tuple(baseline_severity(term, report) for term in terms),
    )


def read_report(code: str, reported: Reported) -> Report | None:
    """Value and limits in the canonical unit; None when the value is no number in a unit of the analyte.

    A limit that is no plain decimal is no limit.
    """
    measurement = catalogue()[code]
    try:
        conversion = conversion_of(measurement, reported.unit)
        value = conversion.to_canonical(Fraction(parse_decimal(reported.value)))
    except (UnitMissing, UnitUnknown, NotADecimal):
        return None
    return Report(value, reported.comparator, _limit(reported.high, conversion), _limit(reported.low, conversion))


@lru_cache(maxsize=1 << 12)
def _limit(text: str | None, conversion: Conversion) -> Fraction | None:
    try:
        return None if text is None else conversion.to_canonical(Fraction(parse_decimal(text)))
    except NotADecimal:
        return None


def _term_grade(number: int, term: Term, report: Report, first: _Baseline, against: Against) -> TermGrade:
    proposed = grade(term, report, first.report, anticoagulated=against.anticoagulated.holds, fasting=against.fasting)
    at_baseline = first.grades[number]
    flags = []
    if term.rule is BaselineRule.ANTICOAGULATED and against.anticoagulated.holds:
        flags.append("on_anticoagulation")
    if term.code == "creatinine" and against.renal_replacement.holds:
        flags.append("renal_replacement")
    entry = {
        "term": term.name,
        "direction": term.direction,
        "grade": proposed.grade,
        "status": proposed.status,
        "labGradeMin": proposed.grade_min,
        "missing": list(proposed.missing),
        "reason": proposed.reason,
        "needsReview": proposed.needs_review,
        "gradeFrom": proposed.grade_from,
        "baselineStatus": proposed.baseline_status,
        "baselineSeverity": first.severities[number],
        "gradeAtBaseline": at_baseline,
        "ulnMultiple": _multiple(term.direction, report),
        "flags": flags,
        "ctcaeVersion": CTCAE_VERSION,
        "eventIds": [
            *against.baseline_event_ids,
            *against.anticoagulated.event_ids,
            *against.renal_replacement.event_ids,
        ],
    }
    return TermGrade(proposed, at_baseline, entry)


def _multiple(direction: Direction, report: Report) -> str | None:
    """x / U as decimal text for display; None for a bound, and where there is no U."""
    if direction == "L" or report.comparator is not None or not report.uln:
        return None
    return fraction_str(report.value / report.uln)
