"""Commands for specifications: each is accepted on a fitting history, unless a test changes it."""

from typing import Any
from uuid import uuid4

from builders.adverse_events import report_input
from builders.ids import (
    AE,
    ALERT,
    BASELINE_CONDITION,
    DEFICIENCY,
    HOLD,
    MEDICATION,
    PROCEDURE,
    QUERY,
    SESSION,
    SITE,
    SUBJECT,
    SUBMISSION,
    event_id,
    row_id,
)
from builders.measurements import row
from builders.participant import enrolled, session_input
from builders.payloads import sealed, stated
from builders.times import iso, minute
from hepatrail_events.protocol import shipped_protocol
from hepatrail_services.command import Command, read_command
from hepatrail_services.deciders.catalogue import COMMANDS

_DEFAULTS: dict[str, dict[str, Any]] = {
    "recordConsent": {"siteId": SITE, "version": "ICF-2", "givenAt": iso(hours=2), "healthDataConsent": True},
    "recordScreenFailure": {"reason": sealed()},
    "enrolSubject": enrolled().payload(),
    "withdrawConsent": {"withdrawnAt": iso(hours=1)},
    "startSession": session_input() | {"startedAt": iso(minutes=10)},
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
    "reportAdverseEvent": report_input(),
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
    return stated(ids | _DEFAULTS[name] | changes)


def command(name: str, **changes: Any) -> Command:
    """The same as a command."""
    return read_command(COMMANDS[name], command_input(name, **changes))
