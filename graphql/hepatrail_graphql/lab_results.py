"""Laboratory results and bedside observations: as reported, and as the trial computes with them."""

from datetime import datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

import strawberry

from hepatrail_graphql.common import Correction, Provenance, corrections, provenance
from hepatrail_graphql.enums import NotDone, NotTestable, RejectReason, VoidReason
from hepatrail_graphql.scalars import Comparator, DateTimeOrDate, Decimal, decimal
from hepatrail_graphql.text import Opener, Text, sealed_text
from hepatrail_projections.lab_result import LabResultRow


@strawberry.enum(description="Where a measured row comes from.")
class MeasurementKind(Enum):
    """Where a measured row comes from."""

    LAB = strawberry.enum_value("LAB", description="A laboratory's result.")
    OBSERVATION = strawberry.enum_value("OBSERVATION", description="A bedside observation of the site.")


@strawberry.type(description="One measured row: everything that the report said, and why it is or is not used.")
class LabResult:
    """One measured row."""

    id: UUID = strawberry.field(description="The result.")
    kind: MeasurementKind = strawberry.field(description="A laboratory's result, or a bedside observation.")
    sample_id: UUID | None = strawberry.field(description="The sample; rows of one sample belong together.")
    code: str = strawberry.field(description="The measurement's code as in the trial's list (`labs.csv`).")
    collected_at: DateTimeOrDate = strawberry.field(
        description="When the sample was collected; a civil date when only the day is known."
    )
    value: str | None = strawberry.field(description="The value as reported.")
    comparator: Comparator | None = strawberry.field(description="The sign before it, where it is only a bound.")
    unit: str | None = strawberry.field(description="The unit as reported.")
    low: Decimal | None = strawberry.field(description="Lower limit of the report's own range, in its unit.")
    high: Decimal | None = strawberry.field(description="Upper limit of the report's own range, in its unit.")
    method: str | None = strawberry.field(description="The laboratory's method.")
    fasting: bool | None = strawberry.field(description="Whether the participant was fasting.")
    not_done: NotDone | None = strawberry.field(description="Why there is no usable value.")
    nt_reason: NotTestable | None = strawberry.field(description="Why a component of the coma scale was not testable.")
    laboratory: str | None = strawberry.field(description="The source of the result; null for an observation.")
    specimen: str | None = strawberry.field(description="The material.")
    source_message_id: str | None = strawberry.field(description="The laboratory's own id of the message.")
    visit_code: str | None = strawberry.field(description="The time point as the collector stated it.")
    pre_session: bool | None = strawberry.field(description="Whether the collector stated: before the session.")
    accepted: bool = strawberry.field(description="Whether derivations use the row.")
    reject_reason: RejectReason | None = strawberry.field(description="Why they do not (LAB-02).")
    confirmed: bool = strawberry.field(description="Whether an investigator confirmed an implausible value.")
    canonical_value: str | None = strawberry.field(
        description="The value in the trial's unit, as decimal text, or its code."
    )
    canonical_exact: str | None = strawberry.field(description="The same number as a fraction, never rounded.")
    canonical_unit: str | None = strawberry.field(description="The trial's unit (UCUM).")
    point: str | None = strawberry.field(description="The time point that it was assigned to; null: unscheduled.")
    in_window: bool | None = strawberry.field(description="Whether it lies in that point's window.")
    remark: str | None = strawberry.field(description="Why it does not: OUT_OF_WINDOW or TIME_UNKNOWN.")
    used: bool = strawberry.field(description="Whether it is the row that counts there for its code.")
    baseline: bool = strawberry.field(description="Whether it is the baseline of its code.")
    voided: bool = strawberry.field(description="Whether the row is void: it feeds nothing.")
    void_reason_code: VoidReason | None = strawberry.field(description="Why the row is void.")
    void_reason_text: Text | None = strawberry.field(description="Why the row is void, in words.")
    corrections: list[Correction] = strawberry.field(description="What was corrected, in order.")
    recorded_at: datetime = strawberry.field(description="When the result was recorded.")
    provenance: Provenance = strawberry.field(description="What the row rests on.")


def lab_result(row: LabResultRow, opener: Opener) -> LabResult:
    """A measured row as the schema shows it."""
    return LabResult(
        id=row.result_id,
        kind=MeasurementKind(row.kind),
        sample_id=row.sample_id,
        code=row.code,
        collected_at=cast(DateTimeOrDate, row.collected_at or row.collected_on),
        value=row.value,
        comparator=None if row.comparator is None else Comparator(row.comparator),
        unit=row.unit,
        low=decimal(row.low),
        high=decimal(row.high),
        method=row.method,
        fasting=row.fasting,
        not_done=None if row.not_done is None else NotDone(row.not_done),
        nt_reason=None if row.nt_reason is None else NotTestable(row.nt_reason),
        laboratory=row.laboratory,
        specimen=row.specimen,
        source_message_id=row.source_message_id,
        visit_code=row.visit_code,
        pre_session=row.pre_session,
        accepted=row.accepted,
        reject_reason=None if row.reject_reason is None else RejectReason(row.reject_reason),
        confirmed=row.confirmed,
        canonical_value=row.canonical_value,
        canonical_exact=row.canonical_exact,
        canonical_unit=row.canonical_unit,
        point=row.point,
        in_window=row.in_window,
        remark=row.remark,
        used=row.used,
        baseline=row.baseline,
        voided=row.voided,
        void_reason_code=None if row.void_reason_code is None else VoidReason(row.void_reason_code),
        void_reason_text=opener.open(sealed_text(cast(dict[str, Any] | None, row.void_reason_text))),
        corrections=corrections(cast(list[dict[str, Any]], row.corrections), opener),
        recorded_at=row.recorded_at,
        provenance=provenance("lab-result", row.event_ids, row.protocol_version),
    )
