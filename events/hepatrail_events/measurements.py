"""Facts of laboratory results and observations (`events.md` 3.3, 3.4): values as reported, never converted."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, DecimalText, Fact, InstantOrDate, Label, SealedText
from hepatrail_events.voiding import Voided


class Comparator(StrEnum):
    """The sign of a censored value."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class NotDone(StrEnum):
    """Why there is no usable value."""

    NOT_DONE = "NOT_DONE"
    HEMOLYSED = "HEMOLYSED"
    INSUFFICIENT = "INSUFFICIENT"
    CLOTTED = "CLOTTED"
    OUTPATIENT_NO_ABG = "OUTPATIENT_NO_ABG"
    OTHER = "OTHER"


class RejectReason(StrEnum):
    """Why a row is stored but feeds no derivation (LAB-02)."""

    UNKNOWN_CODE = "UNKNOWN_CODE"
    UNIT_MISSING = "UNIT_MISSING"
    UNIT_UNKNOWN = "UNIT_UNKNOWN"
    VALUE_NOT_ALLOWED = "VALUE_NOT_ALLOWED"
    IMPLAUSIBLE = "IMPLAUSIBLE"
    TIME_IN_FUTURE = "TIME_IN_FUTURE"
    SOURCE_UNKNOWN = "SOURCE_UNKNOWN"


class NotTestable(StrEnum):
    """Why a component of the Glasgow Coma Scale could not be tested."""

    INTUBATED = "INTUBATED"
    SEDATED = "SEDATED"
    LOCAL_FACTOR = "LOCAL_FACTOR"
    PARALYSED = "PARALYSED"
    OTHER = "OTHER"


ReportedCode = Annotated[str, Field(min_length=1, max_length=60, description="Code as reported; of `labs.csv` or not")]
ReportedValue = Annotated[str, Field(min_length=1, max_length=200, description="Value as reported")]
ReportedUnit = Annotated[str, Field(max_length=60, description="Unit as reported, UCUM when known")]


class Measured(Fact):
    """One measured row as reported, and whether it was accepted."""

    result_id: UUID
    code: ReportedCode
    value: ReportedValue | None = None
    comparator: Comparator | None = None
    unit: ReportedUnit | None = None
    low: DecimalText | None = Field(default=None, description="Lower limit of the report's own range, in its unit")
    high: DecimalText | None = Field(default=None, description="Upper limit of the report's own range, in its unit")
    method: Label | None = None
    fasting: bool | None = None
    not_done: NotDone | None = None
    accepted: bool = Field(description="Whether derivations may use the row")
    reject_reason: RejectReason | None = None


class ObservedRow(Measured):
    """A row of a bedside observation."""

    nt_reason: NotTestable | None = None


class LabResultsRecorded(Event):
    """A laboratory reported the results of one sample."""

    sample_id: UUID
    collected_at: InstantOrDate
    visit_code: Code | None = None
    pre_session: bool | None = None
    laboratory: Label
    source_message_id: Label | None = None
    specimen: Label | None = None
    results: tuple[Measured, ...] = Field(min_length=1)


class ResultCorrected(Event):
    """One field of a measured row was corrected and its acceptance decided again."""

    id: UUID
    field: Label
    old_value: str | None = Field(default=None, max_length=200)
    new_value: str | None = Field(default=None, max_length=200)
    reason: SealedText
    accepted: bool
    reject_reason: RejectReason | None = None


class LabResultCorrected(ResultCorrected):
    """One field of a laboratory result was corrected."""


class LabResultVoided(Voided):
    """A laboratory result was void."""


class ObservationCorrected(ResultCorrected):
    """One field of a bedside observation was corrected."""


class ObservationVoided(Voided):
    """A bedside observation was void."""


class LabFindingReviewed(Event):
    """The investigator judged a laboratory finding; `finalGrade` 0 says that it has none."""

    result_id: UUID
    clinically_significant: bool
    final_grade: Annotated[int, Field(ge=0, le=5, description="CTCAE v5.0 grade, 0 for none")] | None = None


class ImplausibleConfirmed(Event):
    """The investigator confirmed a value outside the plausibility limits; the row is admitted."""

    result_id: UUID
    reason: SealedText


class ObservationsRecorded(Event):
    """The site recorded bedside observations made at one moment."""

    assessed_at: InstantOrDate
    visit_code: Code | None = None
    pre_session: bool | None = None
    rows: tuple[ObservedRow, ...] = Field(min_length=1)
