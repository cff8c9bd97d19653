"""Assessments, survival, death, withdrawal and contact (`events.md` 3.5).

Decided here, because the reference leaves room: a withdrawal that is void stops nothing any more, as a void record
feeds nothing; a death taken back (`revived`) stays readable beside the corrections that took it back.
"""

from hepatrail_events.assessments import (
    AssessmentCorrected,
    AssessmentVoided,
    DeathRecordCorrected,
    ParticipantDied,
    ParticipantWithdrew,
)
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidPayload
from hepatrail_projections.facts import Assessment, DeathCorrection, DeathFact, SubjectView
from hepatrail_projections.folds.correcting import recorded, with_corrected, with_item, with_voided
from hepatrail_projections.replacing import replace

_WHAT = "assessment"


def assessment_recorded(view: SubjectView, event: Assessment, envelope: Envelope) -> SubjectView:
    """An assessment, known by the id of its event."""
    return replace(view, assessments=with_item(view.assessments, envelope.id, recorded(event, envelope)))


def participant_withdrew(view: SubjectView, event: ParticipantWithdrew, envelope: Envelope) -> SubjectView:
    """A withdrawal; a later one may only widen it."""
    stops = (*view.stop_event_ids, ("WITHDRAWAL", envelope.id))
    return replace(assessment_recorded(view, event, envelope), stop_event_ids=stops)


def assessment_corrected(view: SubjectView, event: AssessmentCorrected, envelope: Envelope) -> SubjectView:
    """One field of an assessment has another value."""
    return replace(view, assessments=with_corrected(view.assessments, event, envelope, _WHAT))


def assessment_voided(view: SubjectView, event: AssessmentVoided, envelope: Envelope) -> SubjectView:
    """The assessment feeds nothing from now on."""
    return replace(
        view,
        assessments=with_voided(view.assessments, event, envelope, _WHAT),
        stop_event_ids=tuple(stop for stop in view.stop_event_ids if stop[1] != event.id),
    )


def participant_died(view: SubjectView, event: ParticipantDied, envelope: Envelope) -> SubjectView:
    """The death record."""
    before = view.death_record
    return replace(
        view,
        death_record=DeathFact(
            died=event,
            recorded_at=envelope.recordedat,
            corrections=() if before is None else before.corrections,
            event_ids=(*(() if before is None else before.event_ids), envelope.id),
        ),
        stop_event_ids=(*view.stop_event_ids, ("DEATH", envelope.id)),
    )


def death_record_corrected(view: SubjectView, event: DeathRecordCorrected, envelope: Envelope) -> SubjectView:
    """Fields that are stated have another value; `revived` takes the whole record back."""
    record = view.death_record
    if record is None:
        raise InvalidPayload("the stream has no death record")
    stated = event.model_dump(include={"death_at", "primary_cause_ae_id", "autopsy_done"}, exclude_none=True)
    changes = {name: getattr(event, name) for name in stated}
    made = DeathCorrection(event, envelope.recordedat, envelope.actorid, envelope.id)
    others = tuple(stop for stop in view.stop_event_ids if stop[0] != "DEATH")
    return replace(
        view,
        death_record=DeathFact(
            died=record.died.model_copy(update=changes),
            recorded_at=record.recorded_at,
            corrections=(*record.corrections, made),
            event_ids=(*record.event_ids, envelope.id),
            stands=record.stands and not event.revived,
        ),
        stop_event_ids=others if event.revived else (*view.stop_event_ids, ("DEATH", envelope.id)),
    )
