"""What the fold keeps of assessments and of the death record."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.assessments import (
    AEAssessmentDone,
    ContactRegained,
    DeathRecordCorrected,
    LostToFollowUp,
    ParticipantDied,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
)

Assessment: TypeAlias = (
    AEAssessmentDone | SurvivalStatusRecorded | TransplantDone | ParticipantWithdrew | LostToFollowUp | ContactRegained
)
"""What may be corrected and voided by the id of its event; never a death."""


@dataclass(frozen=True, slots=True)
class DeathCorrection:
    """One correction of the death record, and who made it."""

    event: DeathRecordCorrected
    recorded_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class DeathFact:
    """The death record: `died` with all corrections worked in, `corrections` as they were made.

    `stands` is false once the participant was found alive; a death recorded after that keeps the history before it.
    """

    died: ParticipantDied
    recorded_at: datetime
    corrections: tuple[DeathCorrection, ...]
    event_ids: tuple[UUID, ...]
    stands: bool = True
