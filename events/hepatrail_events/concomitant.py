"""Facts of medication and procedures beside the trial's treatment (`events.md` 3.6)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import DecimalText, Label, PartialDate, SealedText
from hepatrail_events.voiding import Corrected, Voided

ATC_PATTERN = r"^[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?$"
AtcCode = Annotated[str, Field(pattern=ATC_PATTERN, description="WHO ATC code, any level")]


class ProcedureKind(StrEnum):
    """Kind of an extracorporeal or other procedure; a CiPS-BAL session is none of them."""

    HD = "HD"
    CVVHD = "CVVHD"
    CVVHDF = "CVVHDF"
    CVVH = "CVVH"
    PLASMA_EXCHANGE = "PLASMA_EXCHANGE"
    ALBUMIN_DIALYSIS = "ALBUMIN_DIALYSIS"
    OTHER = "OTHER"


class MedicationRecorded(Event):
    """The investigator recorded a medication."""

    medication_id: UUID
    verbatim: SealedText
    atc: AtcCode | None = None
    dose: DecimalText | None = None
    unit: Label | None = None
    route: Label | None = None
    started_at: PartialDate
    ended_at: PartialDate | None = None
    therapeutic_anticoagulant: bool = Field(
        description="Therapeutic anticoagulation, which the grading of INR depends on; never the circuit's"
    )


class MedicationCorrected(Corrected):
    """One field of a medication was corrected."""


class MedicationVoided(Voided):
    """A medication record was void."""


class ProcedureRecorded(Event):
    """The investigator recorded a procedure; dialysis feeds the scores of the MELD family."""

    procedure_id: UUID
    kind: ProcedureKind
    started_at: PartialDate
    ended_at: PartialDate | None = None
    description: SealedText | None = None


class ProcedureCorrected(Corrected):
    """One field of a procedure was corrected."""


class ProcedureVoided(Voided):
    """A procedure record was void."""
