"""Consent, screening, enrolment (`events.md` 3.1)."""

from hepatrail_events.enrolment import ConsentRecorded, ConsentWithdrawn, ScreenFailed, SubjectEnrolled
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import recorded
from hepatrail_projections.replacing import replace


def consent_recorded(view: SubjectView, event: ConsentRecorded, envelope: Envelope) -> SubjectView:
    """The latest consent counts; the site is the first one's."""
    return replace(
        view,
        site_id=view.site_id or event.site_id,
        consents=(*view.consents, recorded(event, envelope)),
        enrolment_event_ids=(*view.enrolment_event_ids, envelope.id),
    )


def screen_failed(view: SubjectView, event: ScreenFailed, envelope: Envelope) -> SubjectView:
    """Never to be enrolled."""
    return replace(
        view,
        screen_failure=event.reason,
        screen_failed_at=envelope.recordedat,
        stop_event_ids=(*view.stop_event_ids, ("SCREENING", envelope.id)),
    )


def subject_enrolled(view: SubjectView, event: SubjectEnrolled, envelope: Envelope) -> SubjectView:
    """The static inputs of the scores are fixed."""
    return replace(
        view,
        enrolment=event,
        enrolled_at=envelope.recordedat,
        enrolment_event_ids=(*view.enrolment_event_ids, envelope.id),
    )


def consent_withdrawn(view: SubjectView, event: ConsentWithdrawn, envelope: Envelope) -> SubjectView:
    """No new collection from then on."""
    return replace(
        view,
        consent_withdrawn_at=event.withdrawn_at,
        stop_event_ids=(*view.stop_event_ids, ("CONSENT", envelope.id)),
    )
