"""Facts of the study stream (`events.md` 3.12): protocol versions, sites, holds, access, keys and reviews."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, Instant, Label, SealedText, SiteId, SubjectId


class HoldAction(StrEnum):
    """What a hold stops."""

    HOLD_SESSIONS = "HOLD_SESSIONS"
    HOLD_ENROLMENT = "HOLD_ENROLMENT"


class HoldScope(StrEnum):
    """Whom a hold concerns."""

    PARTICIPANT = "PARTICIPANT"
    TRIAL = "TRIAL"


class HoldRequires(StrEnum):
    """Who may release a hold."""

    DSMB = "DSMB"
    PI = "PI"


StudyReason = Annotated[str, Field(min_length=3, max_length=1000, description="Reason; the study stream is not sealed")]


MAX_CONTENT = 200_000
"""The most characters that the content of a protocol may have."""


class ProtocolPublished(Event):
    """A version of the protocol, whole; it takes effect at the later of `effectiveAt` and recordedAt."""

    version: Label
    content: str = Field(description="The whole protocol as canonical JSON", max_length=MAX_CONTENT)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of `content`")
    approved_by: Label
    reason: StudyReason
    effective_at: Instant


class SiteActivated(Event):
    """A site may enrol: its approval is on file."""

    site_id: SiteId
    approval_ref: Label


class SiteDeactivated(Event):
    """A site may no longer enrol."""

    site_id: SiteId
    reason: StudyReason


class HoldPlaced(Event):
    """Sessions or enrolment must wait, for one participant or the whole trial."""

    hold_id: UUID
    action: HoldAction
    scope: HoldScope
    subject_id: SubjectId | None = None
    rule_id: Code | None = None
    requires: HoldRequires
    reason: SealedText | StudyReason = Field(description="Sealed with the subject's key where the scope is PARTICIPANT")


class HoldReleased(Event):
    """A hold was released."""

    hold_id: UUID
    by: str = Field(max_length=200)
    reason: SealedText | StudyReason
    dsmb_reference: Label | None = None


class AccessWithdrawn(Event):
    """A person's or a token's access ended before the token did."""

    token_subject: str | None = Field(default=None, max_length=200)
    jti: str | None = Field(default=None, max_length=200)
    reason: StudyReason


class SealingKeyPublished(Event):
    """From now on seals of the log may be signed by this Ed25519 key."""

    public_key: str = Field(pattern=r"^[A-Za-z0-9+/]{43}=$", description="32 bytes in base64")
    reason: StudyReason


class AuditTrailReviewed(Event):
    """An auditor has reviewed what was recorded in a period (AUD-10)."""

    period_from: Instant = Field(alias="from")
    period_to: Instant = Field(alias="to")
    seal: Annotated[int, Field(ge=1)] | None = None
    seal_hash: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of that seal's record: what exactly was reviewed"
    )
    findings: StudyReason | None = None
