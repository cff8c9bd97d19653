"""What the golden files say: payloads that together show every field of every event."""

from pathlib import Path
from typing import Any

from builders import adverse_events, ids, measurements, participant, records, safety_desk, study
from builders.payloads import sealed
from builders.times import iso
from hepatrail_events.protocol import content_hash

CONTENT_OF_0_1_0 = (Path(__file__).parent / "events" / "protocol_of_0_1_0.json").read_text()
"""The content that the first release published: what ships changes, what was published does not."""
UUID_STEM = "018f0000-0000-7000-8000-00000000000"
"""Every id but its last digit, where a payload or the envelope needs one of its own."""
_LATER = {"value": "2026-03-18", "precision": "DAY"}
_WHOLE_ROW = {
    "code": "creatinine", "value": "0.2", "comparator": "<", "unit": "mg/dL", "low": "0.5", "high": "1.1",
    "method": "enzymatic", "fasting": True, "accepted": True,
}  # fmt: skip
_KEPT_ROW = {"code": "ALT (SGPT)", "notDone": "HEMOLYSED", "accepted": False, "rejectReason": "UNKNOWN_CODE"}
_CORRECTED = {"oldValue": "60", "newValue": "61.5", "reason": sealed()}
_VOIDED = {"reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")}
_NEW_TEXT = {"newText": sealed("newText")}
_AE = {"aeId": str(ids.AE), "aeVersion": 2}


def _rows(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [row | {"resultId": str(ids.row_id(number))} for number, row in enumerate(rows)]


PAYLOADS: dict[str, dict[str, Any]] = {
    "ConsentRecorded": participant.consent().payload(),
    "ScreenFailed": participant.screen_failed().payload(),
    "SubjectEnrolled": participant.enrolled(heightCm="172.5").payload(),
    "ConsentWithdrawn": participant.consent_withdrawn().payload(),
    "SessionStarted": participant.session_started(
        accessPlacedAt=iso(days=1), flowMlMin="150", anticoagulant="CITRATE"
    ).payload(),
    "SessionPaused": participant.session_paused(hours=4).payload(),
    "SessionResumed": participant.session_resumed(hours=3).payload(),
    "SessionEnded": participant.session_ended(hours=1).payload(),
    "SessionCorrected": {"id": str(ids.SESSION), "field": "weightKg"} | _CORRECTED,
    "SessionVoided": {"id": str(ids.SESSION)} | _VOIDED,
    "LabResultsRecorded": {
        "sampleId": UUID_STEM + "5",
        "collectedAt": iso(days=1),
        "visitCode": "D3",
        "preSession": True,
        "laboratory": "BFH-LAB",
        "sourceMessageId": "M-1",
        "specimen": "serum",
        "results": _rows(_WHOLE_ROW, _KEPT_ROW),
    },
    "LabResultCorrected": {
        "id": str(ids.row_id(0)),
        "field": "value",
        "accepted": False,
        "rejectReason": "IMPLAUSIBLE",
    }
    | _CORRECTED,
    "LabResultVoided": {"id": str(ids.row_id(0))} | _VOIDED,
    "ObservationCorrected": {
        "id": str(ids.row_id(0)),
        "field": "value",
        "accepted": False,
        "rejectReason": "VALUE_NOT_ALLOWED",
    }
    | _CORRECTED,
    "ObservationVoided": {"id": str(ids.row_id(0))} | _VOIDED,
    "LabFindingReviewed": measurements.finding_reviewed(finalGrade=0).payload(),
    "ImplausibleConfirmed": {"resultId": str(ids.row_id(0)), "reason": sealed()},
    "ObservationsRecorded": {
        "assessedAt": "2026-03-19",
        "visitCode": "D3",
        "preSession": False,
        "rows": _rows(
            {"code": "gcs_verbal", "value": "NT", "unit": "{score}", "accepted": True, "ntReason": "INTUBATED"}
        ),
    },
    "ParticipantDied": participant.died(primaryCauseAeId=str(ids.AE), autopsyDone=False).payload(),
    "DeathRecordCorrected": {
        "revived": False,
        "deathAt": _LATER,
        "primaryCauseAeId": str(ids.AE),
        "autopsyDone": True,
        "reason": sealed(),
    },
    "ParticipantWithdrew": participant.withdrew(vitalStatusAllowed=True, reason=sealed()).payload(),
    "AEAssessmentDone": participant.ae_assessment("Y", visitCode="D7").payload(),
    "SurvivalStatusRecorded": participant.survival(
        "N", transplant="DONE", transplantAt={"value": "2026-03", "precision": "MONTH"}, visitCode="D7"
    ).payload(),
    "TransplantDone": participant.transplanted(donor="LIVING").payload(),
    "LostToFollowUp": participant.lost_to_follow_up().payload(),
    "ContactRegained": participant.contact_regained().payload(),
    "AssessmentCorrected": {"id": UUID_STEM + "a", "field": "at"} | _CORRECTED | _NEW_TEXT,
    "AssessmentVoided": {"id": UUID_STEM + "a"} | _VOIDED,
    "MedicationRecorded": records.medication(
        atc="B01AB01", dose="5000", unit="[iU]", route="intravenous", endedAt=_LATER, therapeuticAnticoagulant=True
    ).payload(),
    "MedicationCorrected": {"id": str(ids.MEDICATION), "field": "dose"} | _CORRECTED | _NEW_TEXT,
    "MedicationVoided": {"id": str(ids.MEDICATION)} | _VOIDED,
    "ProcedureRecorded": records.procedure("CVVHD", endedAt=_LATER, description=sealed("description")).payload(),
    "ProcedureCorrected": {"id": str(ids.PROCEDURE), "field": "kind"} | _CORRECTED | _NEW_TEXT,
    "ProcedureVoided": {"id": str(ids.PROCEDURE)} | _VOIDED,
    "BaselineConditionRecorded": records.baseline_condition(
        ctcaeTerm="Hepatic failure", onset=_LATER, grade=3
    ).payload(),
    "BaselineConditionCorrected": {"id": str(ids.BASELINE_CONDITION), "field": "grade"} | _CORRECTED | _NEW_TEXT,
    "BaselineConditionVoided": {"id": str(ids.BASELINE_CONDITION)} | _VOIDED,
    "SponsorNotified": records.sponsor_notified().payload(),
    "SubmissionRecorded": records.submission(reference="EC-2026-77").payload(),
    "SubmissionCorrected": {"id": str(ids.SUBMISSION), "field": "reference"} | _CORRECTED | _NEW_TEXT,
    "SubmissionVoided": {"id": str(ids.SUBMISSION)} | _VOIDED,
    "NarrativeWritten": records.narrative().payload(),
    "DeviceDeficiencyReported": records.deficiency(linkedAeId=str(ids.AE)).payload(),
    "DeviceDeficiencyCorrected": {"id": str(ids.DEFICIENCY), "field": "lot"} | _CORRECTED | _NEW_TEXT,
    "DeviceDeficiencyVoided": {"id": str(ids.DEFICIENCY)} | _VOIDED,
    "QueryAnswered": records.query_answered().payload(),
    "QueryClosed": records.query_closed().payload(),
    "AEReported": adverse_events.ae_reported(
        ctcaeTerm="Fever",
        endAt=_LATER,
        outcome="RECOVERED",
        criteria=["HOSPITALISATION"],
        ageYears=44,
        baselineConditionId=UUID_STEM + "6",
        recurrenceOf=UUID_STEM + "7",
        replaces=UUID_STEM + "8",
        onsetBeforeFirstSession=False,
        frequencyWorsenedAt={"value": "2026-03", "precision": "MONTH"},
        causality=[{"target": "DEVICE", "value": "POSSIBLE", "rationale": sealed("causality[0].rationale")}],
    ).payload(),
    "AEGradeChanged": _AE | {"fromGrade": 2, "toGrade": 3, "gradeAt": {"precision": "UNKNOWN"}},
    "AEUpgradedToSerious": _AE
    | {"criteria": ["HOSPITALISATION"], "seriousSince": {"value": "2026", "precision": "YEAR"}, "awareAt": iso()},
    "AEResolved": _AE | {"outcome": "RECOVERED_WITH_SEQUELAE", "endAt": _LATER},
    "AEFollowedUp": adverse_events.ae_followed_up(
        2,
        outcome="RECOVERING",
        actionTaken="DOSE_REDUCED",
        frequencyWorsenedAt=_LATER,
        attachments=["DOC-7"],
    ).payload(),
    "AEGradeCorrected": adverse_events.ae_grade_corrected(2, grade=2, gradeAt=_LATER).payload(),
    "AECausalityAssessed": adverse_events.ae_causality(2).payload(),
    "AEExpectednessAssessed": adverse_events.ae_expectedness(
        "EXPECTED", 2, rsiVersion="IB-3", rsiTerm="Fever"
    ).payload(),
    "AESeriousnessCriteriaChanged": adverse_events.ae_criteria_changed(
        2, added=["LIFE_THREATENING"], removed=["HOSPITALISATION"], reason=sealed()
    ).payload(),
    "AEDowngradedToNonSerious": adverse_events.ae_downgraded(2).payload(),
    "AEReopened": adverse_events.ae_reopened(2).payload(),
    "AECorrected": _AE | {"field": "code"} | _CORRECTED | _NEW_TEXT,
    "AECoded": adverse_events.ae_coded(2, lltName="Pyrexia", ptName="Pyrexia").payload(),
    "AEVoidRequested": adverse_events.ae_void_requested(
        2, reasonCode="DUPLICATE", duplicateOf=UUID_STEM + "b"
    ).payload(),
    "AEVoided": adverse_events.ae_voided(
        2, reasonCode="DUPLICATE", duplicateOf=UUID_STEM + "b", coSigner="pi"
    ).payload(),
    "AlertRaised": safety_desk.alert_raised(
        2,
        reasons=["SAE_NEW", "AESI"],
        aeVersion=1,
        code="FEVER",
        verbatim=sealed("verbatim"),
        grade=3,
        maxGrade=4,
        criteria=["HOSPITALISATION"],
        outcome="NOT_RECOVERED",
        onset=_LATER,
        teae=True,
        sessionId=str(ids.SESSION),
        hoursFromSessionStart="5.5",
        hoursFromSessionEnd="-0.5",
        actionTaken="NO_CHANGE",
        causality=[{"assessor": "INVESTIGATOR", "target": "DEVICE", "value": "POSSIBLE"}],
        expectedness="UNEXPECTED",
        susar=True,
        provisional=True,
        awareAt=iso(days=1),
        clocks=[{"type": "INV_SAE_24H", "dueAt": iso(), "status": "RUNNING"}],
        changes=[{"field": "grade", "old": "2", "new": "3"}],
        detail="subject-S-001@4: no JSON",
    ).payload()
    | {"previousAlertId": UUID_STEM + "9"},
    "AlertAcknowledged": {
        "alertId": str(ids.ALERT),
        "by": "officer",
        "at": iso(),
        "comment": sealed("comment"),
    },
    "AlertEscalated": {"alertId": str(ids.ALERT), "level": 3, "late": True},
    "NotificationSent": {"alertId": str(ids.ALERT), "channel": "EMAIL", "attempt": 2},
    "StoppingFactsRecorded": {
        "subjectId": ids.SUBJECT,
        "commitId": UUID_STEM + "d",
        "treatedAt": iso(days=2),
        "adverseEvents": [
            {"aeId": str(ids.AE), "ruleIds": ["SR2", "SR5"], "provisional": True, "eventIds": [UUID_STEM + "c"]}
        ],
    },
    "StoppingRuleTriggered": safety_desk.stopping_rule_triggered(eventIds=[UUID_STEM + "c"]).payload(),
    "ProtocolPublished": {
        "version": "1.0",
        "content": CONTENT_OF_0_1_0,
        "hash": content_hash(CONTENT_OF_0_1_0),
        "approvedBy": "steering committee",
        "reason": "first version",
        "effectiveAt": iso(days=365),
    },
    "SiteActivated": study.site_activated().payload(),
    "SiteDeactivated": {"siteId": ids.SITE, "reason": "recruitment closed"},
    "HoldPlaced": study.hold_placed(subject_id=ids.SUBJECT, ruleId="SR4").payload(),
    "HoldReleased": {"holdId": str(ids.HOLD), "by": "pi", "reason": "reviewed", "dsmbReference": "DSMB-3"},
    "AccessWithdrawn": {"tokenSubject": "u-9", "jti": "t-1", "reason": "left the hospital"},
    "SealingKeyPublished": {"publicKey": f"{'A' * 43}=", "reason": "key of the second year"},
    "AuditTrailReviewed": {
        "from": iso(days=8),
        "to": iso(days=1),
        "seal": 41,
        "sealHash": "0" * 64,
        "findings": "no findings",
    },
}
"""Every field that an event had when its file was written, filled in."""

LATER: dict[str, tuple[dict[str, Any], ...]] = {
    "SessionCorrected": ({"id": str(ids.SESSION), "field": "weightKg"} | _CORRECTED | _NEW_TEXT,),
    "AlertRaised": (safety_desk.alert_raised(3, type="CLOCK_BREACH", late=True).payload(),),
    "NotificationSent": ({"alertId": str(ids.ALERT), "channel": "WEBHOOK", "attempt": 1, "level": 2},),
}
"""Payloads with the optional fields that joined a version after its first file was written, oldest first."""


def payloads(name: str) -> tuple[dict[str, Any], ...]:
    """All payloads of an event's current version; together they show every field."""
    return (PAYLOADS[name], *LATER.get(name, ()))
