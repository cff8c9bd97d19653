"""Facts of assessments, survival, death, withdrawal and contact (`events.md` 3.5)."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Code, Instant, PartialDate, SealedText
from hepatrail_events.voiding import Corrected, Voided


class YesNo(StrEnum):
    """An answer that must be stated."""

    Y = "Y"
    N = "N"


class VitalStatus(StrEnum):
    """Whether the participant lives."""

    Y = "Y"
    N = "N"
    UNKNOWN = "UNKNOWN"


class TransplantStatus(StrEnum):
    """Where the participant stands on the way to a liver transplant."""

    NONE = "NONE"
    LISTED = "LISTED"
    DONE = "DONE"


class SurvivalSource(StrEnum):
    """Where the knowledge of survival comes from."""

    VISIT = "VISIT"
    PHONE = "PHONE"
    FAMILY = "FAMILY"
    RECORD = "RECORD"
    REGISTRY = "REGISTRY"


class Donor(StrEnum):
    """Donor of a liver."""

    DECEASED = "DECEASED"
    LIVING = "LIVING"


class WithdrawalScope(StrEnum):
    """From what the participant withdrew, in widening order."""

    TREATMENT_ONLY = "TREATMENT_ONLY"
    FOLLOW_UP = "FOLLOW_UP"
    ALL_DATA_USE = "ALL_DATA_USE"


class ParticipantDied(Event):
    """The site learned that the participant died."""

    death_at: PartialDate
    aware_at: Instant
    primary_cause_ae_id: UUID | None = Field(default=None, description="The fatal adverse event that caused the death")
    autopsy_done: bool | None = None


class ParticipantWithdrew(Event):
    """The participant withdrew from treatment, from follow-up or from all use of data."""

    withdrawn_at: Instant
    scope: WithdrawalScope
    vital_status_allowed: bool
    reason: SealedText | None = None


class AEAssessmentDone(Event):
    """The site asked for adverse events; that there is none must be stated."""

    at: Instant
    any_new: YesNo
    visit_code: Code | None = None


class SurvivalStatusRecorded(Event):
    """The site recorded whether the participant lives and whether a liver was transplanted.

    `alive = N` and `transplant = DONE` only echo `ParticipantDied` and `TransplantDone`, which alone count (VIS-01).
    """

    at: Instant
    alive: VitalStatus
    transplant: TransplantStatus
    transplant_at: PartialDate | None = None
    source: SurvivalSource
    visit_code: Code | None = None


class TransplantDone(Event):
    """The participant received a liver."""

    transplant_at: PartialDate
    donor: Donor | None = None


class DeathRecordCorrected(Event):
    """The record of the death was corrected; `revived`: the participant is alive after all.

    A field that is absent keeps its value, except that `revived` takes the whole record back.
    """

    revived: bool
    death_at: PartialDate | None = None
    primary_cause_ae_id: UUID | None = None
    autopsy_done: bool | None = None
    reason: SealedText


class LostToFollowUp(Event):
    """The site cannot reach the participant any more."""

    last_contact_at: Instant


class ContactRegained(Event):
    """The site reached the participant again."""

    at: Instant


class AssessmentCorrected(Corrected):
    """One field of an assessment was corrected; `id` is that of its event."""


class AssessmentVoided(Voided):
    """An assessment was void; `id` is that of its event. Never a death."""
