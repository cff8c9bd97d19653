"""Facts and commands for specifications: each builder names only what matters and fills in the rest.

All times lie around NOW, the moment at which specifications decide.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.catalogue import catalogue
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultsRecorded, ObservationsRecorded
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.safety_desk import AlertContent, AlertRaised
from hepatrail_events.sessions import SessionEnded, SessionPaused, SessionResumed, SessionStarted
from hepatrail_events.study import HoldPlaced, ProtocolPublished, SiteActivated
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
    "acknowledgeSaeAlert": {"alertId": str(ALERT)},
}
OF_THE_STUDY = frozenset(
    {"activateSite", "deactivateSite", "placeHold", "releaseHold", "withdrawAccess", "publishProtocol"}
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
