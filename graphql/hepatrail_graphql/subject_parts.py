"""What a participant consists of beside the lists: status, consents, the death's corrections, what is parked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from hepatrail_graphql.alerts import SaeAlert
from hepatrail_graphql.common import PartialDate, instant, partial_date
from hepatrail_graphql.scalars import Version
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.quarantine import QuarantineRow
from hepatrail_projections.reading import SubjectRead


@strawberry.enum(description="How far a participant is.")
class SubjectStatus(Enum):
    """How far a participant is."""

    CONSENTED = strawberry.enum_value("CONSENTED", description="Consent is on record.")
    SCREEN_FAILED = strawberry.enum_value("SCREEN_FAILED", description="Did not meet the criteria.")
    ENROLLED = strawberry.enum_value("ENROLLED", description="Takes part.")
    WITHDRAWN = strawberry.enum_value("WITHDRAWN", description="Withdrew from follow-up, all use of data, or consent.")
    DIED = strawberry.enum_value("DIED", description="Died.")


@strawberry.type(description="An event of the participant that cannot be read; later ones wait behind it.")
class Parked:
    """An event of the participant that cannot be read."""

    code: str = strawberry.field(description="Why it cannot be read.")
    reason: str = strawberry.field(description="The same in words.")
    topic: str = strawberry.field(description="Where it lies: the topic,")
    partition: int = strawberry.field(description="the partition,")
    offset: Version = strawberry.field(description="and the offset.")


@strawberry.type(description="A consent on record; the last one is in force.")
class Consent:
    """A consent on record."""

    version: str = strawberry.field(description="Version of the consent form.")
    given_at: datetime = strawberry.field(description="When the participant signed it (RFICDTC).")
    health_data_consent: bool = strawberry.field(description="Separate consent to the processing of health data.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    event_id: UUID = strawberry.field(description="The event that recorded it.")


@strawberry.type(description="A correction of the death record; a field that is null kept its value.")
class DeathCorrection:
    """A correction of the death record."""

    revived: bool = strawberry.field(description="Whether the participant was found alive after all.")
    death_at: PartialDate | None = strawberry.field(description="When the participant died, since the correction.")
    primary_cause_ae_id: UUID | None = strawberry.field(description="The adverse event that caused the death.")
    autopsy_done: bool | None = strawberry.field(description="Whether there was an autopsy.")
    reason: Text = strawberry.field(description="Why.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that made it.")
    event_id: UUID = strawberry.field(description="The event of the correction.")


@dataclass(frozen=True, slots=True)
class Whole:
    """What the lists of a participant are made of, read in one snapshot."""

    read: SubjectRead
    as_of: datetime
    opener: Opener
    alerts: tuple[SaeAlert, ...] = ()
    last_alerts: Mapping[UUID, int] = field(default_factory=dict)
    """The number of the last alert by adverse event."""


def consent(stored: dict[str, Any]) -> Consent:
    """A consent of a row's column."""
    return Consent(
        version=stored["version"],
        given_at=instant(stored["givenAt"]),
        health_data_consent=stored["healthDataConsent"],
        recorded_at=instant(stored["recordedAt"]),
        recorded_by=stored["actorId"],
        event_id=UUID(stored["eventId"]),
    )


def death_correction(stored: dict[str, Any], opener: Opener) -> DeathCorrection:
    """A correction of a row's column."""
    cause = stored["primaryCauseAeId"]
    return DeathCorrection(
        revived=stored["revived"],
        death_at=partial_date(stored["deathAt"]),
        primary_cause_ae_id=None if cause is None else UUID(cause),
        autopsy_done=stored["autopsyDone"],
        reason=opener.needed(sealed_text(stored["reason"])),
        recorded_at=instant(stored["recordedAt"]),
        recorded_by=stored["actorId"],
        event_id=UUID(stored["eventId"]),
    )


def parked(row: QuarantineRow) -> Parked:
    """A parked record as the schema shows it."""
    return Parked(
        code=row.code,
        reason=row.reason,
        topic=row.topic,
        partition=row.partition,
        offset=Version(row.kafka_offset),
    )
