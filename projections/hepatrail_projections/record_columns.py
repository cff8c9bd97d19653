"""The columns that tables of records have in common (`events.md` section 1, +cv)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from hepatrail_events.event import Event
from hepatrail_projections.corrections import Record
from hepatrail_projections.table import Json


@dataclass(frozen=True, slots=True)
class OriginRow:
    """Where a record comes from.

    `streamseq` places it in its stream; `recorded_at` and `actor_id` tell when and by whom it was recorded first.
    `event_ids` begins with the event that did so.
    """

    subject_id: str
    streamseq: int
    recorded_at: datetime
    actor_id: str
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class RecordRow(OriginRow):
    """A record that may be corrected and voided; a void one stays readable and feeds nothing.

    `corrections` are `{field, oldValue, newValue, newText, reason, recordedAt, eventId, actorId}` in the order made.
    """

    voided: bool
    void_reason_code: str | None
    void_reason_text: Json | None
    voided_by: str | None
    corrections: Json


class OriginColumns(TypedDict):
    """The columns of `OriginRow`, to be given to a row's class."""

    subject_id: str
    streamseq: int
    recorded_at: datetime
    actor_id: str
    event_ids: tuple[UUID, ...]


class RecordColumns(OriginColumns):
    """The columns of `RecordRow`."""

    voided: bool
    void_reason_code: str | None
    void_reason_text: Any
    voided_by: str | None
    corrections: Any


def origin_columns(subject_id: str, record: Record[Event]) -> OriginColumns:
    """Where a record comes from."""
    return OriginColumns(
        subject_id=subject_id,
        streamseq=record.streamseq,
        recorded_at=record.recorded_at,
        actor_id=record.actor_id,
        event_ids=record.event_ids,
    )


def record_columns(subject_id: str, record: Record[Event]) -> RecordColumns:
    """The same with what became of it."""
    voided = record.voided
    return RecordColumns(
        **origin_columns(subject_id, record),
        voided=voided is not None,
        void_reason_code=None if voided is None else voided.reason_code.value,
        void_reason_text=None if voided is None else voided.reason_text.payload(),
        voided_by=None if voided is None else voided.actor_id,
        corrections=[correction.json() for correction in record.corrections],
    )
