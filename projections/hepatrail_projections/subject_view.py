"""A participant as a pure fold of the stream: `fold(events) -> view`. Live, as-of and rebuild use this and no other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

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
from hepatrail_events.codec import Recorded
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
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidPayload
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
from hepatrail_events.sessions import (
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_events.submissions import (
    NarrativeWritten,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionRecorded,
    SubmissionVoided,
)
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds import (
    adverse_events,
    assessments,
    baseline_conditions,
    concomitant,
    data_queries,
    device_deficiencies,
    enrolment,
    measurements,
    safety_history,
    sessions,
    submissions,
    superseding,
)
from hepatrail_projections.replacing import replace

__all__ = ["SubjectView", "empty_view", "fold", "fold_all"]

_Fold = Callable[[SubjectView, Any, Envelope], SubjectView]

FOLDS: Mapping[type[Event], _Fold] = {
    ConsentRecorded: enrolment.consent_recorded,
    ScreenFailed: enrolment.screen_failed,
    SubjectEnrolled: enrolment.subject_enrolled,
    ConsentWithdrawn: enrolment.consent_withdrawn,
    SessionStarted: sessions.session_started,
    SessionPaused: sessions.session_paused,
    SessionResumed: sessions.session_resumed,
    SessionEnded: sessions.session_ended,
    SessionCorrected: sessions.session_corrected,
    SessionVoided: sessions.session_voided,
    LabResultsRecorded: measurements.lab_results_recorded,
    ObservationsRecorded: measurements.observations_recorded,
    LabResultCorrected: measurements.result_corrected,
    LabResultVoided: measurements.result_voided,
    ObservationCorrected: measurements.result_corrected,
    ObservationVoided: measurements.result_voided,
    ImplausibleConfirmed: measurements.implausible_confirmed,
    LabFindingReviewed: measurements.lab_finding_reviewed,
    AEAssessmentDone: assessments.assessment_recorded,
    SurvivalStatusRecorded: assessments.assessment_recorded,
    TransplantDone: assessments.assessment_recorded,
    ParticipantWithdrew: assessments.participant_withdrew,
    LostToFollowUp: assessments.assessment_recorded,
    ContactRegained: assessments.assessment_recorded,
    AssessmentCorrected: assessments.assessment_corrected,
    AssessmentVoided: assessments.assessment_voided,
    ParticipantDied: assessments.participant_died,
    DeathRecordCorrected: assessments.death_record_corrected,
    MedicationRecorded: concomitant.medication_recorded,
    MedicationCorrected: concomitant.medication_corrected,
    MedicationVoided: concomitant.medication_voided,
    ProcedureRecorded: concomitant.procedure_recorded,
    ProcedureCorrected: concomitant.procedure_corrected,
    ProcedureVoided: concomitant.procedure_voided,
    AEReported: adverse_events.ae_reported,
    AEFollowedUp: adverse_events.ae_followed_up,
    AEGradeChanged: adverse_events.ae_grade_changed,
    AEGradeCorrected: adverse_events.ae_grade_corrected,
    AECausalityAssessed: adverse_events.ae_causality_assessed,
    AEExpectednessAssessed: adverse_events.ae_expectedness_assessed,
    AEUpgradedToSerious: adverse_events.ae_upgraded_to_serious,
    AESeriousnessCriteriaChanged: adverse_events.ae_seriousness_criteria_changed,
    AEDowngradedToNonSerious: adverse_events.ae_downgraded_to_non_serious,
    AEResolved: adverse_events.ae_resolved,
    AEReopened: adverse_events.ae_reopened,
    AECorrected: adverse_events.ae_corrected,
    AECoded: adverse_events.ae_coded,
    AEVoidRequested: adverse_events.ae_void_requested,
    AEVoided: adverse_events.ae_voided,
    BaselineConditionRecorded: baseline_conditions.baseline_condition_recorded,
    BaselineConditionCorrected: baseline_conditions.baseline_condition_corrected,
    BaselineConditionVoided: baseline_conditions.baseline_condition_voided,
    SponsorNotified: submissions.sponsor_notified,
    SubmissionRecorded: submissions.submission_recorded,
    SubmissionCorrected: submissions.submission_corrected,
    SubmissionVoided: submissions.submission_voided,
    NarrativeWritten: submissions.narrative_written,
    DeviceDeficiencyReported: device_deficiencies.device_deficiency_reported,
    DeviceDeficiencyCorrected: device_deficiencies.device_deficiency_corrected,
    DeviceDeficiencyVoided: device_deficiencies.device_deficiency_voided,
    QueryAnswered: data_queries.query_answered,
    QueryClosed: data_queries.query_closed,
}
"""Every event of a participant's stream; a test holds this to the families."""


def empty_view(subject_id: str) -> SubjectView:
    """A participant of whom nothing is recorded."""
    return SubjectView(subject_id)


def fold(view: SubjectView, recorded: Recorded) -> SubjectView:
    """The view after the next event; InvalidPayload when the event belongs to no participant or refers to nothing."""
    step = FOLDS.get(type(recorded.event))
    envelope = recorded.envelope
    if step is None:
        raise InvalidPayload(f"{envelope.type} is no event of a participant")
    after = step(view, recorded.event, envelope)
    return replace(
        after,
        safety_history=safety_history.with_point(view, after, envelope),
        superseded=superseding.superseded(view, after, recorded.event, envelope),
        version=envelope.streamseq,
        last_hash=recorded.hash,
        last_event_id=envelope.id,
        recorded_at=envelope.recordedat,
    )


def fold_all(subject_id: str, events: Iterable[Recorded]) -> SubjectView:
    """The view after a stream's events."""
    view = empty_view(subject_id)
    for recorded in events:
        view = fold(view, recorded)
    return view
