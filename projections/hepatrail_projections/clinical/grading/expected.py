"""Grades computed elsewhere, row by row, and what this version computes for them (`hepatrail validate grades`).

The format is that of the shared file made with admiral: one row a laboratory record and direction, with `USUBJID`,
`LBTESTCD`, `LBDTC`, `LBBLFL` (Y: the baseline record), `AVAL`, `UNIT`, `ANRLO`, `ANRHI`, `BASE`, `DIR`, `TERM`,
`GRADE` (empty: none). A row is graded against the baseline record of its participant and test in the same file; where
the file has only `BASE`, the row's own upper limit stands for the one of the baseline's report.

A row is left out of the comparison only under one of the caveats below, each as narrow as its reason.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from io import StringIO
from typing import NamedTuple

from hepatrail_events.errors import InvalidMessage
from hepatrail_projections.clinical.grading.grade import LabGrade, Report, grade
from hepatrail_projections.clinical.grading.reported import Reported, read_report
from hepatrail_projections.clinical.grading.terms import TERM_NAMED, BaselineRule

COLUMNS = frozenset(
    {
        "USUBJID",
        "LBTESTCD",
        "LBDTC",
        "LBBLFL",
        "AVAL",
        "UNIT",
        "ANRLO",
        "ANRHI",
        "BASE",
        "DIR",
        "TERM",
        "GRADE",
    }
)
_NUMBERS = ("AVAL", "ANRLO", "ANRHI", "BASE")
_UCUM = {"10^9/L": "10*9/L"}
"""Units of the file that UCUM writes otherwise."""


class Caveat(StrEnum):
    """Why a row cannot be compared; the text is what the command prints."""

    OTHER_TERM = "term not of this trial"
    NO_NUMBER = "neither number nor grade in the file (a censored result)"
    NOT_AFTER_BASELINE = "baseline-dependent term, not after the baseline record: graded there against itself"
    CREATININE = "creatinine without baseline: graded there by the upper limit alone, here as the least it can be"
    SYMPTOMS = "symptoms assumed there; here the number's own grade, for review"


_SYMPTOMATIC = {("Hypokalemia", 2, 1), ("Hyponatremia", 3, 2)}
"""Term, grade with symptoms, grade by the number alone, where both share their numbers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file by its number (the header is row 1), numbers as plain decimals, `grade` None for none."""

    number: int
    subject: str
    test: str
    collected: str
    is_baseline: bool
    reported: Reported | None
    base: str | None
    direction: str
    term: str
    grade: int | None


class Compared(NamedTuple):
    """What became of a row: a caveat, or agreement with what was computed (None: of another term, or no number)."""

    row: Row
    caveat: Caveat | None
    agrees: bool
    computed: LabGrade | None


def read_rows(text: str) -> list[Row]:
    """Every row of the file's text; InvalidMessage names the row that cannot be read, or the columns that lack."""
    table = csv.DictReader(StringIO(text), strict=True)
    lacking = sorted(COLUMNS - set(table.fieldnames or ()))
    if lacking:
        raise InvalidMessage(f"the columns {', '.join(lacking)} are missing")
    try:
        return [_row(number, fields) for number, fields in enumerate(table, 2)]
    except csv.Error as error:
        raise InvalidMessage(f"row {table.line_num}: {error}") from None


def compare_all(rows: Iterable[Row]) -> Iterator[Compared]:
    """Every row against this version's grade, in the file's order."""
    known = list(rows)
    baselines = {(row.subject, row.test): row for row in known if row.is_baseline and row.reported is not None}
    for row in known:
        yield _compare(row, baselines.get((row.subject, row.test)))


def _compare(row: Row, baseline: Row | None) -> Compared:
    term = TERM_NAMED.get(row.term)
    if term is None:
        return Compared(row, Caveat.OTHER_TERM, False, None)
    if row.reported is None:
        return Compared(row, Caveat.NO_NUMBER if row.grade is None else None, False, None)
    report = read_report(term.code, row.reported)
    if report is None or row.direction != term.direction:
        return Compared(row, None, False, None)
    before = _baseline_report(term.code, row, baseline)
    computed = grade(term, report, before)
    if term.rule is BaselineRule.PAIR and baseline is not None and row.collected <= baseline.collected:
        return Compared(row, Caveat.NOT_AFTER_BASELINE, False, computed)
    if computed.grade == row.grade:
        return Compared(row, None, True, computed)
    return Compared(row, _difference(row, computed, before), False, computed)


def _baseline_report(code: str, row: Row, baseline: Row | None) -> Report | None:
    if baseline is not None and baseline.reported is not None:
        return read_report(code, baseline.reported)
    if row.base is None or row.reported is None:
        return None
    return read_report(code, row.reported._replace(value=row.base))


def _difference(row: Row, computed: LabGrade, before: Report | None) -> Caveat | None:
    """The caveat that explains a difference; None when it is a mismatch."""
    if (row.term, row.grade, computed.grade) in _SYMPTOMATIC:
        return Caveat.SYMPTOMS
    by_limit = computed.status == "incomplete" and computed.missing == ("baseline",)
    if row.term == "Creatinine increased" and before is None and by_limit and computed.grade_min == row.grade:
        return Caveat.CREATININE
    return None


def _row(number: int, fields: Mapping[str, str | None]) -> Row:
    if None in fields or None in fields.values():
        raise InvalidMessage(f"row {number}: it has more or fewer fields than the header")
    texts = {name: (text or "").strip() for name, text in fields.items()}
    numbers = {name: _number(number, name, texts[name]) for name in _NUMBERS}
    value, unit, expected = numbers["AVAL"], texts["UNIT"], texts["GRADE"]
    if expected not in ("", "0", "1", "2", "3", "4", "5"):
        raise InvalidMessage(f"row {number}: GRADE {expected!r} is no grade from 0 to 5, nor empty")
    reported = None
    if value is not None:
        reported = Reported(value, None, _UCUM.get(unit, unit), numbers["ANRLO"], numbers["ANRHI"])
    return Row(
        number=number,
        subject=texts["USUBJID"],
        test=texts["LBTESTCD"],
        collected=texts["LBDTC"],
        is_baseline=texts["LBBLFL"] == "Y",
        reported=reported,
        base=numbers["BASE"],
        direction=texts["DIR"],
        term=texts["TERM"],
        grade=int(expected) if expected else None,
    )


def _number(number: int, name: str, text: str) -> str | None:
    """A decimal, with or without exponent, as plain decimal text; None when empty."""
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidMessage(f"row {number}: {name} {text!r} is no number") from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise InvalidMessage(f"row {number}: {name} {text!r} is no number")
    return format(value, "f")
