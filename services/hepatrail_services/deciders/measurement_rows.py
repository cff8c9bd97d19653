"""Measured rows: what a sender states, what is kept of them, and whether derivations may use them (LAB-01, LAB-02)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.acceptance import Accepted, accept
from hepatrail_events.errors import CommandRejected
from hepatrail_events.measurements import Comparator, Measured, NotDone, NotTestable, RejectReason
from hepatrail_events.types import Code, DecimalText, Fact, InstantOrDate, Label
from hepatrail_services.command import SubjectCommand
from hepatrail_services.deciders.context import Situation
from hepatrail_services.deciders.times import is_future

Text60 = Annotated[str, Field(max_length=60)]
Text200 = Annotated[str, Field(max_length=200)]


class ResultRow(Fact):
    """One row of a laboratory report, as reported. A row that cannot be used is stored all the same, and marked."""

    code: Text60 | None = Field(
        default=None, description="Code of the measurement in `labs.csv`; another one is kept, unused"
    )
    value: Text200 | None = Field(default=None, description="Value as reported, without the sign of a limit")
    comparator: Comparator | None = Field(default=None, description="Sign before a value beyond a limit of detection")
    unit: Text60 | None = Field(default=None, description="Unit as reported, UCUM when known")
    low: DecimalText | None = Field(default=None, description="Lower limit of the report's own range, in its unit")
    high: DecimalText | None = Field(default=None, description="Upper limit of the report's own range, in its unit")
    method: Label | None = Field(default=None, description="Method of the laboratory")
    fasting: bool | None = Field(default=None, description="Whether the participant was fasting")
    not_done: NotDone | None = Field(default=None, description="Why there is no usable value")


class ObservationRow(ResultRow):
    """One row of a bedside observation, as observed."""

    nt_reason: NotTestable | None = Field(
        None, description="Why a component of the Glasgow Coma Scale could not be tested"
    )


class LabSample(SubjectCommand):
    """What a report says about its sample as a whole."""

    collected_at: InstantOrDate = Field(description="When the sample was taken: an instant, or the civil date alone")
    visit_code: Code | None = Field(default=None, description="Time point that the sample was taken for")
    pre_session: bool | None = Field(default=None, description="Whether it was taken before that day's session")
    laboratory: Label = Field(description="Laboratory that measured")
    specimen: Label | None = Field(default=None, description="Kind of specimen")


class Moment(SubjectCommand):
    """What the observations of one moment have in common."""

    assessed_at: InstantOrDate = Field(description="When it was observed: an instant, or the civil date alone")
    visit_code: Code | None = Field(default=None, description="Time point that the observation was made for")
    pre_session: bool | None = Field(default=None, description="Whether it was made before that day's session")


def refuse_unreadable(rows: Iterable[ResultRow], path: str) -> None:
    """LAB-01: CommandRejected names the first row without code, or with neither value nor reason for its absence."""
    for index, row in enumerate(rows):
        if lack := unreadable(row.code, row.value, row.not_done):
            field, sentence = lack
            raise CommandRejected(f"{path}[{index}] {sentence}.", rule="LAB-01", field=f"{path}[{index}].{field}")


def unreadable(code: str | None, value: str | None, not_done: str | None) -> tuple[str, str] | None:
    """The field that makes a row unreadable and the end of the sentence about it; None when it can be read."""
    if not (code or "").strip():
        return "code", "has no code"
    if not (value or "").strip() and not_done is None:
        return "value", "has neither a value nor a reason why there is none (notDone)"
    return None


def sample_reason(collected_at: datetime | date, laboratory: str | None, situation: Situation) -> RejectReason | None:
    """Why no row of the sample may be used; `laboratory` None for observations of the site itself."""
    allowed = situation.protocol.laboratories
    if laboratory is not None and allowed and laboratory not in allowed:
        return RejectReason.SOURCE_UNKNOWN
    if is_future(collected_at, situation.now, situation.zone):
        return RejectReason.TIME_IN_FUTURE
    return None


def row_reason(code: str, value: str | None, comparator: str | None, unit: str | None) -> RejectReason | None:
    """Why the row itself may not be used."""
    judged = accept(code, value, comparator, unit)
    return None if isinstance(judged, Accepted) else RejectReason(judged.reason)


def measured(row: ResultRow, result_id: UUID, of_sample: RejectReason | None) -> Measured:
    """The row of the event. A reason of the whole sample comes first: only then is IMPLAUSIBLE all that is wrong.

    An empty value is absent: `refuse_unreadable` has seen that notDone says why.
    """
    code = row.code or ""
    value = row.value if (row.value or "").strip() else None
    reason = of_sample or row_reason(code, value, row.comparator, row.unit)
    return Measured(
        result_id=result_id,
        code=code,
        value=value,
        comparator=row.comparator,
        unit=row.unit,
        low=row.low,
        high=row.high,
        method=row.method,
        fasting=row.fasting,
        not_done=row.not_done,
        accepted=reason is None,
        reject_reason=reason,
    )
