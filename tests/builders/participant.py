"""A participant's course for specifications: consent, enrolment, sessions, contact with the site, death."""

from typing import Any

from builders.ids import SESSION, SITE
from builders.payloads import a_sealed, sealed
from builders.times import at, iso, minute
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
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.sessions import SessionEnded, SessionPaused, SessionResumed, SessionStarted
from hepatrail_events.types import format_instant


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
    return SessionStarted.model_validate({"sessionId": str(SESSION)} | session_input() | changes)


def session_input() -> dict[str, Any]:
    """What is said of a session at its start."""
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
