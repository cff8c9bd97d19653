"""Facts of assessments, death and withdrawal (`events.md` 3.5); the first slice has the two that stop treatment."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from hepatrail_events.event import Event
from hepatrail_events.types import Instant, PartialDate, SealedText


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
