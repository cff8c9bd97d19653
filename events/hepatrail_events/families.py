"""Every event that can happen, by family. Written, not discovered."""

from collections.abc import Mapping

from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    ObservationsRecorded,
)
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised
from hepatrail_events.sessions import (
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.study import (
    AccessWithdrawn,
    HoldPlaced,
    HoldReleased,
    ProtocolPublished,
    SiteActivated,
    SiteDeactivated,
)

FAMILIES: Mapping[str, tuple[type[Event], ...]] = {
    "enrolment": (ConsentRecorded, ScreenFailed, SubjectEnrolled, ConsentWithdrawn),
    "sessions": (
        SessionStarted,
        SessionPaused,
        SessionResumed,
        SessionEnded,
        SessionCorrected,
        SessionVoided,
    ),
    "measurements": (
        LabResultsRecorded,
        LabResultCorrected,
        LabResultVoided,
        ImplausibleConfirmed,
        ObservationsRecorded,
    ),
    "assessments": (ParticipantDied, ParticipantWithdrew),
    "adverse_events": (AEReported, AEGradeChanged, AEUpgradedToSerious, AEResolved),
    "safety_desk": (AlertRaised, AlertAcknowledged),
    "study": (ProtocolPublished, SiteActivated, SiteDeactivated, HoldPlaced, HoldReleased, AccessWithdrawn),
}

EVENT_TYPES: Mapping[str, type[Event]] = {kind.type_name(): kind for family in FAMILIES.values() for kind in family}
