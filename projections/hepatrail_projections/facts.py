"""What the fold of a participant's stream keeps: facts in their latest version, originals and voids included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import AEReported, Criterion, Outcome
from hepatrail_events.assessments import ParticipantDied, ParticipantWithdrew
from hepatrail_events.enrolment import ConsentRecorded, SubjectEnrolled
from hepatrail_events.envelope import GENESIS
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.types import PartialDate, SealedText, format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.partial_dates import order_key


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected field: old and new text, why, and the event that did it."""

    field: str
    old: str | None
    new: str | None
    reason: SealedText
    recorded_at: datetime
    event_id: UUID

    def json(self) -> dict[str, Any]:
        """As a row shows it."""
        return {
            "field": self.field,
            "oldValue": self.old,
            "newValue": self.new,
            "reason": self.reason.payload(),
            "recordedAt": format_instant(self.recorded_at),
            "eventId": str(self.event_id),
        }


@dataclass(frozen=True, slots=True)
class Voided:
    """Why a record is void."""

    reason_code: VoidReason
    reason_text: SealedText
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Pause:
    """An interruption of flow; `resumed_at` is None while it lasts."""

    at: datetime
    resumed_at: datetime | None
    reason: SealedText


@dataclass(frozen=True, slots=True)
class SessionFact:
    """A session: `started` holds its fields in their latest version."""

    started: SessionStarted
    ended_at: datetime | None
    end_reason: str | None
    pauses: tuple[Pause, ...]
    corrections: tuple[Correction, ...]
    voided: Voided | None
    event_ids: tuple[UUID, ...]

    @property
    def open(self) -> bool:
        """Whether it runs."""
        return self.voided is None and self.ended_at is None


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
class GradePoint:
    """One point of the grade timeline; `grade_at` may be partial or absent."""

    grade: int
    grade_at: PartialDate | None
    event_id: UUID


@dataclass(frozen=True, slots=True)
class AdverseEventFact:
    """An adverse event: what was reported, and what became of it since."""

    reported: AEReported
    version: int
    reported_at: datetime
    reporter_id: str
    grades: tuple[GradePoint, ...]
    of_investigator: tuple[Criterion, ...]
    of_sponsor: tuple[Criterion, ...]
    serious_since: PartialDate | None
    serious_aware_at: datetime | None
    ever_serious: bool
    outcome: Outcome
    end_at: PartialDate | None
    event_ids: tuple[UUID, ...]

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The effective criteria: those of the investigator and those of the sponsor, in the list's order."""
        stated = {*self.of_investigator, *self.of_sponsor}
        return tuple(criterion for criterion in Criterion if criterion in stated)

    @property
    def serious(self) -> bool:
        """Whether any criterion is in force (INV-01)."""
        return bool(self.of_investigator or self.of_sponsor)

    def current_grade(self, zone: ZoneInfo) -> int | None:
        """The grade of the greatest `gradeAt` in site time, of equal ones the last recorded (`safety.md` 4.1)."""
        ranked = [(order_key(point.grade_at, zone), number, point.grade) for number, point in enumerate(self.grades)]
        return max(ranked)[2] if ranked else None

    @property
    def max_grade(self) -> int | None:
        """The greatest grade of the timeline."""
        return max((point.grade for point in self.grades), default=None)


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A participant as the fold of the stream; pure, without any clock. `version` 0 has no event."""

    subject_id: str
    site_id: str | None = None
    version: int = 0
    last_hash: str = GENESIS
    last_event_id: UUID | None = None
    recorded_at: datetime | None = None
    consent: ConsentRecorded | None = None
    consent_withdrawn_at: datetime | None = None
    screen_failure: SealedText | None = None
    screen_failed_at: datetime | None = None
    enrolment: SubjectEnrolled | None = None
    enrolled_at: datetime | None = None
    sessions: Mapping[UUID, SessionFact] = field(default_factory=dict)
    results: Mapping[UUID, ResultFact] = field(default_factory=dict)
    adverse_events: Mapping[UUID, AdverseEventFact] = field(default_factory=dict)
    death: ParticipantDied | None = None
    withdrawals: tuple[ParticipantWithdrew, ...] = ()
    enrolment_event_ids: tuple[UUID, ...] = ()
    stop_event_ids: tuple[tuple[str, UUID], ...] = ()
    """Events that end something: (`DEATH` | `WITHDRAWAL` | `CONSENT` | `SCREENING`, event id)."""

    @property
    def withdrawal(self) -> ParticipantWithdrew | None:
        """The withdrawal in force: the last, because a later one may only widen it (VIS-04)."""
        return self.withdrawals[-1] if self.withdrawals else None
