"""`device_deficiency`: inadequacies of the device, also those without harm (`events.md` 3.9, ISO 14155)."""

from dataclasses import dataclass
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class DeviceDeficiencyRow(RecordRow):
    """A device deficiency in its latest version.

    `could_have_led_to_sade`: it would have been serious without intervention or in less favourable circumstances.
    `description` is sealed.
    """

    deficiency_id: UUID
    description: Json
    session_id: UUID
    lot: str
    could_have_led_to_sade: bool
    linked_ae_id: UUID | None


DEVICE_DEFICIENCY = Table("device_deficiency", DeviceDeficiencyRow, ("subject_id", "deficiency_id"))


def device_deficiency_rows(view: SubjectView) -> tuple[DeviceDeficiencyRow, ...]:
    """All device deficiencies in the log's order."""
    return tuple(
        DeviceDeficiencyRow(
            **record_columns(view.subject_id, record),
            deficiency_id=deficiency_id,
            description=record.fact.description.payload(),
            session_id=record.fact.session_id,
            lot=record.fact.lot,
            could_have_led_to_sade=record.fact.could_have_led_to_sade,
            linked_ae_id=record.fact.linked_ae_id,
        )
        for deficiency_id, record in view.deficiencies.items()
    )
