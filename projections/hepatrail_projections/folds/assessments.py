"""Death and withdrawal (`events.md` 3.5)."""

from dataclasses import replace

from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SubjectView


def participant_died(view: SubjectView, event: ParticipantDied, envelope: Envelope) -> SubjectView:
    """The death record."""
    return replace(view, death=event, stop_event_ids=(*view.stop_event_ids, ("DEATH", envelope.id)))


def participant_withdrew(view: SubjectView, event: ParticipantWithdrew, envelope: Envelope) -> SubjectView:
    """A withdrawal; a later one may only widen it."""
    return replace(
        view,
        withdrawals=(*view.withdrawals, event),
        stop_event_ids=(*view.stop_event_ids, ("WITHDRAWAL", envelope.id)),
    )
