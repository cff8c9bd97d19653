"""Ids of alerts (`safety.md` 6.3) and of the commands that raise them: the same however often the log is read."""

from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertType

PROCESSOR = "hepatrail-safety"
"""As whom the safety processor acts."""


def adverse_event_alert(ae_id: UUID, commit_id: UUID) -> UUID:
    """The one lifecycle alert of an adverse event in a commit."""
    return derived_id(ae_id, commit_id)


def death_alert(subject_id: str, commit_id: UUID) -> UUID:
    """The alert of a death that no adverse event carries."""
    return derived_id(subject_id, AlertType.PARTICIPANT_DIED, commit_id)


def hold_alert(session_id: UUID) -> UUID:
    """The alert of a session that began under a hold."""
    return derived_id(session_id, AlertType.SESSION_UNDER_HOLD)


def unreadable_alert(subject_id: str, streamseq: int) -> UUID:
    """The alert of an event that cannot be read; `streamseq` is the one that was due."""
    return derived_id(subject_id, AlertType.SUBJECT_UNREADABLE, streamseq)


def raise_command(alert_id: UUID, attempt: int = 0) -> UUID:
    """The id of the command that raises an alert.

    The decision on an id stands for ever, so that a stream which a rejection has halted takes the next attempt.
    """
    return derived_id(alert_id, "raise") if attempt == 0 else derived_id(alert_id, "raise", attempt)
