"""Medication and procedures beside the trial's treatment (`events.md` 3.6)."""

from hepatrail_events.concomitant import (
    MedicationCorrected,
    MedicationRecorded,
    MedicationVoided,
    ProcedureCorrected,
    ProcedureRecorded,
    ProcedureVoided,
)
from hepatrail_events.envelope import Envelope
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.folds.correcting import recorded, with_corrected, with_item, with_voided
from hepatrail_projections.replacing import replace


def medication_recorded(view: SubjectView, event: MedicationRecorded, envelope: Envelope) -> SubjectView:
    """A medication."""
    return replace(view, medications=with_item(view.medications, event.medication_id, recorded(event, envelope)))


def medication_corrected(view: SubjectView, event: MedicationCorrected, envelope: Envelope) -> SubjectView:
    """One field of a medication has another value."""
    return replace(view, medications=with_corrected(view.medications, event, envelope, "medication"))


def medication_voided(view: SubjectView, event: MedicationVoided, envelope: Envelope) -> SubjectView:
    """The medication feeds nothing from now on."""
    return replace(view, medications=with_voided(view.medications, event, envelope, "medication"))


def procedure_recorded(view: SubjectView, event: ProcedureRecorded, envelope: Envelope) -> SubjectView:
    """A procedure."""
    return replace(view, procedures=with_item(view.procedures, event.procedure_id, recorded(event, envelope)))


def procedure_corrected(view: SubjectView, event: ProcedureCorrected, envelope: Envelope) -> SubjectView:
    """One field of a procedure has another value."""
    return replace(view, procedures=with_corrected(view.procedures, event, envelope, "procedure"))


def procedure_voided(view: SubjectView, event: ProcedureVoided, envelope: Envelope) -> SubjectView:
    """The procedure feeds nothing from now on."""
    return replace(view, procedures=with_voided(view.procedures, event, envelope, "procedure"))
