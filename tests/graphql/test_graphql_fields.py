"""Every column of every row has its field, named in the protocol's words, and every code says what it means."""

from dataclasses import fields
from enum import Enum
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType
from strawberry.utils.str_converters import to_camel_case

from hepatrail_graphql.enum_values import MEANINGS
from hepatrail_graphql.enums import ENUMS
from hepatrail_graphql.schema import SCHEMA
from hepatrail_projections.adverse_event import AdverseEventRow
from hepatrail_projections.assessment import AssessmentRow
from hepatrail_projections.baseline_condition import BaselineConditionRow
from hepatrail_projections.data_query import QueryRow
from hepatrail_projections.derive import PARTS
from hepatrail_projections.device_deficiency import DeviceDeficiencyRow
from hepatrail_projections.exposure import ExposureRow
from hepatrail_projections.lab_result import LabResultRow
from hepatrail_projections.medication import MedicationRow
from hepatrail_projections.narrative import NarrativeRow
from hepatrail_projections.procedure import ProcedureRow
from hepatrail_projections.reporting_clock import ReportingClockRow
from hepatrail_projections.safety_finding import SafetyFindingRow
from hepatrail_projections.score import ScoreRow
from hepatrail_projections.session import SessionRow
from hepatrail_projections.sponsor_notification import SponsorNotificationRow
from hepatrail_projections.subject import SubjectRow
from hepatrail_projections.submission import SubmissionRow
from hepatrail_projections.visit import VisitRow

TYPES: dict[type[Any], tuple[str, ...]] = {
    SubjectRow: ("Subject",),
    SessionRow: ("Session",),
    ExposureRow: ("Exposure",),
    LabResultRow: ("LabResult",),
    ScoreRow: ("Score",),
    VisitRow: ("Visit", "VisitWindow", "MissingItem", "VisitStop"),
    AdverseEventRow: ("AdverseEvent",),
    AssessmentRow: ("AeAssessment", "Transplant"),
    MedicationRow: ("Medication",),
    ProcedureRow: ("Procedure",),
    BaselineConditionRow: ("BaselineCondition",),
    SponsorNotificationRow: ("SponsorNotification",),
    SubmissionRow: ("Submission",),
    NarrativeRow: ("Narrative",),
    DeviceDeficiencyRow: ("DeviceDeficiency",),
    ReportingClockRow: ("ReportingClock",),
    SafetyFindingRow: ("SafetyFinding",),
    QueryRow: ("DataQuery",),
}

EVERYWHERE = {
    "protocol_version": "provenance",
    "event_ids": "provenance",
    "derived_event_ids": "provenance",
    "actor_id": "recordedBy",
    "max_grade_te": "maxGradeTE",
    "fatal_lt": "fatalLT",
    "dev_sae": "devSAE",
    "could_have_led_to_sade": "couldHaveLedToSADE",
}
IDS: dict[type[Any], str] = {
    SubjectRow: "subject_id",
    SessionRow: "session_id",
    LabResultRow: "result_id",
    AdverseEventRow: "ae_id",
    AssessmentRow: "event_id",
    MedicationRow: "medication_id",
    ProcedureRow: "procedure_id",
    BaselineConditionRow: "baseline_condition_id",
    SubmissionRow: "submission_id",
    DeviceDeficiencyRow: "deficiency_id",
    ReportingClockRow: "clock_id",
    SafetyFindingRow: "finding_id",
    QueryRow: "query_id",
}
RENAMED: dict[tuple[type[Any], str], str] = {
    (LabResultRow, "collected_on"): "collectedAt",
    (ScoreRow, "score_id"): "score",
    (ScoreRow, "point"): "visit",
    (AdverseEventRow, "ae_version"): "version",
    (AdverseEventRow, "current_grade"): "grade",
    (AssessmentRow, "happened"): "transplantAt",
    (AssessmentRow, "facts"): "anyNew",
}
ORDER = {"streamseq", "row_index"}
"""Places that the order of the lists shows."""
NOT_SHOWN: dict[type[Any], set[str]] = {
    # The order of the list, the formula's name in provenance.
    ScoreRow: {"ordinal", "algorithm"},
    # What the protocol says, and T0, which the participant has.
    VisitRow: {"t0", "ae", "surv", "unusable", "lookback_days", "entry_grace_hours", "post_transplant"},
    # Among those of the provenance.
    SubjectRow: {"death_event_ids"},
    # The event is named in provenance.
    SponsorNotificationRow: {"event_id"},
    NarrativeRow: {"event_id"},
    # What the list is filtered by.
    QueryRow: {"site_id"},
    SafetyFindingRow: {"site_id"},
}


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.__name__)
def test_every_column_has_its_field(row: type[Any]) -> None:
    shown = {field for name in TYPES[row] for field in _fields(name)}
    lacking = set()
    for column in fields(row):
        name = column.name
        if name in ORDER | NOT_SHOWN.get(row, set()) or (name == "subject_id" and row is not SubjectRow):
            continue
        identity = "id" if IDS.get(row) == name else None
        expected = identity or RENAMED.get((row, name)) or EVERYWHERE.get(name) or to_camel_case(name)
        if expected not in shown:
            lacking.add(f"{name} as {expected}")
    assert lacking == set()


def test_every_table_of_a_participant_is_among_them() -> None:
    assert {part.table.row for part in PARTS} == set(TYPES)


def test_what_an_adverse_event_must_show_is_shown() -> None:
    """`safety.md` section 9, whole; a name that differs stands in the description."""
    listed = (
        "aeId, subjectId, code, meddra, verbatim, onset, endAt, state, currentGrade, maxGrade, maxGradeTE, criteria, "
        "serious, everSerious, teae, teaeCase, teOnset, aesi, related, relatedAssessed, unexpected, susar, "
        "provisional, devSAE, outcome, actionTaken, relatedSessionId, ongoingAtDeath, postTransplant, clocks, "
        "openQueries, lastAlertSeq, voidRequested, aeVersion, asOf"
    )
    kind = SCHEMA._schema.type_map["AdverseEvent"]
    assert isinstance(kind, GraphQLObjectType)
    words = " ".join(field.description or "" for field in kind.fields.values())
    assert [name for name in listed.split(", ") if name not in kind.fields and name not in words] == []


@pytest.mark.parametrize("codes", ENUMS, ids=lambda codes: codes.__name__)
def test_every_code_of_the_domain_says_what_it_means(codes: type[Enum]) -> None:
    assert set(MEANINGS[codes.__name__]) == {code.value for code in codes}


def test_every_code_of_the_schema_says_what_it_means() -> None:
    bare = [
        f"{name}.{code}"
        for name, kind in SCHEMA._schema.type_map.items()
        if isinstance(kind, GraphQLEnumType) and not name.startswith("__")
        for code, value in kind.values.items()
        if not value.description
    ]
    assert bare == []


def test_every_derived_value_tells_what_it_rests_on() -> None:
    derived = (
        "Subject Session Exposure LabResult LabGrade Score Visit Compliance Deviation AdverseEvent DataQuery SaeAlert "
        "ReportingClock StoppingRuleHit SafetyFinding"
    )
    assert [name for name in derived.split() if "provenance" not in _fields(name)] == []


def _fields(name: str) -> set[str]:
    kind = SCHEMA._schema.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return set(kind.fields)
