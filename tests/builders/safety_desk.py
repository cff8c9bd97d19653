"""The safety desk for specifications: alerts, and hits of stopping rules."""

from typing import Any
from uuid import UUID

from builders.ids import AE, ALERT, SITE, SUBJECT
from builders.payloads import stated
from builders.times import iso
from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertContent, AlertEscalated, AlertRaised, StoppingRuleTriggered


def alert_content(**changes: Any) -> AlertContent:
    """A new serious adverse event of the participant."""
    given = {
        "alertId": str(ALERT),
        "type": "SAE_NEW",
        "priority": "P2",
        "raisedAt": iso(minutes=1),
        "commitId": str(derived_id("commit")),
        "reporterId": "reporter",
        "subjectId": SUBJECT,
        "siteId": SITE,
        "aeId": str(AE),
    }
    return AlertContent.model_validate(stated(given | changes))


def alert_raised(seq: int = 1, **changes: Any) -> AlertRaised:
    """An alert of the desk."""
    return AlertRaised(**dict(alert_content(**changes)), alert_seq=seq)


def alert_escalated(level: int = 1, late: bool = False, alert_id: UUID = ALERT) -> AlertEscalated:
    """Nobody had acknowledged the alert when the level's time had come."""
    return AlertEscalated(alert_id=alert_id, level=level, late=late)


def stopping_rule_triggered(**changes: Any) -> StoppingRuleTriggered:
    """A stopping rule was hit by the participant."""
    given = {
        "hitId": str(derived_id("SR4", SUBJECT, 0)),
        "ruleId": "SR4",
        "scopeId": SUBJECT,
        "commitId": str(derived_id("commit")),
        "actions": ["HOLD_SESSIONS"],
    }
    return StoppingRuleTriggered.model_validate(given | changes)
