"""Reports to sponsor, ethics committee and authorities (`events.md` 3.8)."""

from hepatrail_events.envelope import Envelope
from hepatrail_events.submissions import (
    NarrativeWritten,
    SponsorNotified,
    SubmissionCorrected,
    SubmissionRecorded,
    SubmissionVoided,
)
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import recorded, with_corrected, with_item, with_voided
from hepatrail_projections.folds.known import known
from hepatrail_projections.replacing import replace


def sponsor_notified(view: SubjectView, event: SponsorNotified, envelope: Envelope) -> SubjectView:
    """The sponsor knows of an adverse event."""
    known(view.adverse_events, event.ae_id, "adverse event")
    return replace(view, notifications=(*view.notifications, recorded(event, envelope)))


def submission_recorded(view: SubjectView, event: SubmissionRecorded, envelope: Envelope) -> SubjectView:
    """A report was handed to a recipient."""
    known(view.adverse_events, event.ae_id, "adverse event")
    return replace(view, submissions=with_item(view.submissions, event.submission_id, recorded(event, envelope)))


def submission_corrected(view: SubjectView, event: SubmissionCorrected, envelope: Envelope) -> SubjectView:
    """One field of a submission has another value."""
    return replace(view, submissions=with_corrected(view.submissions, event, envelope, "submission"))


def submission_voided(view: SubjectView, event: SubmissionVoided, envelope: Envelope) -> SubjectView:
    """The submission feeds nothing from now on."""
    return replace(view, submissions=with_voided(view.submissions, event, envelope, "submission"))


def narrative_written(view: SubjectView, event: NarrativeWritten, envelope: Envelope) -> SubjectView:
    """A narrative of a case; earlier ones stay readable."""
    known(view.adverse_events, event.ae_id, "adverse event")
    return replace(view, narratives=(*view.narratives, recorded(event, envelope)))
