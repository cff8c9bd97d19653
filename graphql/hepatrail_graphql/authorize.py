"""Which role may ask what (ACC-02, `events.md` section 2): plain data, one row an operation.

Mutations are not listed here: the roles of a command stand on the command (`ROLES`), where its decider reads them
too. ADMIN sees no clinical data (ACC-03), AUDITOR reads everything and writes only that it has reviewed (ACC-08).
"""

from collections.abc import Mapping

from hepatrail_events.commands import Actor
from hepatrail_events.roles import ALL_SITES, READS_SEALED_TEXT, SITE, Role
from hepatrail_graphql.errors import forbidden

_READERS = SITE | {Role.SAFETY_OFFICER, Role.SPONSOR, Role.MONITOR, Role.AUDITOR}
_EVERYBODY = frozenset(Role)
_AUDITORS = frozenset({Role.AUDITOR})

QUERIES: Mapping[str, frozenset[Role]] = {
    "subject": _READERS | {Role.LABORATORY},
    "subjects": _READERS | {Role.LABORATORY},
    "saeAlerts": _READERS,
    "escalations": _READERS,
    "reportingClocks": _READERS,
    "stoppingRuleHits": _READERS,
    "safetyFindings": _READERS,
    "dataQueries": _READERS | {Role.LABORATORY},
    "holds": _READERS,
    "command": _EVERYBODY,
    "events": _AUDITORS,
    "auditTrail": _READERS,
    "rejectedCommands": _AUDITORS,
    "accessLog": _AUDITORS,
    "checkpointSeals": _AUDITORS,
    "inclusionProof": _AUDITORS,
    "consistencyProof": _AUDITORS,
    "auditTrailReviews": _AUDITORS,
    "endpoints": _READERS,
    "protocol": _EVERYBODY,
}
"""Who may use each query. `command` answers what oneself has asked; an AUDITOR may ask for all. Whoever is no
AUDITOR sees in `auditTrail` one participant of their sites; what only an AUDITOR may use, and the outcomes
of the trial, need a token of all sites."""

SUBSCRIPTIONS: Mapping[str, frozenset[Role]] = {
    "saeAlerts": _READERS,
    "subjectChanged": _READERS | {Role.LABORATORY},
}
"""Who may use each subscription."""

SUBJECT_FIELDS: Mapping[str, frozenset[Role]] = {
    "adverseEvents": _READERS,
    "alerts": _READERS,
    "baselineConditions": _READERS,
    "clocks": _READERS,
    "deviceDeficiencies": _READERS,
    "findings": _READERS,
    "narratives": _READERS,
    "sponsorNotifications": _READERS,
    "submissions": _READERS,
}
"""Fields of a participant that not everybody who sees the participant may read: a laboratory needs no safety data."""


def allowed(table: Mapping[str, frozenset[Role]], operation: str, actor: Actor) -> bool:
    """Whether the actor's role stands in the operation's row."""
    return actor.role in table[operation]


def require(table: Mapping[str, frozenset[Role]], operation: str, actor: Actor) -> None:
    """Raises `FORBIDDEN` unless the actor's role stands in the operation's row."""
    if not allowed(table, operation, actor):
        raise forbidden(operation, actor.role)


def sites_of(actor: Actor) -> frozenset[str] | None:
    """The sites that the actor's lists are cut down to; None: all."""
    return None if ALL_SITES in actor.sites else frozenset(actor.sites)


def may_see(actor: Actor, site_id: str | None) -> bool:
    """Whether something of this site may be shown; what belongs to no site concerns the whole trial."""
    return site_id is None or actor.may_see(site_id)


def reads_sealed_text(actor: Actor) -> bool:
    """Whether sealed text is opened for the actor."""
    return actor.role in READS_SEALED_TEXT
