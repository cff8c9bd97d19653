"""What many topics share: provenance, partial dates, corrections, and reading the JSON columns of rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from hepatrail_graphql.enums import Precision
from hepatrail_graphql.text import Opener, Text, sealed_text
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

    field: str = strawberry.field(description="The field.")
    old_value: str | None = strawberry.field(description="What stood there.")
    new_value: str | None = strawberry.field(description="What stands there since.")
    reason: Text = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When the correction was recorded.")
    event_id: UUID = strawberry.field(description="The event of the correction.")


def corrections(stored: Sequence[Mapping[str, Any]], opener: Opener) -> list[Correction]:
    """The corrections of a row, in order."""
    return [
        Correction(
            field=each["field"],
            old_value=each.get("oldValue"),
            new_value=each.get("newValue"),
            reason=opener.needed(sealed_text(each["reason"])),
            recorded_at=instant(each["recordedAt"]),
            event_id=UUID(each["eventId"]),
        )
        for each in stored
    ]


def instant(text: str) -> datetime:
    """An instant of a JSON column."""
    return datetime.fromisoformat(text)


def optional_instant(text: str | None) -> datetime | None:
    """An instant of a JSON column, when there is one."""
    return None if text is None else datetime.fromisoformat(text)
