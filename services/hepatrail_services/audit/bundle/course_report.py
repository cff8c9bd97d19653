"""A participant in the report: the course as the API names things, questions to the site, the audit trail."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from hepatrail_projections.derive import PARTS, SubjectRows
from hepatrail_projections.subject import SubjectRow
from hepatrail_projections.visits import status_at
from hepatrail_services.audit.bundle.html import Values, facts, names, table

_HIDDEN: Final = frozenset({"subject_id", "streamseq", "site_id", "row_index", "ordinal", "event_ids", "rule_version"})
_RECORD: Final = ("recorded_at", "actor_id", "voided", "void_reason_code", "void_reason_text", "corrections")

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "sessions": (
        "started_at", "ended_at", "end_reason", "weight_kg", "viable_cells", "duration_hours", "duration_class",
        "cells_per_kg", "target_ratio", "in_tolerance", "device_lot", "cell_batch", "voided", "corrections",
    ),
    "exposure": (
        "sessions", "ended", "stopped_early", "total_hours", "cumulative_cells_per_kg", "cumulative_ratio",
        "dose_target_scope", "in_tolerance",
    ),
    "lab_results": (
        "code", "collected_at", "collected_on", "comparator", "value", "unit", "canonical_value", "canonical_unit",
        "accepted", "reject_reason", "point", "used", "baseline", "grades", "voided", "corrections",
    ),
    "scores": (
        "score_id", "point", "status", "value", "baseline", "change", "change_reason", "missing", "flags",
        "provisional", "algorithm",
    ),
    "visits": ("code", "series", "earliest", "latest", "ends", "required", "done", "unusable", "lacking"),
    "adverse_events": (
        "code", "ctcae_term", "verbatim", "onset", "end_at", "state", "current_grade", "max_grade", "criteria",
        "serious", "teae", "related", "expectedness", "susar", "outcome", "action_taken", "causality", "void",
    ),
    "assessments": ("kind", "at", "happened", "visit_code", "point", "in_window", "used", *_RECORD),
    "medications": (
        "verbatim", "atc", "dose", "unit", "route", "started_at", "ended_at", "therapeutic_anticoagulant", *_RECORD,
    ),
    "procedures": ("kind", "started_at", "ended_at", "description", *_RECORD),
    "baseline_conditions": ("code", "ctcae_term", "verbatim", "onset", "grade", *_RECORD),
    "notifications": ("ae_id", "notified_at", "recorded_at", "actor_id"),
    "submissions": ("ae_id", "recipient", "kind", "submitted_at", "reference", *_RECORD),
    "narratives": ("ae_id", "language", "narrative", "latest", "recorded_at", "actor_id"),
    "deficiencies": ("lot", "session_id", "could_have_led_to_sade", "linked_ae_id", "description", *_RECORD),
    "clocks": ("type", "ae_id", "started_at", "due_at", "met_at", "cancelled_at", "provisional"),
    "queries": ("rule", "status", "code", "object_kind", "object_id", "message", "answers", "closures"),
    "findings": ("kind", "severity", "status", "words", "opened_at", "closed_at", "closed_by"),
}  # fmt: skip
"""What the report shows of each list of a participant; every row also names the events on which it rests."""

TITLES: Final[dict[str, str]] = {
    "sessions": "Treatment sessions",
    "exposure": "Exposure",
    "lab_results": "Laboratory results and observations",
    "scores": "Scores",
    "visits": "Visits",
    "adverse_events": "Adverse events",
    "assessments": "Assessments",
    "medications": "Medications",
    "procedures": "Procedures",
    "baseline_conditions": "Baseline conditions",
    "notifications": "Notifications to the sponsor",
    "submissions": "Submissions",
    "narratives": "Narratives",
    "deficiencies": "Device deficiencies",
    "clocks": "Reporting clocks",
    "queries": "Data queries",
    "findings": "Safety findings",
}


def _grades(row: Any) -> list[str]:
    """CTCAE grades by term; terms without one are left to the API."""
    return [f"{each['term']} {each['grade']}" for each in row.grades if each.get("grade") is not None]


_SHOWN: Final[dict[str, Callable[[Any], Any]]] = {"grades": _grades}
"""Columns that are not shown as they are."""


def course(rows: SubjectRows, values: Values, at: datetime) -> Iterator[str]:
    """Everything that follows from a participant's events at an instant."""
    yield subject_facts(rows.subject, values)
    for part in PARTS[1:]:
        found: Any = getattr(rows, part.name)
        listed: Sequence[Any] = found if isinstance(found, tuple) else (found,)
        columns = COLUMNS[part.name]
        status = _visit_status(at) if part.name == "visits" else None
        shown = [*names(columns), *(["status"] if status else []), "events"]
        yield from table(TITLES[part.name], shown, (_cells(row, columns, values, status) for row in listed))


def subject_facts(row: SubjectRow, values: Values) -> str:
    """The participant's own row."""
    chosen = [name for name in type(row).__dataclass_fields__ if name not in _HIDDEN]
    pairs = zip(names(chosen), (values.text(getattr(row, name)) for name in chosen), strict=True)
    return facts("Participant", [*pairs, ("events", values.events(row.event_ids))])


def _cells(row: Any, columns: Sequence[str], values: Values, status: Callable[[Any], str] | None) -> list[str]:
    cells = [values.text(_SHOWN[name](row) if name in _SHOWN else getattr(row, name)) for name in columns]
    if status is not None:
        cells.append(status(row))
    return [*cells, values.events(_event_ids(row))]


def _event_ids(row: Any) -> Any:
    """What a row rests on; a reporting clock says it for each of its moments."""
    found = getattr(row, "event_ids", None)
    return found if found is not None else (*row.start_event_ids, *row.met_event_ids, *row.cancel_event_ids)


def _visit_status(at: datetime) -> Callable[[Any], str]:
    return lambda row: status_at(row, at).status
