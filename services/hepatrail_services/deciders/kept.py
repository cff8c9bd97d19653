"""Records as the deciders keep them, in their latest form, with corrections and voids worked in (+cv)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from hepatrail_events.corrected_values import EventType, as_text, worked_in
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import PartialDate, SealedText
from hepatrail_events.voiding import Corrected, Voided
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.correcting import (
    Correctable,
    CorrectRecord,
    CorrectRecordWithText,
    VoidRecord,
    read_change,
    refuse_stale,
)

CorrectedType = TypeVar("CorrectedType", bound=Corrected)
VoidedType = TypeVar("VoidedType", bound=Voided)


@dataclass(frozen=True, slots=True)
class Kept(Generic[EventType]):
    """A record: its fact with all corrections worked in, and whether it is void."""

    fact: EventType
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Change(Generic[EventType]):
    """A correction: the fact afterwards, and what its event says of the field."""

    fact: EventType
    old: str | None
    new: str | None
    text: SealedText | None

    def event(self, kind: type[CorrectedType], command: CorrectRecord) -> CorrectedType:
        """The event of the correction."""
        return kind(
            id=command.id,
            field=command.field,
            old_value=self.old,
            new_value=self.new,
            new_text=self.text,
            reason=command.reason,
        )


def known(records: Mapping[UUID, Kept[EventType]], record_id: UUID, noun: str, path: str = "id") -> EventType:
    """The fact of a record; CommandRejected when the participant has none such, or it is void."""
    kept = records.get(record_id)
    if kept is None:
        raise CommandRejected(f"The participant has no such {noun}.", field=path)
    if kept.voided:
        raise CommandRejected(f"The {noun} is void.", field=path)
    return kept.fact


def change(
    fact: EventType, fields: Mapping[str, Correctable], command: CorrectRecord, situation: Situation
) -> Change[EventType]:
    """The correction of one field; the caller holds the record's own rules against the fact afterwards.

    CommandRejected: SHAPE for another field or a value that cannot be read or changes nothing, CONFLICT when
    `oldValue` is not the value any more, INV-06 for a time in the future.
    """
    new_text = command.new_text if isinstance(command, CorrectRecordWithText) else None
    value, text, sealed = read_change(fields, command.field, command.new_value, new_text)
    current = fact.payload().get(command.field)
    if fields[command.field].sealed:
        _refuse_stale_text(command, current is not None, sealed)
        return Change(worked_in(fact, command.field, None, sealed), None, None, sealed)
    refuse_stale(command.old_value, as_text(current), text)
    if isinstance(value, datetime | PartialDate):
        situation.past("newValue", value)
    return Change(worked_in(fact, command.field, text), as_text(current), text, None)


def _refuse_stale_text(command: CorrectRecord, present: bool, new: SealedText | None) -> None:
    if command.old_value is not None:
        raise CommandRejected("Free text has no oldValue.", code="SHAPE", field="oldValue")
    if new is None and not present:
        raise CommandRejected("The record has no such text.", code="SHAPE", field="newText")


def voiding(kind: type[VoidedType], command: VoidRecord) -> VoidedType:
    """The event of a void."""
    return kind(id=command.id, reason_code=command.reason_code, reason_text=command.reason_text)


def added(records: Mapping[UUID, Kept[EventType]], record_id: UUID, fact: EventType) -> Mapping[UUID, Kept[EventType]]:
    """The records with a new one, the last."""
    return {**records, record_id: Kept(fact)}


def corrected(records: Mapping[UUID, Kept[EventType]], event: Corrected) -> Mapping[UUID, Kept[EventType]]:
    """The records after a correction."""
    kept = records[event.id]
    fact = worked_in(kept.fact, event.field, event.new_value, event.new_text)
    return {**records, event.id: replace(kept, fact=fact)}


def voided(records: Mapping[UUID, Kept[EventType]], event: Voided) -> Mapping[UUID, Kept[EventType]]:
    """The records after a void."""
    return {**records, event.id: replace(records[event.id], voided=True)}
