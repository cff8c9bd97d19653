"""`procedure`: dialysis and other procedures beside the trial's treatment (`events.md` 3.6)."""

from dataclasses import dataclass
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class ProcedureRow(RecordRow):
    """A procedure in its latest version.

    `kind` is HD, CVVHD, CVVHDF, CVVH, PLASMA_EXCHANGE, ALBUMIN_DIALYSIS or OTHER; `started_at` and `ended_at` (None: it
    goes on) are partial dates `{value, precision}`, `description` is sealed.
    """

    procedure_id: UUID
    kind: str
    started_at: Json
    ended_at: Json | None
    description: Json | None


PROCEDURE = Table("procedure", ProcedureRow, ("subject_id", "procedure_id"))


def procedure_rows(view: SubjectView) -> tuple[ProcedureRow, ...]:
    """All procedures in the log's order."""
    return tuple(
        ProcedureRow(
            **record_columns(view.subject_id, record),
            procedure_id=procedure_id,
            kind=record.fact.kind.value,
            started_at=record.fact.started_at.payload(),
            ended_at=None if record.fact.ended_at is None else record.fact.ended_at.payload(),
            description=None if record.fact.description is None else record.fact.description.payload(),
        )
        for procedure_id, record in view.procedures.items()
    )
