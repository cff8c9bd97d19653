"""What differs under another protocol version, in the words in which a sponsor weighs an amendment: pure.

Columns in which a row only repeats the protocol (`ECHOES`) say nothing about a participant and are no difference.
What a visit or a reporting clock says at an instant stands in no column; `said_at` tells it, so that it is compared.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hepatrail_projections.adverse_event import ADVERSE_EVENT
from hepatrail_projections.assessment import ASSESSMENT
from hepatrail_projections.data_query import DATA_QUERY
from hepatrail_projections.exposure import EXPOSURE
from hepatrail_projections.lab_result import LAB_RESULT
from hepatrail_projections.reporting_clock import REPORTING_CLOCK, clock_of
from hepatrail_projections.safety_finding import SAFETY_FINDING
from hepatrail_projections.score import SCORE
from hepatrail_projections.session import SESSION
from hepatrail_projections.subject import SUBJECT
from hepatrail_projections.table import Json, Table
from hepatrail_projections.visit import VISIT
from hepatrail_projections.visits import deviation_of, notices_at, status_at


class Kind(StrEnum):
    """What a value is about; the order is the one to read in."""

    VISIT_WINDOW = "VISIT_WINDOW"
    VISIT_STATUS = "VISIT_STATUS"
    ASSIGNMENT = "ASSIGNMENT"
    BASELINE = "BASELINE"
    SCORE = "SCORE"
    GRADE = "GRADE"
    TEAE = "TEAE"
    ADVERSE_EVENT = "ADVERSE_EVENT"
    EXPOSURE = "EXPOSURE"
    CLOCK = "CLOCK"
    QUERY = "QUERY"
    FINDING = "FINDING"
    OTHER = "OTHER"


TITLES: Final[Mapping[Kind, str]] = {
    Kind.VISIT_WINDOW: "time points and their windows",
    Kind.VISIT_STATUS: "status of visits and what they have",
    Kind.ASSIGNMENT: "assignment of results and assessments to time points",
    Kind.BASELINE: "baselines and changes from them",
    Kind.SCORE: "scores",
    Kind.GRADE: "CTCAE grades of laboratory results",
    Kind.TEAE: "treatment emergence of adverse events",
    Kind.ADVERSE_EVENT: "relatedness and expectedness of adverse events",
    Kind.EXPOSURE: "exposure",
    Kind.CLOCK: "reporting clocks",
    Kind.QUERY: "data queries",
    Kind.FINDING: "findings of the radar",
    Kind.OTHER: "other values",
}

ECHOES: Final[Mapping[str, frozenset[str]]] = {
    SUBJECT.name: frozenset({"protocol_version"}),
    VISIT.name: frozenset({"ordinal", "zone", "lookback_days", "entry_grace_hours", "post_transplant", "ae", "surv"}),
    SCORE.name: frozenset({"ordinal", "options"}),
    EXPOSURE.name: frozenset({"target_cells_per_kg", "dose_target_scope"}),
}
"""By table, the columns that repeat what the protocol says."""

_BY_TABLE: Mapping[str, Kind] = {
    VISIT.name: Kind.VISIT_STATUS,
    LAB_RESULT.name: Kind.ASSIGNMENT,
    ASSESSMENT.name: Kind.ASSIGNMENT,
    SCORE.name: Kind.SCORE,
    ADVERSE_EVENT.name: Kind.ADVERSE_EVENT,
    SESSION.name: Kind.EXPOSURE,
    EXPOSURE.name: Kind.EXPOSURE,
    REPORTING_CLOCK.name: Kind.CLOCK,
    DATA_QUERY.name: Kind.QUERY,
    SAFETY_FINDING.name: Kind.FINDING,
}
_BY_COLUMN: Mapping[tuple[str, str | None], Kind] = {
    (SUBJECT.name, "anchor"): Kind.VISIT_WINDOW,
    **dict.fromkeys(
        (
            (VISIT.name, column)
            for column in (
                None, "series", "session_id", "kind", "target", "earliest", "latest", "latest_inclusive", "ends",
                "first_date", "last_date",
            )
        ),
        Kind.VISIT_WINDOW,
    ),
    (LAB_RESULT.name, "baseline"): Kind.BASELINE,
    **dict.fromkeys(((LAB_RESULT.name, column) for column in ("grades", "review", "finding")), Kind.GRADE),
    **dict.fromkeys(((SCORE.name, column) for column in ("baseline", "change", "change_reason")), Kind.BASELINE),
    **dict.fromkeys(
        (
            (ADVERSE_EVENT.name, column)
            for column in (
                "teae", "teae_case", "te_onset", "te_flags", "te_provisional", "max_grade_te", "grade_before",
                "tesae", "post_transplant", "exposed",
            )
        ),
        Kind.TEAE,
    ),
}  # fmt: skip
_PARAMETERS: Mapping[str, str] = {
    VISIT.name: "code",
    LAB_RESULT.name: "code",
    ASSESSMENT.name: "kind",
    SCORE.name: "score_id",
    ADVERSE_EVENT.name: "code",
    REPORTING_CLOCK.name: "type",
    DATA_QUERY.name: "rule",
    SAFETY_FINDING.name: "kind",
}


def kind_of(table: str, column: str | None) -> Kind:
    """What a column of a table is about; None: its rows as a whole."""
    return _BY_COLUMN.get((table, column)) or _BY_TABLE.get(table, Kind.OTHER)


def parameter_of(table: str, row: Any) -> str | None:
    """By what a row is counted beside its column: analyte, score, time point, rule, ...; None: by nothing else."""
    name = _PARAMETERS.get(table)
    return None if name is None else str(getattr(row, name))


def said_at(table: Table[Any], row: Any, at: datetime) -> Mapping[str, Json]:
    """What a row says at an instant (aware) beside its columns, under names that no column has."""
    if table.name == VISIT.name:
        found = status_at(row, at)
        deviation = deviation_of(row, found)
        return {
            "status": found.status,
            "deviation": None if deviation is None else deviation.deviation_class,
            "notices": [each.kind for each in notices_at(row, at)],
        }
    if table.name == REPORTING_CLOCK.name:
        return {"status": clock_of(row).status(at).value}
    return {}
