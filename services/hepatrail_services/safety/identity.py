"""Ids of alerts (`safety.md` 6.3) and of the commands that raise them: the same however often the log is read.

The alert of a hit of a stopping rule has the hit's id, which the desk's rules derive.
"""

from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertContent, AlertType
from hepatrail_services.deciders.safety_desk import RaiseAlert

PROCESSOR = "hepatrail-safety"
"""As whom the safety processor acts."""

_KEYS = {AlertType.CLOCK_WARNING: "WARN", AlertType.CLOCK_BREACH: "BREACH"}


def adverse_event_alert(ae_id: UUID, commit_id: UUID) -> UUID:
    """The one lifecycle alert of an adverse event in a commit."""
    return derived_id(ae_id, commit_id)


def death_alert(subject_id: str, commit_id: UUID) -> UUID:
    """The alert of a death that no adverse event carries."""
    return derived_id(subject_id, AlertType.PARTICIPANT_DIED, commit_id)


def death_without_ae_alert(subject_id: str) -> UUID:
    """The reminder that a death has no adverse event; one for each participant."""
    return derived_id(subject_id, AlertType.DEATH_WITHOUT_AE)


def deficiency_alert(deficiency_id: UUID, commit_id: UUID) -> UUID:
    """The alert of a device deficiency in a commit."""
    return derived_id(deficiency_id, commit_id)


def lab_finding_alert(result_id: UUID) -> UUID:
    """The alert of a laboratory result whose grade nobody has reviewed; one for each result."""
    return derived_id(result_id, AlertType.LAB_GRADE_UNREVIEWED)


def clock_alert(clock_id: UUID, kind: AlertType) -> UUID:
    """The alert that a reporting clock is near its end (CLOCK_WARNING) or past it (CLOCK_BREACH)."""
    return derived_id(clock_id, _KEYS[kind])


def hold_alert(session_id: UUID) -> UUID:
    """The alert of a session that began under a hold."""
    return derived_id(session_id, AlertType.SESSION_UNDER_HOLD)


def unreadable_alert(subject_id: str, streamseq: int) -> UUID:
    """The alert of an event that cannot be read; `streamseq` is the one that was due."""
    return derived_id(subject_id, AlertType.SUBJECT_UNREADABLE, streamseq)


def raise_command(alert_id: UUID) -> UUID:
    """The id of the command that raises an alert."""
    return derived_id(alert_id, "raise")


def raising(alert: AlertContent) -> RaiseAlert:
    """The command that raises an alert; its id follows from the alert's."""
    return RaiseAlert(command_id=raise_command(alert.alert_id), alert=alert)
