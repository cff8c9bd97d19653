"""Laboratory results (CDISC LB) and bedside observations (VS, and others): as reported, and as the trial computes."""

from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry

from hepatrail_events.catalogue import catalogue
from hepatrail_graphql.common import Correctable, correctable_fields
from hepatrail_graphql.enums import NotDone, NotTestable, RejectReason
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.lab_grades import LabFinding, LabGrade, LabReview, lab_finding, lab_grade, lab_review
from hepatrail_graphql.scalars import Comparator, DateTimeOrDate, Decimal
from hepatrail_graphql.text import Opener
from hepatrail_projections.lab_result import LabResultRow


@strawberry.enum(description="Where a measured row comes from.")
class MeasurementKind(Enum):
    """Where a measured row comes from."""

    LAB = strawberry.enum_value("LAB", description="A laboratory's result.")
    OBSERVATION = strawberry.enum_value("OBSERVATION", description="A bedside observation of the site.")


@strawberry.type(description="One measured row: everything that the report said, and why it is or is not used.")
class LabResult(Correctable):
    """One measured row."""

    row: strawberry.Private[LabResultRow]

    id: UUID = of_row("result_id", "The result.")
    kind: MeasurementKind = of_row(
        lambda row: MeasurementKind(row.kind), "A laboratory's result, or a bedside observation."
    )
    sample_id: UUID | None = of_row("sample_id", "The sample (LBREFID); rows of one sample belong together.")
    code: str = of_row("code", "The measurement's code as in the trial's list, `labs.csv` (LBTESTCD).")
    name: str | None = of_row(
        lambda row: getattr(catalogue().get(row.code), "name", None),
        "Its name there (LBTEST); null for a code that the list has not.",
    )
    loinc: str | None = of_row(
        lambda row: getattr(catalogue().get(row.code), "loinc", None),
        "Its LOINC code (LBLOINC); null where the list has none.",
    )
    collected_at: DateTimeOrDate = of_row(
        lambda row: row.collected_at or row.collected_on,
        "When the sample was collected (LBDTC); a civil date when only the day is known.",
    )
    value: str | None = of_row("value", "The value as reported (LBORRES).")
    comparator: Comparator | None = of_row(
        "comparator",
        "The sign before it, where it is only a bound.",
    )
    unit: str | None = of_row("unit", "The unit as reported (LBORRESU).")
    low: Decimal | None = of_row("low", "Lower limit of the report's own range, in its unit (LBORNRLO).")
    high: Decimal | None = of_row("high", "Upper limit of the report's own range, in its unit (LBORNRHI).")
    method: str | None = of_row("method", "The laboratory's method (LBMETHOD).")
    fasting: bool | None = of_row("fasting", "Whether the participant was fasting (LBFAST).")
    not_done: NotDone | None = of_row(
        lambda row: None if row.not_done is None else NotDone(row.not_done),
        "Why there is no usable value (LBSTAT, LBREASND).",
    )
    nt_reason: NotTestable | None = of_row(
        lambda row: None if row.nt_reason is None else NotTestable(row.nt_reason),
        "Why a component of the coma scale was not testable.",
    )
    laboratory: str | None = of_row("laboratory", "The source of the result (LBNAM); null for an observation.")
    specimen: str | None = of_row("specimen", "The material (LBSPEC).")
    source_message_id: str | None = of_row("source_message_id", "The laboratory's own id of the message.")
    visit_code: str | None = of_row("visit_code", "The time point as the collector stated it (VISIT).")
    pre_session: bool | None = of_row("pre_session", "Whether the collector stated: before the session.")
    accepted: bool = of_row("accepted", "Whether derivations use the row.")
    reject_reason: RejectReason | None = of_row(
        lambda row: None if row.reject_reason is None else RejectReason(row.reject_reason), "Why they do not (LAB-02)."
    )
    confirmed: bool = of_row("confirmed", "Whether an investigator confirmed an implausible value.")
    canonical_value: str | None = of_row(
        "canonical_value", "The value in the trial's unit, as decimal text, or its code (LBSTRESC)."
    )
    canonical_exact: str | None = of_row("canonical_exact", "The same number as a fraction, never rounded.")
    canonical_unit: str | None = of_row("canonical_unit", "The trial's unit (LBSTRESU, UCUM).")
    point: str | None = of_row("point", "The time point that it was assigned to; null: unscheduled.")
    in_window: bool | None = of_row("in_window", "Whether it lies in that point's window.")
    remark: str | None = of_row("remark", "Why it does not: OUT_OF_WINDOW or TIME_UNKNOWN.")
    used: bool = of_row("used", "Whether it is the row that counts there for its code.")
    baseline: bool = of_row("baseline", "Whether it is the baseline of its code (LBBLFL).")
    grades: list[LabGrade] = of_row(
        lambda row: [lab_grade(each, row.event_ids, row.protocol_version) for each in row.grades],
        "The CTCAE v5.0 grade of each term of the analyte; none of a row that is void or not accepted.",
    )
    review: LabReview | None = of_row(lambda row: lab_review(row.review), "The investigator's latest judgement of it.")
    finding: LabFinding | None = of_row(
        lambda row: lab_finding(row.finding),
        "The severe grade that waits for a judgement.",
    )
    recorded_at: datetime = of_row("recorded_at", "When the result was recorded.")


def lab_result(row: LabResultRow, opener: Opener) -> LabResult:
    """A measured row as the schema shows it."""
    return LabResult(row=row, **correctable_fields(row, "lab-result", opener, row.protocol_version))
