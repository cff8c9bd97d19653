"""Records, and what corrections and voids make of them: the one place for all families (`events.md` section 1, +cv)."""

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from hepatrail_events.adverse_events import AECorrected
from hepatrail_events.corrected_values import worked_in
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.measurements import ResultCorrected
from hepatrail_events.voiding import Corrected
from hepatrail_events.voiding import Voided as VoidedEvent
from hepatrail_projections.corrections import Correction, Record, Voided
from hepatrail_projections.folds.known import known
from hepatrail_projections.replacing import replace

Fact = TypeVar("Fact", bound=Event)
Key = TypeVar("Key")
Value = TypeVar("Value")


def recorded(event: Fact, envelope: Envelope) -> Record[Fact]:
    """A new record."""
    return Record(event, envelope.recordedat, envelope.streamseq, envelope.actorid, (envelope.id,))


def with_corrected(
    records: Mapping[UUID, Record[Fact]], event: Corrected, envelope: Envelope, what: str
) -> Mapping[UUID, Record[Fact]]:
    """The records with one field of one of them corrected; InvalidPayload when there is no such record or field.

    `what` names the kind of record in that error.
    """
    record = known(records, event.id, what)
    changed = replace(
        record,
        fact=worked_in(record.fact, event.field, event.new_value, event.new_text),
        corrections=(*record.corrections, correction(event, envelope)),
        event_ids=(*record.event_ids, envelope.id),
    )
    return with_item(records, event.id, changed)


def with_voided(
    records: Mapping[UUID, Record[Fact]], event: VoidedEvent, envelope: Envelope, what: str
) -> Mapping[UUID, Record[Fact]]:
    """The records with one of them void; InvalidPayload when there is no such record."""
    record = known(records, event.id, what)
    changed = replace(record, voided=voided(event, envelope), event_ids=(*record.event_ids, envelope.id))
    return with_item(records, event.id, changed)


def correction(event: Corrected | ResultCorrected | AECorrected, envelope: Envelope) -> Correction:
    """What was corrected, why, when and by whom."""
    return Correction(
        field=event.field,
        old=event.old_value,
        new=event.new_value,
        reason=event.reason,
        recorded_at=envelope.recordedat,
        event_id=envelope.id,
        actor_id=envelope.actorid,
        new_text=None if isinstance(event, ResultCorrected) else event.new_text,
    )


def voided(event: VoidedEvent, envelope: Envelope) -> Voided:
    """Why a record is void, and who said so."""
    return Voided(event.reason_code, event.reason_text, envelope.id, envelope.actorid)


def with_item(items: Mapping[Key, Value], key: Key, value: Value) -> Mapping[Key, Value]:
    """The items with one of them new, behind the others, or changed in its place."""
    return {**items, key: value}
