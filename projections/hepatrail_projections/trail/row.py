"""One row of the trail, its place, and which rows are listed."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_projections.table import Json


class TrailPlace(NamedTuple):
    """Where a row stands in the trail's order."""

    recorded_at: datetime
    stream: str
    streamseq: int
    row: int


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One field of one object that an event gave a value or another one.

    `old` and `new` are text as a correction writes it (`true`, `10020000000`, `2026-03`), a list where the field is
    one, `{kid, cid, path, ct}` where it is sealed, None where there is none. `object_id` is the clinical object (a
    result, a session, an adverse event), else the event. `reason` is text or sealed. `automated`: a component of the
    system acted, named by `actor_id`.
    """

    stream: str
    streamseq: int
    row: int
    event_id: UUID
    recorded_at: datetime
    received_at: datetime
    subject_id: str | None
    actor_id: str
    actor_role: str
    actor_org: str
    event_type: str
    object_id: UUID | str
    field: str
    old: Json | None
    new: Json | None
    reason: Json | None
    automated: bool
    protocol_version: str | None

    @property
    def place(self) -> TrailPlace:
        """Its place in the order of the trail."""
        return TrailPlace(self.recorded_at, self.stream, self.streamseq, self.row)


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which rows are listed; None: any. `since` is inclusive, `until` exclusive, `object_id` as text."""

    subject_id: str | None = None
    field: str | None = None
    actor_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    object_id: str | None = None


ANY_TRAIL = TrailFilter()
