"""Reports of adverse events and of the device: submissions, the sponsor's awareness, narratives, deficiencies."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Provenance, Record, provenance, record_fields
from hepatrail_graphql.enums import NarrativeLanguage, Recipient, SubmissionKind
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.device_deficiency import DeviceDeficiencyRow
from hepatrail_projections.narrative import NarrativeRow
from hepatrail_projections.sponsor_notification import SponsorNotificationRow
from hepatrail_projections.submission import SubmissionRow


@strawberry.type(description="A report of an adverse event, handed to its recipient (`events.md` 3.8).")
class Submission(Record):
    """A report handed to its recipient."""

    id: UUID = strawberry.field(description="The submission.")
    ae_id: UUID = strawberry.field(description="The adverse event.")
    recipient: Recipient = strawberry.field(description="To whom it went: `to` of the command.")
    kind: SubmissionKind = strawberry.field(description="What it is in the course of the case.")
    submitted_at: datetime = strawberry.field(description="When it was handed over.")
    reference: str | None = strawberry.field(description="The recipient's reference.")


@strawberry.type(description="When the sponsor first knew of an adverse event.")
class SponsorNotification:
    """When the sponsor first knew of an adverse event."""

    ae_id: UUID = strawberry.field(description="The adverse event.")
    notified_at: datetime = strawberry.field(description="The sponsor's awareness.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that recorded it.")
    provenance: Provenance = strawberry.field(description="The event that recorded it.")


@strawberry.type(description="A narrative of a case (ICSR H.1).")
class Narrative:
    """A narrative of a case."""

    ae_id: UUID = strawberry.field(description="The adverse event.")
    language: NarrativeLanguage = strawberry.field(description="Its language (ISO 639-2).")
    narrative: Text = strawberry.field(description="The narrative.")
    latest: bool = strawberry.field(description="Whether it counts: the last one of its language does.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="The account that wrote it.")
    provenance: Provenance = strawberry.field(description="The event that recorded it.")


@strawberry.type(description="An inadequacy of the device, also when no harm followed (ISO 14155).")
class DeviceDeficiency(Record):
    """An inadequacy of the device."""

    id: UUID = strawberry.field(description="The deficiency.")
    description: Text = strawberry.field(description="What was inadequate.")
    session_id: UUID = strawberry.field(description="The session in which it showed.")
    lot: str = strawberry.field(description="Lot of the device.")
    could_have_led_to_sade: bool = strawberry.field(
        name="couldHaveLedToSADE",
        description="Would have been serious without intervention or in less favourable circumstances.",
    )
    linked_ae_id: UUID | None = strawberry.field(description="The adverse event that followed.")


def submission(row: SubmissionRow, opener: Opener) -> Submission:
    """A submission's row as the schema shows it."""
    return Submission(
        **record_fields(row, "submission", opener),
        id=row.submission_id,
        ae_id=row.ae_id,
        recipient=Recipient(row.recipient),
        kind=SubmissionKind(row.kind),
        submitted_at=row.submitted_at,
        reference=row.reference,
    )


def sponsor_notification(row: SponsorNotificationRow) -> SponsorNotification:
    """A notification's row as the schema shows it."""
    return SponsorNotification(
        ae_id=row.ae_id,
        notified_at=row.notified_at,
        recorded_at=row.recorded_at,
        recorded_by=row.actor_id,
        provenance=provenance("sponsor-notification", row.event_ids),
    )


def narrative(row: NarrativeRow, opener: Opener) -> Narrative:
    """A narrative's row as the schema shows it."""
    return Narrative(
        ae_id=row.ae_id,
        language=NarrativeLanguage(row.language),
        narrative=opener.needed(sealed_text(cast(dict[str, Any], row.narrative))),
        latest=row.latest,
        recorded_at=row.recorded_at,
        recorded_by=row.actor_id,
        provenance=provenance("narrative", row.event_ids),
    )


def device_deficiency(row: DeviceDeficiencyRow, opener: Opener) -> DeviceDeficiency:
    """A deficiency's row as the schema shows it."""
    return DeviceDeficiency(
        **record_fields(row, "device-deficiency", opener),
        id=row.deficiency_id,
        description=opener.needed(sealed_text(cast(dict[str, Any], row.description))),
        session_id=row.session_id,
        lot=row.lot,
        could_have_led_to_sade=row.could_have_led_to_sade,
        linked_ae_id=row.linked_ae_id,
    )
