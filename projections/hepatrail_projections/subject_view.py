"""A participant as a pure fold of the stream: `fold(events) -> view`. Live, as-of and rebuild use this and no other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.codec import Recorded
from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabResultCorrected,
    LabResultsRecorded,
    LabResultVoided,
    ObservationsRecorded,
)
from hepatrail_events.sessions import (
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionStarted,
    SessionVoided,
)
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds import adverse_events, assessments, enrolment, measurements, sessions

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
    LabResultCorrected: measurements.lab_result_corrected,
    LabResultVoided: measurements.lab_result_voided,
    ImplausibleConfirmed: measurements.implausible_confirmed,
    ParticipantDied: assessments.participant_died,
    ParticipantWithdrew: assessments.participant_withdrew,
    AEReported: adverse_events.ae_reported,
    AEGradeChanged: adverse_events.ae_grade_changed,
    AEUpgradedToSerious: adverse_events.ae_upgraded_to_serious,
    AEResolved: adverse_events.ae_resolved,
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
    return replace(
        step(view, recorded.event, envelope),
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
