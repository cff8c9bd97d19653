"""Facts of treatment sessions (`events.md` 3.2)."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import (
    CellCount,
    Instant,
    Kilograms,
    Label,
    MillilitresPerMinute,
    Percent,
    SealedText,
)
from hepatrail_events.voiding import Corrected, Voided


class AccessVein(StrEnum):
    """Central vein of the access."""

    FEMORAL = "FEMORAL"
    INTERNAL_JUGULAR = "INTERNAL_JUGULAR"
    SUBCLAVIAN = "SUBCLAVIAN"
    OTHER = "OTHER"


class Side(StrEnum):
    """Side of the body."""

    LEFT = "LEFT"
    RIGHT = "RIGHT"


class Anticoagulant(StrEnum):
    """Anticoagulant of the circuit."""

    HEPARIN = "HEPARIN"
    CITRATE = "CITRATE"
    NAFAMOSTAT = "NAFAMOSTAT"
    NONE = "NONE"
    OTHER = "OTHER"


class EndReason(StrEnum):
    """Why a session ended."""

    COMPLETED = "COMPLETED"
    AE = "AE"
    DEVICE = "DEVICE"
    CLOTTING = "CLOTTING"
    PARTICIPANT = "PARTICIPANT"
    OTHER = "OTHER"


class SessionStarted(Event):
    """Blood or plasma entered the circuit: the treatment team recorded device, cells and weight."""

    session_id: UUID
    started_at: Instant = Field(description="Blood or plasma enters the circuit")
    access_vein: AccessVein
    side: Side
    access_placed_at: Instant | None = Field(
        default=None, description="Only when the access was placed for this session"
    )
    device_lot: Label
    cell_batch: Label
    batch_release_ref: Label = Field(description="Reference of the batch's release")
    viability_percent: Percent
    viable_cells: CellCount
    weight_kg: Kilograms
    weight_measured_at: Instant
    flow_ml_min: MillilitresPerMinute | None = None
    anticoagulant: Anticoagulant | None = None


class SessionPaused(Event):
    """Flow through the reactor was interrupted; a pause is no end."""

    session_id: UUID
    at: Instant
    reason: SealedText


class SessionResumed(Event):
    """Flow through the reactor began again."""

    session_id: UUID
    at: Instant


class SessionEnded(Event):
    """Flow through the reactor stopped for good, whatever the duration."""

    session_id: UUID
    ended_at: Instant
    reason: EndReason


class SessionCorrected(Corrected):
    """One field of a session was corrected; the original stays readable."""


class SessionVoided(Voided):
    """The session record was void: it feeds nothing from then on."""
