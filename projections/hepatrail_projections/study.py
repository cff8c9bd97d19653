"""The tables of the `study` stream: protocol versions, sites, holds, access withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """A protocol version, whole; in force from `effective_from` = max(effectiveAt, recordedAt) until the next.

    `commit_id` is the publication's.
    """

    version: str
    streamseq: int
    content: Json
    hash: str
    approved_by: str
    reason: str
    effective_at: datetime
    effective_from: datetime
    published_at: datetime
    commit_id: UUID
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site and whether it may enrol."""

    site_id: str
    active: bool
    approval_ref: str | None
    reason: str | None
    since: datetime
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold on sessions or enrolment; in force while `released_at` is None.

    `reason` and `release_reason` are `{"text": ...}`, or sealed text where the scope is PARTICIPANT.
    """

    hold_id: UUID
    streamseq: int
    action: str
    scope: str
    subject_id: str | None
    rule_id: str | None
    requires: str
    reason: Json
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    released_by: str | None
    release_reason: Json | None
    dsmb_reference: str | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class AccessWithdrawnRow:
    """Tokens that are refused: all of a token's subject, or one `jti`."""

    streamseq: int
    token_subject: str | None
    jti: str | None
    reason: str
    recorded_at: datetime
    event_ids: tuple[UUID, ...]


PROTOCOL = Table("protocol", ProtocolRow, ("version",), indexes=("(effective_from, streamseq)",))
SITE = Table("site", SiteRow, ("site_id",))
HOLD = Table("hold", HoldRow, ("hold_id",))
ACCESS_WITHDRAWN = Table("access_withdrawn", AccessWithdrawnRow, ("streamseq",))
