"""What many topics share: provenance, partial dates, records with their corrections, and reading JSON columns."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypedDict, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.enums import Precision, VoidReason
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.record_columns import RecordRow
from hepatrail_projections.version import PROJECTION_VERSION


@strawberry.type(description="What a derived value rests on, so that anybody can derive it again.")
class Provenance:
    """What a derived value rests on."""

    event_ids: list[UUID] = strawberry.field(description="The events that it was derived from.")
    algorithm: str = strawberry.field(description="The derivation and its version.")
    protocol_version: str | None = strawberry.field(
        description="The protocol version used; null before the first was published."
    )


def provenance(topic: str, event_ids: Sequence[UUID], protocol_version: str | None = None) -> Provenance:
    """What a row rests on; `topic` names its derivation, whose version is the projection's."""
    return Provenance(
        event_ids=list(event_ids), algorithm=f"{topic}/{PROJECTION_VERSION}", protocol_version=protocol_version
    )


@strawberry.type(description="A date as far as it is known; a missing part is never filled in.")
class PartialDate:
    """A date as far as it is known."""

    value: str | None = strawberry.field(
        description="`2026-03-10T08:30Z` (UTC), or a civil date of the site: `2026-03-10`, `2026-03`, `2026`."
    )
    precision: Precision = strawberry.field(description="How much of the date is known.")


def partial_date(stored: Mapping[str, Any] | None) -> PartialDate | None:
    """A date of a row; None when there is none."""
    return None if stored is None else needed_date(stored)


def needed_date(stored: Mapping[str, Any]) -> PartialDate:
    """A date of a row that is always there."""
    return PartialDate(value=stored.get("value"), precision=Precision(stored["precision"]))


@strawberry.type(description="One field that was corrected; the original stays readable.")
class Correction:
    """One field that was corrected."""

    field: str = strawberry.field(description="The field, as in the input that recorded it.")
    old_value: str | None = strawberry.field(description="What stood there; null where nothing or a free text did.")
    new_value: str | None = strawberry.field(description="What stands there since; null where it is a free text.")
    new_text: Text | None = strawberry.field(description="What stands there since, where the field is free text.")
    reason: Text = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When the correction was recorded.")
    recorded_by: str = strawberry.field(description="The account that made it.")
    event_id: UUID = strawberry.field(description="The event of the correction.")


def corrections(stored: Sequence[Mapping[str, Any]], opener: Opener) -> list[Correction]:
    """The corrections of a row, in order."""
    return [
        Correction(
            field=each["field"],
            old_value=each.get("oldValue"),
            new_value=each.get("newValue"),
            new_text=opener.open(sealed_text(each.get("newText"))),
            reason=opener.needed(sealed_text(each["reason"])),
            recorded_at=instant(each["recordedAt"]),
            recorded_by=each["actorId"],
            event_id=UUID(each["eventId"]),
        )
        for each in stored
    ]


@strawberry.interface(
    description="A record that may be corrected, and void when it was wrong: it stays readable and feeds nothing."
)
class Correctable:
    """A record that may be corrected and voided."""

    voided: bool = strawberry.field(description="Whether the record is void: it feeds nothing.")
    void_reason_code: VoidReason | None = strawberry.field(description="Why the record is void.")
    void_reason_text: Text | None = strawberry.field(description="Why the record is void, in words.")
    voided_by: str | None = strawberry.field(description="The account that voided it.")
    corrections: list[Correction] = strawberry.field(description="What was corrected, in order.")
    provenance: Provenance = strawberry.field(description="The events that the record rests on.")


@strawberry.interface(description="A record that the site or the sponsor made, with who made it and when.")
class Record(Correctable):
    """A record with its origin."""

    recorded_at: datetime = strawberry.field(description="When it was recorded first.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")


class CorrectableRow(Protocol):
    """The columns of a row that may be corrected and voided."""

    @property
    def voided(self) -> bool: ...
    @property
    def void_reason_code(self) -> str | None: ...
    @property
    def void_reason_text(self) -> Any: ...
    @property
    def voided_by(self) -> str | None: ...
    @property
    def corrections(self) -> Any: ...
    @property
    def event_ids(self) -> tuple[UUID, ...]: ...


class CorrectableFields(TypedDict):
    """The fields of `Correctable`, to be given to a type of the schema."""

    voided: bool
    void_reason_code: VoidReason | None
    void_reason_text: Text | None
    voided_by: str | None
    corrections: list[Correction]
    provenance: Provenance


class RecordFields(CorrectableFields):
    """The fields of `Record`."""

    recorded_at: datetime
    recorded_by: str


def correctable_fields(
    row: CorrectableRow, topic: str, opener: Opener, protocol_version: str | None = None
) -> CorrectableFields:
    """What became of a record; `topic` names the derivation of its row."""
    return CorrectableFields(
        voided=row.voided,
        void_reason_code=None if row.void_reason_code is None else VoidReason(row.void_reason_code),
        void_reason_text=opener.open(sealed_text(row.void_reason_text)),
        voided_by=row.voided_by,
        corrections=corrections(row.corrections, opener) if row.corrections else [],
        provenance=provenance(topic, row.event_ids, protocol_version),
    )


def record_fields(row: RecordRow, topic: str, opener: Opener, protocol_version: str | None = None) -> RecordFields:
    """The same with where the record comes from."""
    return RecordFields(
        **correctable_fields(row, topic, opener, protocol_version),
        recorded_at=row.recorded_at,
        recorded_by=row.actor_id,
    )


def by_name(stored: Any) -> list[tuple[str, Any]]:
    """The entries of a JSON object by name: `jsonb` keeps no order, and the same question has the same answer."""
    return sorted(cast(dict[str, Any], stored).items())


def instant(text: str) -> datetime:
    """An instant of a JSON column."""
    return datetime.fromisoformat(text)


def optional_instant(text: str | None) -> datetime | None:
    """An instant of a JSON column, when there is one."""
    return None if text is None else datetime.fromisoformat(text)
