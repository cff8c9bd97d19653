"""What reporting rests on, kept after each commit that touched it: so that predicates can be evaluated over time.

The mappings are those of the view after the commit, shared and never copied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.submissions import SponsorNotified, SubmissionRecorded
from hepatrail_projections.ae_facts import AdverseEventFact
from hepatrail_projections.assessment_facts import Assessment
from hepatrail_projections.corrections import Record
from hepatrail_projections.session_facts import SessionFact


@dataclass(frozen=True, slots=True)
class SafetyPoint:
    """The participant after one commit; `event_ids` are those of its events that touched what is kept here."""

    commit_id: UUID
    event_ids: tuple[UUID, ...]
    recorded_at: datetime
    received_at: datetime
    studyseq: int
    adverse_events: Mapping[UUID, AdverseEventFact]
    sessions: Mapping[UUID, SessionFact]
    baseline_conditions: Mapping[UUID, Record[BaselineConditionRecorded]]
    assessments: Mapping[UUID, Record[Assessment]]
    notifications: tuple[Record[SponsorNotified], ...]
    submissions: Mapping[UUID, Record[SubmissionRecorded]]

    @property
    def event_id(self) -> UUID:
        """The last of its events."""
        return self.event_ids[-1]
