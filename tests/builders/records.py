"""What is put on record beside a participant's course: other treatment, conditions, reports, deficiencies, queries."""

from typing import Any
from uuid import UUID

from builders.ids import AE, BASELINE_CONDITION, DEFICIENCY, MEDICATION, PROCEDURE, QUERY, SESSION, SUBMISSION
from builders.payloads import a_sealed, sealed
from builders.times import at, iso, minute
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.concomitant import MedicationRecorded, ProcedureRecorded
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_events.submissions import NarrativeWritten, SponsorNotified, SubmissionRecorded


def medication(**changes: Any) -> MedicationRecorded:
    """A medication that began ten days ago and goes on."""
    given = {
        "medicationId": str(MEDICATION),
        "verbatim": sealed("verbatim"),
        "startedAt": minute(days=10),
        "therapeuticAnticoagulant": False,
    }
    return MedicationRecorded.model_validate(given | changes)


def procedure(kind: str = "HD", **changes: Any) -> ProcedureRecorded:
    """A dialysis, or another procedure, that began three days ago."""
    given = {"procedureId": str(PROCEDURE), "kind": kind, "startedAt": minute(days=3)}
    return ProcedureRecorded.model_validate(given | changes)


def baseline_condition(**changes: Any) -> BaselineConditionRecorded:
    """Hepatic failure before treatment, without a grade."""
    given = {
        "baselineConditionId": str(BASELINE_CONDITION),
        "code": "HEPATIC_FAILURE_WORSENING",
        "verbatim": sealed("verbatim"),
    }
    return BaselineConditionRecorded.model_validate(given | changes)


def sponsor_notified(ae_id: UUID = AE, **before: float) -> SponsorNotified:
    """The sponsor knew of the adverse event so long ago, by default three days."""
    return SponsorNotified(ae_id=ae_id, notified_at=at(**(before or {"days": 3})))


def submission(kind: str = "INITIAL", to: str = "EC", **changes: Any) -> SubmissionRecorded:
    """A report of the adverse event that was handed in two days ago."""
    given = {
        "submissionId": str(SUBMISSION),
        "aeId": str(AE),
        "to": to,
        "kind": kind,
        "submittedAt": iso(days=2),
    }
    return SubmissionRecorded.model_validate(given | changes)


def narrative(language: str = "eng", **changes: Any) -> NarrativeWritten:
    """A narrative of the adverse event."""
    given = {"aeId": str(AE), "narrative": sealed("narrative"), "language": language}
    return NarrativeWritten.model_validate(given | changes)


def deficiency(could_have_led_to_sade: bool = True, **changes: Any) -> DeviceDeficiencyReported:
    """An inadequacy of the device in the session."""
    given = {
        "deficiencyId": str(DEFICIENCY),
        "description": sealed("description"),
        "sessionId": str(SESSION),
        "lot": "L-7",
        "couldHaveLedToSADE": could_have_led_to_sade,
    }
    return DeviceDeficiencyReported.model_validate(given | changes)


def query_answered(query_id: UUID = QUERY) -> QueryAnswered:
    """An answer to a data query."""
    return QueryAnswered(query_id=query_id, text=a_sealed("text"))


def query_closed(query_id: UUID = QUERY, rule_version: str = "1") -> QueryClosed:
    """A data query that the monitor closed."""
    return QueryClosed(query_id=query_id, reason=a_sealed(), rule_version=rule_version)
