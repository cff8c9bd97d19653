"""Every event that can happen, by family. Written, not discovered."""

from collections.abc import Mapping

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
    AssessmentCorrected,
    AssessmentVoided,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
)
from hepatrail_events.baseline_conditions import (
    BaselineConditionCorrected,
    BaselineConditionRecorded,
    BaselineConditionVoided,
)
from hepatrail_events.concomitant import (
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureRecorded,
    ProcedureVoided,
)
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.device_deficiencies import (
    DeviceDeficiencyCorrected,
    DeviceDeficiencyReported,
    DeviceDeficiencyVoided,
)
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    ObservationCorrected,
    ObservationsRecorded,
    ObservationVoided,
)
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationSent,
    StoppingFactsRecorded,
    StoppingRuleTriggered,
)
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
    AuditTrailReviewed,
    HoldPlaced,
    HoldReleased,
    ProtocolPublished,
    SealingKeyPublished,
    SiteActivated,
    SiteDeactivated,
)
from hepatrail_events.submissions import (
    NarrativeWritten,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionRecorded,
    SubmissionVoided,
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
        LabFindingReviewed,
        ObservationsRecorded,
        ObservationCorrected,
        ObservationVoided,
    ),
    "assessments": (
        AEAssessmentDone,
        SurvivalStatusRecorded,
        TransplantDone,
        ParticipantDied,
        DeathRecordCorrected,
        ParticipantWithdrew,
        LostToFollowUp,
        ContactRegained,
        AssessmentCorrected,
        AssessmentVoided,
    ),
    "concomitant": (
        MedicationRecorded,
        MedicationCorrected,
        MedicationVoided,
        ProcedureRecorded,
        ProcedureCorrected,
        ProcedureVoided,
    ),
    "adverse_events": (
        AEReported,
        AEFollowedUp,
        AEGradeChanged,
        AEGradeCorrected,
        AECausalityAssessed,
        AEExpectednessAssessed,
        AEUpgradedToSerious,
        AESeriousnessCriteriaChanged,
        AEDowngradedToNonSerious,
        AEResolved,
        AEReopened,
        AECorrected,
        AECoded,
        AEVoidRequested,
        AEVoided,
    ),
    "baseline_conditions": (BaselineConditionRecorded, BaselineConditionCorrected, BaselineConditionVoided),
    "submissions": (SponsorNotified, SubmissionRecorded, SubmissionCorrected, SubmissionVoided, NarrativeWritten),
    "device_deficiencies": (DeviceDeficiencyReported, DeviceDeficiencyCorrected, DeviceDeficiencyVoided),
    "data_queries": (QueryAnswered, QueryClosed),
    "safety_desk": (
        AlertRaised,
        AlertAcknowledged,
        AlertEscalated,
        NotificationSent,
        StoppingFactsRecorded,
        StoppingRuleTriggered,
    ),
    "study": (
        ProtocolPublished,
        SiteActivated,
        SiteDeactivated,
        HoldPlaced,
        HoldReleased,
        AccessWithdrawn,
        SealingKeyPublished,
        AuditTrailReviewed,
    ),
}

EVENT_TYPES: Mapping[str, type[Event]] = {kind.type_name(): kind for family in FAMILIES.values() for kind in family}
