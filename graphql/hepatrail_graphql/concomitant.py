"""What a participant has or takes beside the trial: medications, procedures, conditions before treatment."""

from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import PartialDate, Record, needed_date, partial_date, record_fields
from hepatrail_graphql.enums import ProcedureKind
from hepatrail_graphql.scalars import Decimal, decimal
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.baseline_condition import BaselineConditionRow
from hepatrail_projections.medication import MedicationRow
from hepatrail_projections.procedure import ProcedureRow


@strawberry.type(description="A medication beside the trial's treatment (CDISC CM).")
class Medication(Record):
    """A medication beside the trial's treatment."""

    id: UUID = strawberry.field(description="The medication.")
    verbatim: Text = strawberry.field(description="Its name as the site wrote it (CMTRT).")
    atc: str | None = strawberry.field(description="WHO ATC code, any level (CMCLASCD).")
    dose: Decimal | None = strawberry.field(description="The dose, in `unit` (CMDOSE).")
    unit: str | None = strawberry.field(description="The dose's unit (CMDOSU).")
    route: str | None = strawberry.field(description="The route (CMROUTE).")
    started_at: PartialDate = strawberry.field(description="Since when (CMSTDTC).")
    ended_at: PartialDate | None = strawberry.field(description="Until when (CMENDTC); null: it goes on.")
    therapeutic_anticoagulant: bool = strawberry.field(
        description="Whether it anticoagulates, which the grading of INR depends on; never the circuit's."
    )


@strawberry.type(description="Dialysis or another procedure beside the trial's treatment (CDISC PR).")
class Procedure(Record):
    """Dialysis or another procedure."""

    id: UUID = strawberry.field(description="The procedure.")
    kind: ProcedureKind = strawberry.field(description="Its kind (PRDECOD); dialysis feeds the MELD family.")
    started_at: PartialDate = strawberry.field(description="Since when (PRSTDTC).")
    ended_at: PartialDate | None = strawberry.field(description="Until when (PRENDTC); null: it goes on.")
    description: Text | None = strawberry.field(description="What was done, in words (PRTRT).")


@strawberry.type(
    description="A disease or sign present before treatment; no adverse event until it worsens (CDISC MH)."
)
class BaselineCondition(Record):
    """A disease or sign present before treatment."""

    id: UUID = strawberry.field(description="The condition: `baselineConditionId` of an adverse event.")
    code: str = strawberry.field(description="The trial's own code, one of `AeCode`.")
    ctcae_term: str | None = strawberry.field(description="The CTCAE v5.0 term.")
    verbatim: Text = strawberry.field(description="The investigator's own words (MHTERM).")
    onset: PartialDate | None = strawberry.field(description="Since when (MHSTDTC).")
    grade: int | None = strawberry.field(description="CTCAE v5.0 grade before treatment; null: unknown (MHTOXGR).")


def medication(row: MedicationRow, opener: Opener) -> Medication:
    """A medication's row as the schema shows it."""
    return Medication(
        **record_fields(row, "medication", opener),
        id=row.medication_id,
        verbatim=opener.needed(sealed_text(cast(dict[str, Any], row.verbatim))),
        atc=row.atc,
        dose=decimal(row.dose),
        unit=row.unit,
        route=row.route,
        started_at=needed_date(cast(dict[str, Any], row.started_at)),
        ended_at=partial_date(cast(dict[str, Any] | None, row.ended_at)),
        therapeutic_anticoagulant=row.therapeutic_anticoagulant,
    )


def procedure(row: ProcedureRow, opener: Opener) -> Procedure:
    """A procedure's row as the schema shows it."""
    return Procedure(
        **record_fields(row, "procedure", opener),
        id=row.procedure_id,
        kind=ProcedureKind(row.kind),
        started_at=needed_date(cast(dict[str, Any], row.started_at)),
        ended_at=partial_date(cast(dict[str, Any] | None, row.ended_at)),
        description=opener.open(sealed_text(cast(dict[str, Any] | None, row.description))),
    )


def baseline_condition(row: BaselineConditionRow, opener: Opener) -> BaselineCondition:
    """A condition's row as the schema shows it."""
    return BaselineCondition(
        **record_fields(row, "baseline-condition", opener),
        id=row.baseline_condition_id,
        code=row.code,
        ctcae_term=row.ctcae_term,
        verbatim=opener.needed(sealed_text(cast(dict[str, Any], row.verbatim))),
        onset=partial_date(cast(dict[str, Any] | None, row.onset)),
        grade=row.grade,
    )
