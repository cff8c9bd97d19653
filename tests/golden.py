"""The golden files: one record of the log for every event and version, in the very bytes of the log, kept for ever.

`python tests/golden.py` writes those that are missing and adds their hashes to SHA256SUMS; it never writes over one.
A file that is there is never written again: its event is in some log.

A field that joins an event later as optional raises no version, because every older record stays readable as it is.
It is shown by a further record of the same version, `<event>.v<version>.<number>.json`, whose payload is in LATER.
"""

from pathlib import Path
from typing import Any
from uuid import UUID

import builders as b
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded, record
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.families import EVENT_TYPES
from hepatrail_events.protocol import content_hash

SAMPLES = Path(__file__).parent.parent / "events" / "samples"
SUMS = SAMPLES / "SHA256SUMS"
CONTENT_OF_0_1_0 = (Path(__file__).parent / "events" / "protocol_of_0_1_0.json").read_text()
"""The content that the first release published: what ships changes, what was published does not."""
_ID = "018f0000-0000-7000-8000-00000000000"
_LATER = {"value": "2026-03-18", "precision": "DAY"}
_WHOLE_ROW = {
    "code": "creatinine", "value": "0.2", "comparator": "<", "unit": "mg/dL", "low": "0.5", "high": "1.1",
    "method": "enzymatic", "fasting": True, "accepted": True,
}  # fmt: skip
_KEPT_ROW = {"code": "ALT (SGPT)", "notDone": "HEMOLYSED", "accepted": False, "rejectReason": "UNKNOWN_CODE"}
_CORRECTED = {"oldValue": "60", "newValue": "61.5", "reason": b.sealed()}
_VOIDED = {"reasonCode": "DUPLICATE", "reasonText": b.sealed("reasonText")}
_NEW_TEXT = {"newText": b.sealed("newText")}
_AE = {"aeId": str(b.AE), "aeVersion": 2}


def _rows(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [row | {"resultId": str(b.row_id(number))} for number, row in enumerate(rows)]


PAYLOADS: dict[str, dict[str, Any]] = {
    "ConsentRecorded": b.consent().payload(),
    "ScreenFailed": b.screen_failed().payload(),
    "SubjectEnrolled": b.enrolled(heightCm="172.5").payload(),
    "ConsentWithdrawn": b.consent_withdrawn().payload(),
    "SessionStarted": b.session_started(
        accessPlacedAt=b.iso(days=1), flowMlMin="150", anticoagulant="CITRATE"
    ).payload(),
    "SessionPaused": b.session_paused(hours=4).payload(),
    "SessionResumed": b.session_resumed(hours=3).payload(),
    "SessionEnded": b.session_ended(hours=1).payload(),
    "SessionCorrected": {"id": str(b.SESSION), "field": "weightKg"} | _CORRECTED,
    "SessionVoided": {"id": str(b.SESSION)} | _VOIDED,
    "LabResultsRecorded": {
        "sampleId": _ID + "5",
        "collectedAt": b.iso(days=1),
        "visitCode": "D3",
        "preSession": True,
        "laboratory": "BFH-LAB",
        "sourceMessageId": "M-1",
        "specimen": "serum",
        "results": _rows(_WHOLE_ROW, _KEPT_ROW),
    },
    "LabResultCorrected": {
        "id": str(b.row_id(0)),
        "field": "value",
        "accepted": False,
        "rejectReason": "IMPLAUSIBLE",
    }
    | _CORRECTED,
    "LabResultVoided": {"id": str(b.row_id(0))} | _VOIDED,
    "ObservationCorrected": {
        "id": str(b.row_id(0)),
        "field": "value",
        "accepted": False,
        "rejectReason": "VALUE_NOT_ALLOWED",
    }
    | _CORRECTED,
    "ObservationVoided": {"id": str(b.row_id(0))} | _VOIDED,
    "LabFindingReviewed": b.finding_reviewed(finalGrade=0).payload(),
    "ImplausibleConfirmed": {"resultId": str(b.row_id(0)), "reason": b.sealed()},
    "ObservationsRecorded": {
        "assessedAt": "2026-03-19",
        "visitCode": "D3",
        "preSession": False,
        "rows": _rows(
            {"code": "gcs_verbal", "value": "NT", "unit": "{score}", "accepted": True, "ntReason": "INTUBATED"}
        ),
    },
    "ParticipantDied": b.died(primaryCauseAeId=str(b.AE), autopsyDone=False).payload(),
    "DeathRecordCorrected": {
        "revived": False,
        "deathAt": _LATER,
        "primaryCauseAeId": str(b.AE),
        "autopsyDone": True,
        "reason": b.sealed(),
    },
    "ParticipantWithdrew": b.withdrew(vitalStatusAllowed=True, reason=b.sealed()).payload(),
    "AEAssessmentDone": b.ae_assessment("Y", visitCode="D7").payload(),
    "SurvivalStatusRecorded": b.survival(
        "N", transplant="DONE", transplantAt={"value": "2026-03", "precision": "MONTH"}, visitCode="D7"
    ).payload(),
    "TransplantDone": b.transplanted(donor="LIVING").payload(),
    "LostToFollowUp": b.lost_to_follow_up().payload(),
    "ContactRegained": b.contact_regained().payload(),
    "AssessmentCorrected": {"id": _ID + "a", "field": "at"} | _CORRECTED | _NEW_TEXT,
    "AssessmentVoided": {"id": _ID + "a"} | _VOIDED,
    "MedicationRecorded": b.medication(
        atc="B01AB01", dose="5000", unit="[iU]", route="intravenous", endedAt=_LATER, therapeuticAnticoagulant=True
    ).payload(),
    "MedicationCorrected": {"id": str(b.MEDICATION), "field": "dose"} | _CORRECTED | _NEW_TEXT,
    "MedicationVoided": {"id": str(b.MEDICATION)} | _VOIDED,
    "ProcedureRecorded": b.procedure("CVVHD", endedAt=_LATER, description=b.sealed("description")).payload(),
    "ProcedureCorrected": {"id": str(b.PROCEDURE), "field": "kind"} | _CORRECTED | _NEW_TEXT,
    "ProcedureVoided": {"id": str(b.PROCEDURE)} | _VOIDED,
    "BaselineConditionRecorded": b.baseline_condition(ctcaeTerm="Hepatic failure", onset=_LATER, grade=3).payload(),
    "BaselineConditionCorrected": {"id": str(b.BASELINE_CONDITION), "field": "grade"} | _CORRECTED | _NEW_TEXT,
    "BaselineConditionVoided": {"id": str(b.BASELINE_CONDITION)} | _VOIDED,
    "SponsorNotified": b.sponsor_notified().payload(),
    "SubmissionRecorded": b.submission(reference="EC-2026-77").payload(),
    "SubmissionCorrected": {"id": str(b.SUBMISSION), "field": "reference"} | _CORRECTED | _NEW_TEXT,
    "SubmissionVoided": {"id": str(b.SUBMISSION)} | _VOIDED,
    "NarrativeWritten": b.narrative().payload(),
    "DeviceDeficiencyReported": b.deficiency(linkedAeId=str(b.AE)).payload(),
    "DeviceDeficiencyCorrected": {"id": str(b.DEFICIENCY), "field": "lot"} | _CORRECTED | _NEW_TEXT,
    "DeviceDeficiencyVoided": {"id": str(b.DEFICIENCY)} | _VOIDED,
    "QueryAnswered": b.query_answered().payload(),
    "QueryClosed": b.query_closed().payload(),
    "AEReported": b.ae_reported(
        ctcaeTerm="Fever",
        endAt=_LATER,
        outcome="RECOVERED",
        criteria=["HOSPITALISATION"],
        ageYears=44,
        baselineConditionId=_ID + "6",
        recurrenceOf=_ID + "7",
        replaces=_ID + "8",
        onsetBeforeFirstSession=False,
        frequencyWorsenedAt={"value": "2026-03", "precision": "MONTH"},
        causality=[{"target": "DEVICE", "value": "POSSIBLE", "rationale": b.sealed("causality[0].rationale")}],
    ).payload(),
    "AEGradeChanged": _AE | {"fromGrade": 2, "toGrade": 3, "gradeAt": {"precision": "UNKNOWN"}},
    "AEUpgradedToSerious": _AE
    | {"criteria": ["HOSPITALISATION"], "seriousSince": {"value": "2026", "precision": "YEAR"}, "awareAt": b.iso()},
    "AEResolved": _AE | {"outcome": "RECOVERED_WITH_SEQUELAE", "endAt": _LATER},
    "AEFollowedUp": b.ae_followed_up(
        2,
        outcome="RECOVERING",
        actionTaken="DOSE_REDUCED",
        frequencyWorsenedAt=_LATER,
        attachments=["DOC-7"],
    ).payload(),
    "AEGradeCorrected": b.ae_grade_corrected(2, grade=2, gradeAt=_LATER).payload(),
    "AECausalityAssessed": b.ae_causality(2).payload(),
    "AEExpectednessAssessed": b.ae_expectedness("EXPECTED", 2, rsiVersion="IB-3", rsiTerm="Fever").payload(),
    "AESeriousnessCriteriaChanged": b.ae_criteria_changed(
        2, added=["LIFE_THREATENING"], removed=["HOSPITALISATION"], reason=b.sealed()
    ).payload(),
    "AEDowngradedToNonSerious": b.ae_downgraded(2).payload(),
    "AEReopened": b.ae_reopened(2).payload(),
    "AECorrected": _AE | {"field": "code"} | _CORRECTED | _NEW_TEXT,
    "AECoded": b.ae_coded(2, lltName="Pyrexia", ptName="Pyrexia").payload(),
    "AEVoidRequested": b.ae_void_requested(2, reasonCode="DUPLICATE", duplicateOf=_ID + "b").payload(),
    "AEVoided": b.ae_voided(2, reasonCode="DUPLICATE", duplicateOf=_ID + "b", coSigner="pi").payload(),
    "AlertRaised": b.alert_raised(
        2,
        reasons=["SAE_NEW", "AESI"],
        aeVersion=1,
        code="FEVER",
        verbatim=b.sealed("verbatim"),
        grade=3,
        maxGrade=4,
        criteria=["HOSPITALISATION"],
        outcome="NOT_RECOVERED",
        onset=_LATER,
        teae=True,
        sessionId=str(b.SESSION),
        hoursFromSessionStart="5.5",
        hoursFromSessionEnd="-0.5",
        actionTaken="NO_CHANGE",
        causality=[{"assessor": "INVESTIGATOR", "target": "DEVICE", "value": "POSSIBLE"}],
        expectedness="UNEXPECTED",
        susar=True,
        provisional=True,
        awareAt=b.iso(days=1),
        clocks=[{"type": "INV_SAE_24H", "dueAt": b.iso(), "status": "RUNNING"}],
        changes=[{"field": "grade", "old": "2", "new": "3"}],
        detail="subject-S-001@4: no JSON",
    ).payload()
    | {"previousAlertId": _ID + "9"},
    "AlertAcknowledged": {"alertId": str(b.ALERT), "by": "officer", "at": b.iso(), "comment": b.sealed("comment")},
    "AlertEscalated": {"alertId": str(b.ALERT), "level": 3, "late": True},
    "NotificationSent": {"alertId": str(b.ALERT), "channel": "EMAIL", "attempt": 2},
    "StoppingFactsRecorded": {
        "subjectId": b.SUBJECT,
        "commitId": _ID + "d",
        "treatedAt": b.iso(days=2),
        "adverseEvents": [{"aeId": str(b.AE), "ruleIds": ["SR2", "SR5"], "provisional": True, "eventIds": [_ID + "c"]}],
    },
    "StoppingRuleTriggered": b.stopping_rule_triggered(eventIds=[_ID + "c"]).payload(),
    "ProtocolPublished": {
        "version": "1.0",
        "content": CONTENT_OF_0_1_0,
        "hash": content_hash(CONTENT_OF_0_1_0),
        "approvedBy": "steering committee",
        "reason": "first version",
        "effectiveAt": b.iso(days=365),
    },
    "SiteActivated": b.site_activated().payload(),
    "SiteDeactivated": {"siteId": b.SITE, "reason": "recruitment closed"},
    "HoldPlaced": b.hold_placed(subject_id=b.SUBJECT, ruleId="SR4").payload(),
    "HoldReleased": {"holdId": str(b.HOLD), "by": "pi", "reason": "reviewed", "dsmbReference": "DSMB-3"},
    "AccessWithdrawn": {"tokenSubject": "u-9", "jti": "t-1", "reason": "left the hospital"},
    "SealingKeyPublished": {"publicKey": f"{'A' * 43}=", "reason": "key of the second year"},
    "AuditTrailReviewed": {
        "from": b.iso(days=8),
        "to": b.iso(days=1),
        "seal": 41,
        "sealHash": "0" * 64,
        "findings": "no findings",
    },
}
"""Every field that an event had when its file was written, filled in."""

LATER: dict[str, tuple[dict[str, Any], ...]] = {
    "SessionCorrected": ({"id": str(b.SESSION), "field": "weightKg"} | _CORRECTED | _NEW_TEXT,),
    "AlertRaised": (b.alert_raised(3, type="CLOCK_BREACH", late=True).payload(),),
    "NotificationSent": ({"alertId": str(b.ALERT), "channel": "WEBHOOK", "attempt": 1, "level": 2},),
}
"""Payloads with the optional fields that joined a version after its first file was written, oldest first."""


def payloads(name: str) -> tuple[dict[str, Any], ...]:
    """All payloads of an event's current version; together they show every field."""
    return (PAYLOADS[name], *LATER.get(name, ()))


def golden(name: str, number: int = 0) -> Recorded:
    """A record of the current version of an event, with every attribute of the envelope."""
    kind = EVENT_TYPES[name]
    envelope = Envelope(
        id=UUID(_ID + "1"),
        type=name,
        version=kind.VERSION,
        stream="subject-S-001",
        streamseq=2,
        commitid=UUID(_ID + "2"),
        commitindex=0,
        commitsize=1,
        prevhash=sha256_hex(b"the event before"),
        receivedat=b.at(seconds=1),
        recordedat=b.NOW,
        actorid="u-1",
        actorrole="INVESTIGATOR",
        actororg="BFH",
        producer="hepatrail/0.1.0",
        studyseq=7,
        protocolversion="1.0",
        causationid=_ID + "3",
        correlationid=_ID + "4",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    event: Event = kind.from_payload(payloads(name)[number])
    return record(envelope, event)


def file_of(name: str, version: int, number: int = 0) -> Path:
    """Where a record of this version is kept; `number` 0 is its first."""
    return SAMPLES / (f"{name}.v{version}.{number + 1}.json" if number else f"{name}.v{version}.json")


def sums() -> dict[str, str]:
    """The recorded hash of every golden file by its name, in the form of `sha256sum`."""
    lines = (line.split("  ") for line in SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def write_missing() -> None:
    """Writes the golden files that are not there yet, and their hashes."""
    SAMPLES.mkdir(exist_ok=True)
    known = sums() if SUMS.exists() else {}
    for name, kind in EVENT_TYPES.items():
        for number in range(len(payloads(name))):
            path = file_of(name, kind.VERSION, number)
            if not path.exists() and path.name not in known:
                raw = golden(name, number).raw
                path.write_bytes(raw)
                known[path.name] = sha256_hex(raw)
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())))


if __name__ == "__main__":
    write_missing()
