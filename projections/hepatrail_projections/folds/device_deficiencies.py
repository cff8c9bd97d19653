"""Inadequacies of the device (`events.md` 3.9)."""

from hepatrail_events.device_deficiencies import (
    DeviceDeficiencyCorrected,
    DeviceDeficiencyReported,
    DeviceDeficiencyVoided,
)
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import recorded, with_corrected, with_item, with_voided
from hepatrail_projections.replacing import replace

_WHAT = "device deficiency"


def device_deficiency_reported(view: SubjectView, event: DeviceDeficiencyReported, envelope: Envelope) -> SubjectView:
    """A device deficiency."""
    return replace(view, deficiencies=with_item(view.deficiencies, event.deficiency_id, recorded(event, envelope)))


def device_deficiency_corrected(view: SubjectView, event: DeviceDeficiencyCorrected, envelope: Envelope) -> SubjectView:
    """One field of a device deficiency has another value."""
    return replace(view, deficiencies=with_corrected(view.deficiencies, event, envelope, _WHAT))


def device_deficiency_voided(view: SubjectView, event: DeviceDeficiencyVoided, envelope: Envelope) -> SubjectView:
    """The device deficiency feeds nothing from now on."""
    return replace(view, deficiencies=with_voided(view.deficiencies, event, envelope, _WHAT))
