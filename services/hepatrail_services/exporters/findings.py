"""Measured rows as findings of SDTM: what LB and VS have in common, `xx` standing for either.

A value goes out as it was reported, with its sign, in its own unit (UCUM); beside it the accepted value in the
canonical unit, exact. A void row has no place in SDTM and stays out; a corrected one goes out as it stands.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hepatrail_events.catalogue import catalogue
from hepatrail_events.types import DECIMAL_PATTERN
from hepatrail_projections.lab_result import LabResultRow
from hepatrail_services.exporters.civil import collected, study_day
from hepatrail_services.exporters.common import Frame, flag, yes_no
from hepatrail_services.exporters.dataset_json import Value, Variable
from hepatrail_services.exporters.measurement_terms import term_of

NOT_DONE = "NOT DONE"
_DECIMAL = re.compile(DECIMAL_PATTERN)


@dataclass(frozen=True, slots=True)
class Placed:
    """A measured row with its number within its domain and that of the group with which it was recorded.

    `message` is the laboratory's id of the report, in the first of its groups only: a known one changes nothing.
    """

    number: int
    group: int
    row: LabResultRow
    message: str | None


def placed(rows: Sequence[LabResultRow], kind: str) -> tuple[Placed, ...]:
    """The rows of one kind that are not void, group by group.

    A group is what was recorded together and says the same of visit and time; groups are numbered in the order of the
    log, over results and observations together, so that of two values of one moment the later one is known.
    """
    groups: dict[tuple[object, ...], list[LabResultRow]] = {}
    for row in (each for each in rows if not each.voided):
        moment = (row.streamseq, row.collected_at, row.collected_on, row.visit_code, row.pre_session)
        groups.setdefault((*moment, row.laboratory, row.specimen), []).append(row)
    first = {of_group[0].streamseq: number for number, of_group in reversed(list(enumerate(groups.values(), 1)))}
    numbered = [
        (number, row) for number, of_group in enumerate(groups.values(), 1) for row in of_group if row.kind == kind
    ]
    return tuple(
        Placed(number, group, row, row.source_message_id if first[row.streamseq] == group else None)
        for number, (group, row) in enumerate(numbered, 1)
    )


@dataclass(frozen=True, slots=True)
class Labels:
    """What a domain calls the variables that all findings have (SDTM IG 3.3)."""

    short: str
    test: str
    category: str
    at: str
    day: str


def result_variables(domain: str, labels: Labels) -> tuple[Variable, ...]:
    """Test, result as reported and standardised, and why there is none."""
    return (
        Variable(f"{domain}GRPID", "Group ID", length=10),
        Variable(f"{domain}SPID", "Sponsor-Defined Identifier", length=36),
        Variable(f"{domain}TESTCD", labels.short, length=60, key=4),
        Variable(f"{domain}TEST", labels.test, length=40),
        Variable(f"{domain}CAT", labels.category, length=30),
        Variable(f"{domain}ORRES", "Result or Finding in Original Units", length=202),
        Variable(f"{domain}ORRESU", "Original Units", length=60),
        Variable(f"{domain}STRESC", "Character Result/Finding in Std Format", length=202),
        Variable(f"{domain}STRESN", "Numeric Result/Finding in Standard Units", "decimal"),
        Variable(f"{domain}STRESU", "Standard Units", length=60),
        Variable(f"{domain}STAT", "Completion Status", length=8),
        Variable(f"{domain}REASND", "Reason Not Done", length=30),
    )


def place_variables(domain: str, labels: Labels) -> tuple[Variable, ...]:
    """Baseline, visit and time, and what this trial adds: acceptance, window, use, the visit as the site stated it."""
    return (
        Variable(f"{domain}LOBXFL", "Last Observation Before Exposure Flag", length=1),
        Variable("VISITNUM", "Visit Number", "integer"),
        Variable("VISIT", "Visit Name", length=60),
        Variable(f"{domain}DTC", labels.at, length=23, key=5),
        Variable(f"{domain}DY", labels.day, "integer"),
        Variable(f"{domain}ACCEPT", "Accepted for Derivations", length=1),
        Variable(f"{domain}REJRSN", "Reason Not Accepted", length=30),
        Variable(f"{domain}CONFFL", "Implausible Value Confirmed Flag", length=1),
        Variable(f"{domain}INWIN", "In Window of the Visit", length=1),
        Variable(f"{domain}USEDFL", "Counts at the Visit Flag", length=1),
        Variable(f"{domain}PRESES", "Before Session as Stated", length=1),
        Variable(f"{domain}VISSTD", "Visit as Stated by the Site", length=60),
    )


def finding(domain: str, frame: Frame, where: Placed) -> dict[str, Value]:
    """The values of both groups of variables, and the identifying ones."""
    row = where.row
    term, measurement = term_of(row.code), catalogue().get(row.code)
    dtc = collected(row.collected_at, row.collected_on, frame.zone)
    values: dict[str, Value] = {
        "GRPID": str(where.group),
        "SPID": str(row.result_id),
        "TESTCD": term.short,
        "TEST": term.name,
        "CAT": term.category,
        "ORRES": None if row.value is None else f"{row.comparator or ''}{row.value}",
        "ORRESU": row.unit,
        "STAT": None if row.not_done is None else NOT_DONE,
        "REASND": row.not_done,
        "LOBXFL": flag(row.baseline),
        "DTC": dtc,
        "DY": study_day(dtc, frame.reference),
        "ACCEPT": yes_no(row.accepted),
        "REJRSN": row.reject_reason,
        "CONFFL": flag(row.confirmed),
        "INWIN": yes_no(row.in_window),
        "USEDFL": flag(row.used),
        "PRESES": yes_no(row.pre_session),
        "VISSTD": row.visit_code,
    }
    if row.accepted and row.canonical_value is not None and measurement is not None:
        values |= _standardised(row.canonical_value, row.comparator, row.canonical_unit)
    named = {f"{domain}{name}": value for name, value in values.items()}
    # Only what may count at a visit can be unscheduled; the others were never held against the windows.
    visit = frame.visit(row.point) if row.accepted and row.value is not None else {}
    return frame.first(domain, where.number) | visit | named


def _standardised(value: str, comparator: str | None, unit: str | None) -> dict[str, Value]:
    """A limit (`<0.2`) and a code (`NT`) have no numeric result."""
    number = value if comparator is None and _DECIMAL.match(value) else None
    return {"STRESC": f"{comparator or ''}{value}", "STRESN": number, "STRESU": unit}
