"""What the fold of a participant's stream keeps: facts in their latest version, originals and voids included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.concomitant import MedicationRecorded, ProcedureRecorded
from hepatrail_events.device_deficiencies import DeviceDeficiencyReported
from hepatrail_events.enrolment import ConsentRecorded, SubjectEnrolled
from hepatrail_events.envelope import GENESIS
from hepatrail_events.submissions import NarrativeWritten, SponsorNotified, SubmissionRecorded
from hepatrail_events.types import SealedText
from hepatrail_projections.ae_facts import AdverseEventFact, GradePoint
from hepatrail_projections.assessment_facts import Assessment, DeathCorrection, DeathFact
from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.corrections import Correction, Record, Superseded, Voided
from hepatrail_projections.safety_history import SafetyPoint
from hepatrail_projections.session_facts import Pause, SessionFact

__all__ = [
    "AdverseEventFact",
    "Assessment",
    "Canonical",
    "Closure",
    "Correction",
    "DeathCorrection",
    "DeathFact",
    "GradePoint",
    "Pause",
    "QueryAnswer",
    "Record",
    "ResultFact",
    "Review",
    "SafetyPoint",
    "SampleFact",
    "SessionFact",
    "StopKind",
    "SubjectView",
    "Superseded",
    "Voided",
]

StopKind: TypeAlias = Literal["DEATH", "WITHDRAWAL", "CONSENT", "SCREENING"]
"""What an event ends: life, a part of the participation, consent, or the way to enrolment."""


@dataclass(frozen=True, slots=True)
class SampleFact:
    """What the rows of one sample, or of one moment of observation, have in common."""

    sample_id: UUID | None
    collected_at: datetime | date
    visit_code: str | None
    pre_session: bool | None
    laboratory: str | None
    specimen: str | None
    source_message_id: str | None
    recorded_at: datetime
    streamseq: int
    observed: bool


class Canonical(NamedTuple):
    """A value in the canonical unit: exact, as decimal text (or a code), and as a fraction of integers."""

    value: Fraction | str | None
    text: str | None
    exact: str | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class ResultFact:
    """One measured row as reported, its acceptance and its value in the canonical unit.

    `observation` is the same row as the clinical derivations read it, made once.
    """

    result_id: UUID
    row_index: int
    sample: SampleFact
    code: str
    value: str | None
    comparator: str | None
    unit: str | None
    low: str | None
    high: str | None
    method: str | None
    fasting: bool | None
    not_done: str | None
    nt_reason: str | None
    accepted: bool
    reject_reason: str | None
    canonical: Canonical
    observation: Observation
    event_ids: tuple[UUID, ...]
    confirmed: bool = False
    corrections: tuple[Correction, ...] = ()
    voided: Voided | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The investigator's judgement of a laboratory finding, the latest one."""

    clinically_significant: bool
    final_grade: int | None
    reviewed_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """One answer to a data query."""

    text: SealedText
    answered_at: datetime
    actor_id: str
    actor_role: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Closure:
    """A data query closed by the monitor, for one version of its rule."""

    reason: SealedText
    rule_version: str
    closed_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True)
class SubjectView:
    """A participant as the fold of the stream; pure, without any clock. `version` 0 has no event."""

    subject_id: str
    site_id: str | None = None
    version: int = 0
    last_hash: str = GENESIS
    last_event_id: UUID | None = None
    recorded_at: datetime | None = None
    consents: tuple[Record[ConsentRecorded], ...] = ()
    """In the log's order; the last is in force."""
    consent_withdrawn_at: datetime | None = None
    screen_failure: SealedText | None = None
    screen_failed_at: datetime | None = None
    enrolment: SubjectEnrolled | None = None
    enrolled_at: datetime | None = None
    sessions: Mapping[UUID, SessionFact] = field(default_factory=dict)
    results: Mapping[UUID, ResultFact] = field(default_factory=dict)
    adverse_events: Mapping[UUID, AdverseEventFact] = field(default_factory=dict)
    death_record: DeathFact | None = None
    reviews: Mapping[UUID, Review] = field(default_factory=dict)
    """By resultId."""
    assessments: Mapping[UUID, Record[Assessment]] = field(default_factory=dict)
    """By the id of the event, in the log's order, void ones included."""
    medications: Mapping[UUID, Record[MedicationRecorded]] = field(default_factory=dict)
    procedures: Mapping[UUID, Record[ProcedureRecorded]] = field(default_factory=dict)
    baseline_conditions: Mapping[UUID, Record[BaselineConditionRecorded]] = field(default_factory=dict)
    notifications: tuple[Record[SponsorNotified], ...] = ()
    submissions: Mapping[UUID, Record[SubmissionRecorded]] = field(default_factory=dict)
    narratives: tuple[Record[NarrativeWritten], ...] = ()
    deficiencies: Mapping[UUID, Record[DeviceDeficiencyReported]] = field(default_factory=dict)
    query_answers: Mapping[UUID, tuple[QueryAnswer, ...]] = field(default_factory=dict)
    query_closures: Mapping[UUID, tuple[Closure, ...]] = field(default_factory=dict)
    enrolment_event_ids: tuple[UUID, ...] = ()
    stop_event_ids: tuple[tuple[StopKind, UUID], ...] = ()
    """What ends something and stands, in the log's order; of a death its corrections too."""
    safety_history: tuple[SafetyPoint, ...] = field(default=(), repr=False)
    """What adverse events and their reports rested on after each commit that touched them, in the log's order."""
    superseded: Mapping[tuple[str, UUID | None], tuple[Superseded, ...]] = field(default_factory=dict)
    """Earlier versions of records, oldest first, by the field above and the id in it; of the death record no id."""

    @property
    def consent(self) -> ConsentRecorded | None:
        """The consent in force, None before the first."""
        return self.consents[-1].fact if self.consents else None

    @property
    def death(self) -> ParticipantDied | None:
        """The death in its latest version; None while the participant lives or was found alive after all."""
        record = self.death_record
        return record.died if record is not None and record.stands else None

    @property
    def withdrawals(self) -> tuple[ParticipantWithdrew, ...]:
        """The withdrawals that are not void, each in its latest version, in the log's order."""
        facts = (record.fact for record in self.assessments.values() if record.voided is None)
        return tuple(fact for fact in facts if isinstance(fact, ParticipantWithdrew))

    @property
    def withdrawal(self) -> ParticipantWithdrew | None:
        """The withdrawal in force: the last, because a later one may only widen it (VIS-04)."""
        withdrawals = self.withdrawals
        return withdrawals[-1] if withdrawals else None
