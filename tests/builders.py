"""Facts and commands for specifications: each builder names only what matters and fills in the rest.

All times lie around NOW, the moment at which specifications decide.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AEVoidRequested,
)
from hepatrail_events.assessments import (
    AEAssessmentDone,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
)
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.catalogue import catalogue
from hepatrail_events.concomitant import MedicationRecorded, ProcedureRecorded
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabFindingReviewed, LabResultsRecorded, ObservationsRecorded
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.safety_desk import AlertContent, AlertEscalated, AlertRaised, StoppingRuleTriggered
from hepatrail_events.sessions import SessionEnded, SessionPaused, SessionResumed, SessionStarted
from hepatrail_events.study import HoldPlaced, ProtocolPublished, SiteActivated
from hepatrail_events.submissions import NarrativeWritten, SponsorNotified, SubmissionRecorded
from hepatrail_events.types import SealedText, format_instant
from hepatrail_services.command import Command, read_command
from hepatrail_services.deciders.catalogue import COMMANDS

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
"""10:00 on 20 March 2026 at the site."""
SITE = "BFH"
SUBJECT = "S-001"
SESSION = UUID("00000000-0000-4000-8000-000000000001")
AE = UUID("00000000-0000-4000-8000-0000000000ae")
ALERT = UUID("00000000-0000-4000-8000-0000000000a1")
HOLD = UUID("00000000-0000-4000-8000-000000000b01")
MEDICATION = UUID("00000000-0000-4000-8000-0000000000d1")
PROCEDURE = UUID("00000000-0000-4000-8000-0000000000d2")
BASELINE_CONDITION = UUID("00000000-0000-4000-8000-0000000000bc")
SUBMISSION = UUID("00000000-0000-4000-8000-0000000000e1")
DEFICIENCY = UUID("00000000-0000-4000-8000-0000000000dd")
QUERY = UUID("00000000-0000-4000-8000-0000000000f1")


def at(**before: float) -> datetime:
    """The instant so long before NOW: `at(hours=3)`."""
    return NOW - timedelta(**before)


def iso(**before: float) -> str:
    """The text of `at`."""
    return format_instant(at(**before))


def day(text: str) -> dict[str, str]:
    """A partial date of DAY precision."""
    return {"value": text, "precision": "DAY"}


def minute(**before: float) -> dict[str, str]:
    """A partial date of MINUTE precision, so long before NOW."""
    return {"value": f"{at(**before):%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}


UNKNOWN = {"precision": "UNKNOWN"}


def sealed(path: str = "reason", subject: str = SUBJECT) -> dict[str, str]:
    """Sealed text under the subject's key, as it stands in a command or an event."""
    return {"kid": str(derived_id(subject, "key")), "cid": "c0", "path": path, "ct": "c2VhbGVk"}


def a_sealed(path: str = "reason", subject: str = SUBJECT) -> SealedText:
    """The same as an object."""
    return SealedText.model_validate(sealed(path, subject))


def event_id(streamseq: int) -> UUID:
    """The id of the event at this place of the participant's stream, in specifications."""
    return uuid5(UUID(int=0), f"subject-{SUBJECT}@{streamseq}")


def consent(**changes: Any) -> ConsentRecorded:
    """A consent that opens the stream."""
    given = {"siteId": SITE, "version": "ICF-2", "givenAt": iso(days=19), "healthDataConsent": True}
    return ConsentRecorded.model_validate(given | changes)


def enrolled(**changes: Any) -> SubjectEnrolled:
    """A participant with liver failure."""
    given = {
        "indication": "LIVER_FAILURE",
        "sex": "female",
        "ageYears": 44,
        "chronicHealth": True,
        "admissionType": "nonoperative",
    }
    return SubjectEnrolled.model_validate(given | changes)


def screen_failed() -> ScreenFailed:
    """A participant who did not meet the criteria."""
    return ScreenFailed(reason=a_sealed())


def consent_withdrawn(**changes: Any) -> ConsentWithdrawn:
    """Consent withdrawn two days ago."""
    return ConsentWithdrawn.model_validate({"withdrawnAt": iso(days=2)} | changes)


def session_started(**changes: Any) -> SessionStarted:
    """A session that began six hours ago."""
    return SessionStarted.model_validate({"sessionId": str(SESSION)} | _session() | changes)


def _session() -> dict[str, Any]:
    return {
        "startedAt": iso(hours=6),
        "accessVein": "FEMORAL",
        "side": "RIGHT",
        "deviceLot": "L-7",
        "cellBatch": "C-21",
        "batchReleaseRef": "QP-21",
        "viabilityPercent": "92.5",
        "viableCells": 10020000000,
        "weightKg": "60",
        "weightMeasuredAt": iso(days=1),
    }


def session_paused(**before: float) -> SessionPaused:
    """The session's flow stopped so long ago."""
    return SessionPaused(session_id=SESSION, at=at(**before), reason=a_sealed())


def session_resumed(**before: float) -> SessionResumed:
    """The session's flow began again so long ago."""
    return SessionResumed(session_id=SESSION, at=at(**before))


def session_ended(**before: float) -> SessionEnded:
    """The session ended so long ago, complete."""
    return SessionEnded.model_validate(
        {"sessionId": SESSION, "endedAt": format_instant(at(**(before or {"hours": 1}))), "reason": "COMPLETED"}
    )


def died(**changes: Any) -> ParticipantDied:
    """A death two days ago."""
    return ParticipantDied.model_validate({"deathAt": minute(days=2), "awareAt": iso(days=1)} | changes)


def withdrew(scope: str = "FOLLOW_UP", **changes: Any) -> ParticipantWithdrew:
    """A withdrawal three days ago."""
    given = {"withdrawnAt": iso(days=3), "scope": scope, "vitalStatusAllowed": False}
    return ParticipantWithdrew.model_validate(given | changes)


def death_corrected(**changes: Any) -> DeathRecordCorrected:
    """A correction of the death record that changes nothing unless told."""
    return DeathRecordCorrected.model_validate({"revived": False, "reason": sealed()} | changes)


def ae_assessment(any_new: str = "N", **changes: Any) -> AEAssessmentDone:
    """The site asked for adverse events an hour ago."""
    return AEAssessmentDone.model_validate({"at": iso(hours=1), "anyNew": any_new} | changes)


def survival(alive: str = "Y", **changes: Any) -> SurvivalStatusRecorded:
    """What the site learnt of survival on the phone, an hour ago."""
    given = {"at": iso(hours=1), "alive": alive, "transplant": "NONE", "source": "PHONE"}
    return SurvivalStatusRecorded.model_validate(given | changes)


def transplanted(**changes: Any) -> TransplantDone:
    """A liver transplant three days ago."""
    return TransplantDone.model_validate({"transplantAt": minute(days=3)} | changes)


def lost_to_follow_up(**before: float) -> LostToFollowUp:
    """The last contact was so long ago, by default a week."""
    return LostToFollowUp(last_contact_at=at(**(before or {"days": 7})))


def contact_regained(**before: float) -> ContactRegained:
    """The site reached the participant again so long ago, by default yesterday."""
    return ContactRegained(at=at(**(before or {"days": 1})))


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


def finding_reviewed(number: int = 0, **changes: Any) -> LabFindingReviewed:
    """The finding in a row of `lab_result` was judged, by default as not significant."""
    given = {"resultId": str(row_id(number)), "clinicallySignificant": False}
    return LabFindingReviewed.model_validate(given | changes)


def row_id(number: int) -> UUID:
    """The resultId of a row of `lab_result` or `observation`."""
    return derived_id("row", number)


def row(code: str, value: Any, **changes: Any) -> dict[str, Any]:
    """A row as a sender states it, in the canonical unit."""
    stated = {"code": code, "value": str(value), "unit": catalogue()[code].canonical_unit} | changes
    return {name: part for name, part in stated.items() if part is not None}


def _measured(values: dict[str, Any], reason: str | None) -> list[dict[str, Any]]:
    judged = {"accepted": reason is None} | ({"rejectReason": reason} if reason else {})
    return [
        row(code, value) | {"resultId": str(row_id(number))} | judged
        for number, (code, value) in enumerate(values.items())
    ]


def lab_result(reason: str | None = None, message: str | None = None, **values: Any) -> LabResultsRecorded:
    """Results of one sample taken yesterday, in canonical units: `lab_result(alt=130)`."""
    given = {
        "sampleId": str(derived_id("sample")),
        "collectedAt": iso(days=1),
        "laboratory": "BFH-LAB",
        "results": _measured(values, reason),
    }
    return LabResultsRecorded.model_validate(given | ({"sourceMessageId": message} if message else {}))


def observation(reason: str | None = None, **values: Any) -> ObservationsRecorded:
    """Observations made yesterday: `observation(map=70)`."""
    return ObservationsRecorded.model_validate({"assessedAt": iso(days=1), "rows": _measured(values, reason)})


def _adverse_event() -> dict[str, Any]:
    return {
        "code": "FEVER",
        "verbatim": sealed("verbatim"),
        "onset": minute(days=5),
        "awareAt": iso(days=4),
        "grade": 2,
        "gradeAt": minute(days=5),
        "outcome": "NOT_RECOVERED",
        "actionTaken": "NO_CHANGE",
        "reporter": "ward physician",
    }


def ae_reported(**changes: Any) -> AEReported:
    """A fever of grade 2 that goes on."""
    return AEReported.model_validate({"aeId": str(AE), "aeVersion": 1} | _without(_adverse_event() | changes))


def _of_ae(version: int, given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {"aeId": str(AE), "aeVersion": version} | _without(given | changes)


def ae_followed_up(version: int = 2, **changes: Any) -> AEFollowedUp:
    """New information of three days ago."""
    given = {"infoReceivedAt": iso(days=3), "text": sealed("text")}
    return AEFollowedUp.model_validate(_of_ae(version, given, changes))


def ae_grade_changed(to: int, version: int = 2, **changes: Any) -> AEGradeChanged:
    """The severity changed three days ago."""
    return AEGradeChanged.model_validate(_of_ae(version, {"toGrade": to, "gradeAt": minute(days=3)}, changes))


def ae_grade_corrected(version: int = 2, **changes: Any) -> AEGradeCorrected:
    """A point of the grade timeline is taken away, or replaced where a grade is given."""
    given = {"gradeEventId": str(derived_id("grade event")), "reason": sealed()}
    return AEGradeCorrected.model_validate(_of_ae(version, given, changes))


def ae_causality(version: int = 2, **changes: Any) -> AECausalityAssessed:
    """The investigator finds the device a possible cause."""
    given = {
        "assessor": "INVESTIGATOR",
        "target": "DEVICE",
        "value": "POSSIBLE",
        "rationale": sealed("rationale"),
    }
    return AECausalityAssessed.model_validate(_of_ae(version, given, changes))


def ae_expectedness(value: str = "UNEXPECTED", version: int = 2, **changes: Any) -> AEExpectednessAssessed:
    """The sponsor's judgement by the reference safety information."""
    return AEExpectednessAssessed.model_validate(_of_ae(version, {"value": value}, changes))


def ae_upgraded(*criteria: str, version: int = 2, **changes: Any) -> AEUpgradedToSerious:
    """An assessor found the event serious, by default because of hospitalisation, three days ago."""
    given = {"criteria": criteria or ["HOSPITALISATION"], "seriousSince": minute(days=3), "awareAt": iso(days=3)}
    return AEUpgradedToSerious.model_validate(_of_ae(version, given, changes))


def ae_criteria_changed(version: int = 2, **changes: Any) -> AESeriousnessCriteriaChanged:
    """The investigator changed the criteria of the serious event."""
    given = {"assessor": "INVESTIGATOR", "awareAt": iso(days=2)}
    return AESeriousnessCriteriaChanged.model_validate(_of_ae(version, given, changes))


def ae_downgraded(version: int = 2, **changes: Any) -> AEDowngradedToNonSerious:
    """The investigator no longer finds the event serious."""
    given = {
        "assessor": "INVESTIGATOR",
        "reasonCode": "CRITERION_MISAPPLIED",
        "reasonText": sealed("reasonText"),
    }
    return AEDowngradedToNonSerious.model_validate(_of_ae(version, given, changes))


def ae_resolved(outcome: str = "RECOVERED", version: int = 2, **changes: Any) -> AEResolved:
    """The event ended five hours ago."""
    return AEResolved.model_validate(_of_ae(version, {"outcome": outcome, "endAt": minute(hours=5)}, changes))


def ae_reopened(version: int = 2) -> AEReopened:
    """The event goes on after all."""
    return AEReopened.model_validate(_of_ae(version, {"reason": sealed()}, {}))


def ae_corrected(field: str, old: str | None, new: str | None, version: int = 2, **changes: Any) -> AECorrected:
    """One field of the report was corrected."""
    given = {"field": field, "oldValue": old, "newValue": new, "reason": sealed()}
    return AECorrected.model_validate(_of_ae(version, given, changes))


def ae_coded(version: int = 2, **changes: Any) -> AECoded:
    """The event was coded in MedDRA, with codes made up for tests."""
    given = {"meddraVersion": "28.1", "lltCode": "10000001", "ptCode": "10000002"}
    return AECoded.model_validate(_of_ae(version, given, changes))


def ae_void_requested(version: int = 2, **changes: Any) -> AEVoidRequested:
    """An investigator asks that the event be void."""
    given = {"reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
    return AEVoidRequested.model_validate(_of_ae(version, given, changes))


def ae_voided(version: int = 2, **changes: Any) -> AEVoided:
    """The event was void."""
    given = {"reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")}
    return AEVoided.model_validate(_of_ae(version, given, changes))


FATAL = {
    "code": "SEPSIS",
    "grade": 5,
    "gradeAt": minute(days=2),
    "outcome": "FATAL",
    "criteria": ["DEATH"],
}
"""What makes a report fatal; the death is two days ago, as in `died`."""


def protocol_published(version: str = "1.0", **content: Any) -> ProtocolPublished:
    """The shipped protocol, with changes to its content."""
    protocol = shipped_protocol().model_copy(update=content).content()
    return ProtocolPublished(
        version=version,
        content=protocol,
        hash=content_hash(protocol),
        approved_by="steering committee",
        reason="first version",
        effective_at=at(days=365),
    )


def site_activated(site_id: str = SITE) -> SiteActivated:
    """An active site."""
    return SiteActivated(site_id=site_id, approval_ref="EC-2026-11")


def hold_placed(action: str = "HOLD_SESSIONS", subject_id: str | None = None, **changes: Any) -> HoldPlaced:
    """A hold of the trial, or of one participant."""
    given: dict[str, Any] = {
        "holdId": str(HOLD),
        "action": action,
        "requires": "PI",
        "scope": "TRIAL",
        "reason": "see minutes",
    }
    if subject_id:
        given |= {"scope": "PARTICIPANT", "subjectId": subject_id, "reason": sealed(subject=subject_id)}
    return HoldPlaced.model_validate(given | changes)


def alert_content(**changes: Any) -> AlertContent:
    """A new serious adverse event of the participant."""
    given = {
        "alertId": str(ALERT),
        "type": "SAE_NEW",
        "priority": "P2",
        "raisedAt": iso(minutes=1),
        "commitId": str(derived_id("commit")),
        "reporterId": "reporter",
        "subjectId": SUBJECT,
        "siteId": SITE,
        "aeId": str(AE),
    }
    return AlertContent.model_validate(_without(given | changes))


def alert_raised(seq: int = 1, **changes: Any) -> AlertRaised:
    """An alert of the desk."""
    return AlertRaised(**dict(alert_content(**changes)), alert_seq=seq)


def alert_escalated(level: int = 1, late: bool = False, alert_id: UUID = ALERT) -> AlertEscalated:
    """Nobody had acknowledged the alert when the level's time had come."""
    return AlertEscalated(alert_id=alert_id, level=level, late=late)


def stopping_rule_triggered(**changes: Any) -> StoppingRuleTriggered:
    """A stopping rule was hit by the participant."""
    given = {
        "hitId": str(derived_id("SR4", SUBJECT, 0)),
        "ruleId": "SR4",
        "scopeId": SUBJECT,
        "commitId": str(derived_id("commit")),
        "actions": ["HOLD_SESSIONS"],
    }
    return StoppingRuleTriggered.model_validate(given | changes)


_DEFAULTS: dict[str, dict[str, Any]] = {
    "recordConsent": {"siteId": SITE, "version": "ICF-2", "givenAt": iso(hours=2), "healthDataConsent": True},
    "recordScreenFailure": {"reason": sealed()},
    "enrolSubject": enrolled().payload(),
    "withdrawConsent": {"withdrawnAt": iso(hours=1)},
    "startSession": _session() | {"startedAt": iso(minutes=10)},
    "pauseSession": {"sessionId": str(SESSION), "at": iso(hours=3), "reason": sealed()},
    "resumeSession": {"sessionId": str(SESSION), "at": iso(hours=2)},
    "endSession": {"sessionId": str(SESSION), "endedAt": iso(minutes=5), "reason": "COMPLETED"},
    "correctSession": {"id": str(SESSION), "field": "weightKg", "newValue": "61.5", "reason": sealed()},
    "voidSession": {"id": str(SESSION), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "recordLabResults": {"collectedAt": iso(hours=4), "laboratory": "BFH-LAB", "results": [row("alt", 130)]},
    "correctLabResult": {"id": str(row_id(0)), "field": "value", "newValue": "131", "reason": sealed()},
    "voidLabResult": {"id": str(row_id(0)), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")},
    "confirmImplausible": {"resultId": str(row_id(0)), "reason": sealed()},
    "recordObservations": {"assessedAt": iso(hours=4), "rows": [row("map", 70)]},
    "recordDeath": {"deathAt": minute(hours=3), "awareAt": iso(hours=2)},
    "withdrawSubject": {"withdrawnAt": iso(hours=1), "scope": "FOLLOW_UP", "vitalStatusAllowed": False},
    "reportAdverseEvent": _adverse_event(),
    "changeAdverseEventGrade": {"aeId": str(AE), "toGrade": 3, "gradeAt": minute(days=3)},
    "upgradeAdverseEvent": {
        "aeId": str(AE),
        "criteria": ["HOSPITALISATION"],
        "seriousSince": minute(days=3),
        "awareAt": iso(days=2),
    },
    "resolveAdverseEvent": {"aeId": str(AE), "outcome": "RECOVERED", "endAt": minute(hours=5)},
    "followUpAdverseEvent": {"aeId": str(AE), "infoReceivedAt": iso(days=1), "text": sealed("text")},
    "reopenAdverseEvent": {"aeId": str(AE), "reason": sealed()},
    "correctAdverseEvent": {"aeId": str(AE), "field": "reporter", "newValue": "study nurse", "reason": sealed()},
    "codeAdverseEvent": {"aeId": str(AE), "meddraVersion": "28.1", "lltCode": "10000001", "ptCode": "10000002"},
    "correctAdverseEventGrade": {
        "aeId": str(AE),
        "gradeEventId": str(event_id(2)),
        "grade": 3,
        "reason": sealed(),
    },
    "changeSeriousnessCriteria": {"aeId": str(AE), "added": ["MEDICALLY_IMPORTANT"], "awareAt": iso(days=1)},
    "downgradeAdverseEvent": {
        "aeId": str(AE),
        "reasonCode": "CRITERION_MISAPPLIED",
        "reasonText": sealed("reasonText"),
    },
    "assessCausality": {
        "aeId": str(AE),
        "target": "DEVICE",
        "value": "POSSIBLE",
        "rationale": sealed("rationale"),
    },
    "assessExpectedness": {"aeId": str(AE), "value": "UNEXPECTED"},
    "voidAdverseEvent": {"aeId": str(AE), "reasonCode": "NOT_AN_AE", "reasonText": sealed("reasonText")},
    "requestAeVoid": {"aeId": str(AE), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")},
    "coSignAeVoid": {"aeId": str(AE)},
    "correctDeathRecord": {"revived": False, "autopsyDone": True, "reason": sealed()},
    "reviewLabFinding": {"resultId": str(row_id(0)), "clinicallySignificant": False},
    "correctObservation": {"id": str(row_id(0)), "field": "value", "newValue": "71", "reason": sealed()},
    "voidObservation": {"id": str(row_id(0)), "reasonCode": "ENTERED_IN_ERROR", "reasonText": sealed("reasonText")},
    "recordAeAssessment": {"at": iso(hours=1), "anyNew": "N"},
    "recordSurvivalStatus": {"at": iso(hours=1), "alive": "Y", "transplant": "NONE", "source": "PHONE"},
    "recordTransplant": {"transplantAt": minute(hours=5)},
    "recordLossToFollowUp": {"lastContactAt": iso(hours=3)},
    "recordContactRegained": {"at": iso(hours=1)},
    "correctAssessment": {"id": str(event_id(3)), "field": "at", "newValue": iso(hours=2), "reason": sealed()},
    "voidAssessment": {"id": str(event_id(3)), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "recordMedication": {
        "verbatim": sealed("verbatim"),
        "startedAt": minute(days=2),
        "therapeuticAnticoagulant": False,
    },
    "correctMedication": {"id": str(MEDICATION), "field": "route", "newValue": "oral", "reason": sealed()},
    "voidMedication": {"id": str(MEDICATION), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "recordProcedure": {"kind": "CVVHD", "startedAt": minute(days=2)},
    "correctProcedure": {"id": str(PROCEDURE), "field": "kind", "newValue": "CVVHDF", "reason": sealed()},
    "voidProcedure": {"id": str(PROCEDURE), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "recordBaselineCondition": {"code": "HEPATIC_FAILURE_WORSENING", "verbatim": sealed("verbatim"), "grade": 3},
    "correctBaselineCondition": {"id": str(BASELINE_CONDITION), "field": "grade", "newValue": "4", "reason": sealed()},
    "voidBaselineCondition": {
        "id": str(BASELINE_CONDITION),
        "reasonCode": "ENTERED_IN_ERROR",
        "reasonText": sealed("reasonText"),
    },
    "recordSponsorNotification": {"aeId": str(AE), "notifiedAt": iso(days=2)},
    "recordSubmission": {"aeId": str(AE), "to": "EC", "kind": "INITIAL", "submittedAt": iso(days=1)},
    "correctSubmission": {"id": str(SUBMISSION), "field": "reference", "newValue": "EC-77", "reason": sealed()},
    "voidSubmission": {"id": str(SUBMISSION), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "writeNarrative": {"aeId": str(AE), "narrative": sealed("narrative"), "language": "eng"},
    "reportDeviceDeficiency": {
        "description": sealed("description"),
        "sessionId": str(SESSION),
        "lot": "L-7",
        "couldHaveLedToSADE": False,
    },
    "correctDeviceDeficiency": {"id": str(DEFICIENCY), "field": "lot", "newValue": "L-8", "reason": sealed()},
    "voidDeviceDeficiency": {"id": str(DEFICIENCY), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")},
    "answerQuery": {"queryId": str(QUERY), "text": sealed("text")},
    "closeQuery": {"queryId": str(QUERY), "reason": sealed(), "ruleVersion": "1"},
    "activateSite": {"siteId": SITE, "approvalRef": "EC-2026-11"},
    "deactivateSite": {"siteId": SITE, "reason": "recruitment closed"},
    "placeHold": {"action": "HOLD_SESSIONS", "scope": "TRIAL", "requires": "PI", "reason": "see minutes"},
    "releaseHold": {"holdId": str(HOLD), "reason": "reviewed"},
    "withdrawAccess": {"tokenSubject": "u-9", "reason": "left the hospital"},
    "publishProtocol": {
        "version": "1.0",
        "content": shipped_protocol().content(),
        "approvedBy": "steering committee",
        "reason": "first version",
        "effectiveAt": iso(hours=1),
    },
    "publishSealingKey": {"publicKey": "A" * 43 + "=", "reason": "first key"},
    "reviewAuditTrail": {"from": iso(days=30), "to": iso(hours=1), "findings": "nothing to object"},
    "acknowledgeSaeAlert": {"alertId": str(ALERT)},
}
OF_THE_STUDY = frozenset(
    {
        "activateSite",
        "deactivateSite",
        "placeHold",
        "releaseHold",
        "withdrawAccess",
        "publishProtocol",
        "publishSealingKey",
        "reviewAuditTrail",
    }
)


def command_input(name: str, **changes: Any) -> dict[str, Any]:
    """The input of a command that is accepted on a fitting history, with changes; None takes a field away."""
    ids: dict[str, Any] = {"commandId": str(uuid4())}
    if name not in OF_THE_STUDY and name != "acknowledgeSaeAlert":
        ids["subjectId"] = SUBJECT
    return _without(ids | _DEFAULTS[name] | changes)


def command(name: str, **changes: Any) -> Command:
    """The same as a command."""
    return read_command(COMMANDS[name], command_input(name, **changes))


def _without(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
