"""`medication`: what a participant took beside the trial's treatment (`events.md` 3.6)."""

from dataclasses import dataclass
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class MedicationRow(RecordRow):
    """A medication in its latest version.

    `verbatim` is sealed; `started_at` and `ended_at` (None: it goes on) are partial dates `{value, precision}`; `dose`
    is decimal text in `unit`. `therapeutic_anticoagulant` is never the circuit's.
    """

    medication_id: UUID
    verbatim: Json
    atc: str | None
    dose: str | None
    unit: str | None
    route: str | None
    started_at: Json
    ended_at: Json | None
    therapeutic_anticoagulant: bool


MEDICATION = Table("medication", MedicationRow, ("subject_id", "medication_id"))


def medication_rows(view: SubjectView) -> tuple[MedicationRow, ...]:
    """All medications in the log's order."""
    return tuple(
        MedicationRow(
            **record_columns(view.subject_id, record),
            medication_id=medication_id,
            verbatim=record.fact.verbatim.payload(),
            atc=record.fact.atc,
            dose=record.fact.dose,
            unit=record.fact.unit,
            route=record.fact.route,
            started_at=record.fact.started_at.payload(),
            ended_at=None if record.fact.ended_at is None else record.fact.ended_at.payload(),
            therapeutic_anticoagulant=record.fact.therapeutic_anticoagulant,
        )
        for medication_id, record in view.medications.items()
    )
