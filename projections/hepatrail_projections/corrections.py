"""What the folds keep of corrections and voids: the original stays readable (`events.md` section 1, +cv)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from hepatrail_events.event import Event
from hepatrail_events.types import SealedText, format_instant
from hepatrail_events.voiding import VoidReason

E = TypeVar("E", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected field: old and new text, why, who, and the event that did it.

    A field of free text has its new value sealed in `new_text` and neither `old` nor `new`.
    """

    field: str
    old: str | None
    new: str | None
    reason: SealedText
    recorded_at: datetime
    event_id: UUID
    actor_id: str = ""
    new_text: SealedText | None = None

    def json(self) -> dict[str, Any]:
        """As a row shows it."""
        return {
            "field": self.field,
            "oldValue": self.old,
            "newValue": self.new,
            "newText": None if self.new_text is None else self.new_text.payload(),
            "reason": self.reason.payload(),
            "recordedAt": format_instant(self.recorded_at),
            "eventId": str(self.event_id),
            "actorId": self.actor_id,
        }


@dataclass(frozen=True, slots=True)
class Voided:
    """Why a record is void, and who said so."""

    reason_code: VoidReason
    reason_text: SealedText
    event_id: UUID
    actor_id: str = ""


@dataclass(frozen=True, slots=True)
class Record(Generic[E]):
    """A record of any family in its latest version: `fact` with all corrections worked in.

    `event_ids` holds the event that recorded it first, then those that corrected or voided it.
    """

    fact: E
    recorded_at: datetime
    streamseq: int
    actor_id: str
    event_ids: tuple[UUID, ...]
    corrections: tuple[Correction, ...] = ()
    voided: Voided | None = None


@dataclass(frozen=True, slots=True)
class Superseded:
    """A record as it stood before an event put another version in its place, or took it away.

    `until` is when that was recorded, `event_id` the event that did it.
    """

    fact: Any
    until: datetime
    event_id: UUID
