"""Facts of inadequacies of the device (`events.md` 3.9, ISO 14155)."""

from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Label, SealedText
from hepatrail_events.voiding import Corrected, Voided


class DeviceDeficiencyReported(Event):
    """The investigator reported an inadequacy of the device, also when no harm followed."""

    deficiency_id: UUID
    description: SealedText
    session_id: UUID
    lot: Label
    could_have_led_to_sade: bool = Field(
        alias="couldHaveLedToSADE",
        description="Would have been serious without intervention or in less favourable circumstances",
    )
    linked_ae_id: UUID | None = None


class DeviceDeficiencyCorrected(Corrected):
    """One field of a device deficiency was corrected."""


class DeviceDeficiencyVoided(Voided):
    """A device deficiency was void."""
