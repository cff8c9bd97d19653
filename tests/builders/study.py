"""The study for specifications: its protocol, a site, a hold."""

from typing import Any

from builders.ids import HOLD, SITE
from builders.payloads import sealed
from builders.times import at
from hepatrail_events.protocol import content_hash, shipped_protocol
from hepatrail_events.study import HoldPlaced, ProtocolPublished, SiteActivated


def protocol_published(version: str = "1.0", **content: Any) -> ProtocolPublished:
    """The shipped protocol, with changes to its content."""
    protocol = shipped_protocol().model_copy(update=content).content()
    return ProtocolPublished(
        version=version,
        content=protocol,
        hash=content_hash(protocol),
        approved_by="steering committee",
        reason="first version",
        effective_at=at(days=365),
    )


def site_activated(site_id: str = SITE) -> SiteActivated:
    """An active site."""
    return SiteActivated(site_id=site_id, approval_ref="EC-2026-11")


def hold_placed(action: str = "HOLD_SESSIONS", subject_id: str | None = None, **changes: Any) -> HoldPlaced:
    """A hold of the trial, or of one participant."""
    given: dict[str, Any] = {
        "holdId": str(HOLD),
        "action": action,
        "requires": "PI",
        "scope": "TRIAL",
        "reason": "see minutes",
    }
    if subject_id:
        given |= {"scope": "PARTICIPANT", "subjectId": subject_id, "reason": sealed(subject=subject_id)}
    return HoldPlaced.model_validate(given | changes)
