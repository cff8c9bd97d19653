"""What the fold keeps of a treatment session: its facts in their latest version."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.sessions import SessionStarted
from hepatrail_events.types import SealedText
from hepatrail_projections.corrections import Correction, Voided


@dataclass(frozen=True, slots=True)
class Pause:
    """An interruption of flow; `resumed_at` is None while it lasts."""

    at: datetime
    resumed_at: datetime | None
    reason: SealedText


@dataclass(frozen=True)
class SessionFact:
    """A session: `started` holds its fields in their latest version, `streamseq` places it in its stream."""

    streamseq: int
    started: SessionStarted
    ended_at: datetime | None
    end_reason: str | None
    pauses: tuple[Pause, ...]
    corrections: tuple[Correction, ...]
    voided: Voided | None
    event_ids: tuple[UUID, ...]

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return self.voided is None and self.ended_at is None
