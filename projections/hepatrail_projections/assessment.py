"""`assessment`: what the site asked and learned of a participant at a visit or between (`events.md` 3.5).

The death has its columns in `subject`: it is no assessment, and neither corrected nor voided as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from hepatrail_events.assessments import (
    AEAssessmentDone,
    ContactRegained,
    LostToFollowUp,
    ParticipantWithdrew,
    SurvivalStatusRecorded,
    TransplantDone,
)
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical_state import ClinicalState
from hepatrail_projections.facts import Assessment, SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Json, Table


@dataclass(frozen=True, slots=True)
class AssessmentRow(RecordRow):
    """An assessment in its latest version, known by the id of the event that recorded it.

    `kind` is AE_ASSESSMENT, SURVIVAL_STATUS, TRANSPLANT, WITHDRAWAL, LOSS_TO_FOLLOW_UP or CONTACT_REGAINED; `facts` is
    the payload of that event with all corrections worked in. It happened at `at`, or, a transplant, at the partial
    date `happened`. `visit_code` is what the site stated; `point`, `in_window` and `used` tell to which time point an
    assessment of adverse events or survival was assigned, and whether it is the one that counts there.
    """

    event_id: UUID
    kind: str
    at: datetime | None
    happened: Json | None
    facts: Json
    visit_code: str | None
    point: str | None
    in_window: bool | None
    used: bool
    protocol_version: str | None


ASSESSMENT = Table("assessment", AssessmentRow, ("subject_id", "event_id"))

KINDS: Mapping[type[Event], str] = {
    AEAssessmentDone: "AE_ASSESSMENT",
    SurvivalStatusRecorded: "SURVIVAL_STATUS",
    TransplantDone: "TRANSPLANT",
    ParticipantWithdrew: "WITHDRAWAL",
    LostToFollowUp: "LOSS_TO_FOLLOW_UP",
    ContactRegained: "CONTACT_REGAINED",
}


def assessment_rows(view: SubjectView, state: ClinicalState | None) -> tuple[AssessmentRow, ...]:
    """All assessments in the log's order, void ones included."""
    rows = []
    for event_id, record in view.assessments.items():
        fact, when = record.fact, happened_at(record.fact)
        assigned = None if state is None else state.assigned.get(event_id)
        rows.append(
            AssessmentRow(
                **record_columns(view.subject_id, record),
                event_id=event_id,
                kind=KINDS[type(fact)],
                at=when if isinstance(when, datetime) else None,
                happened=when.payload() if isinstance(when, PartialDate) else None,
                facts=fact.payload(),
                visit_code=fact.visit_code if isinstance(fact, AEAssessmentDone | SurvivalStatusRecorded) else None,
                point=None if assigned is None else assigned.placement.point,
                in_window=None if assigned is None else assigned.placement.in_window,
                used=state is not None and event_id in state.used,
                protocol_version=None if state is None else state.published.version,
            )
        )
    return tuple(rows)


def happened_at(fact: Assessment) -> datetime | PartialDate:
    """The clinical time of an assessment: of a loss to follow-up that of the last contact."""
    match fact:
        case AEAssessmentDone() | SurvivalStatusRecorded() | ContactRegained():
            return fact.at
        case TransplantDone():
            return fact.transplant_at
        case ParticipantWithdrew():
            return fact.withdrawn_at
        case LostToFollowUp():
            return fact.last_contact_at
        case _:
            assert_never(fact)
