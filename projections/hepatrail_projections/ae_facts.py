"""What the fold keeps of an adverse event: everything its events carry (`safety.md` section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import (
    ActionTaken,
    AECoded,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEReopened,
    AEReported,
    AEVoided,
    AEVoidRequested,
    Assessor,
    Causality,
    CausalityTarget,
    Criterion,
    DowngradeReason,
    Expectedness,
    Outcome,
)
from hepatrail_events.event import Event
from hepatrail_events.types import PartialDate, SealedText
from hepatrail_projections.corrections import Correction
from hepatrail_projections.partial_dates import known_parts, order_key

FATAL_GRADE = 5
_LATEST = 9999

E = TypeVar("E", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[E]):
    """An event as it was said: what, when it was recorded and by whom."""

    event: E
    recorded_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class GradePoint:
    """One point of the grade timeline in its latest version; `event_id` recorded it and names it in a correction.

    `grade_at` may be partial; absent, the grade holds since onset.
    """

    grade: int
    grade_at: PartialDate | None
    event_id: UUID


@dataclass(frozen=True, slots=True)
class GradeCorrection:
    """A point of the grade timeline that was replaced by `new`, or removed (None), and why."""

    old: GradePoint
    new: GradePoint | None
    reason: SealedText
    recorded_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class CriteriaChange:
    """The seriousness criteria of one assessor from one event on.

    `since` is stated where the set was empty before (of the report: onset), `aware_at` wherever criteria came or
    went without a downgrade; `received_at` and `commit_id` are the envelope's, for the clocks that start here.
    """

    assessor: Assessor
    criteria: tuple[Criterion, ...]
    since: PartialDate | None
    aware_at: datetime | None
    recorded_at: datetime
    received_at: datetime
    actor_id: str
    commit_id: UUID
    event_id: UUID
    reason_code: DowngradeReason | None = None
    reason: SealedText | None = None


@dataclass(frozen=True, slots=True)
class CausalityJudgement:
    """The causality for one target as one assessor judged it."""

    assessor: Assessor
    target: CausalityTarget
    value: Causality
    rationale: SealedText | None
    recorded_at: datetime
    actor_id: str
    event_id: UUID


@dataclass(frozen=True)
class AdverseEventFact:
    """An adverse event: what was reported, and what became of it since; all tuples are in the log's order.

    `reported` is the report in its latest version: corrections, follow-ups, end and reopening are worked in.
    `frequency_worsened` are all statements that it came more often, as they stand; `reopened_ends` the ends that
    reopenings took back.
    """

    reported: AEReported
    version: int
    reported_at: datetime
    reporter_id: str
    event_ids: tuple[UUID, ...]
    grades: tuple[GradePoint, ...] = ()
    grade_corrections: tuple[GradeCorrection, ...] = ()
    criteria_history: tuple[CriteriaChange, ...] = ()
    causality: tuple[CausalityJudgement, ...] = ()
    expectedness_history: tuple[Entry[AEExpectednessAssessed], ...] = ()
    frequency_worsened: tuple[PartialDate, ...] = ()
    follow_ups: tuple[Entry[AEFollowedUp], ...] = ()
    codings: tuple[Entry[AECoded], ...] = ()
    reopenings: tuple[Entry[AEReopened], ...] = ()
    reopened_ends: tuple[PartialDate, ...] = ()
    corrections: tuple[Correction, ...] = ()
    void_request: Entry[AEVoidRequested] | None = None
    voided: Entry[AEVoided] | None = None

    @property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        return self.reported.outcome

    @property
    def end_at(self) -> PartialDate | None:
        """When it ended."""
        return self.reported.end_at

    @property
    def action_taken(self) -> ActionTaken:
        """What was done with the bioartificial liver, as last stated."""
        return self.reported.action_taken

    @property
    def frequency_worsened_at(self) -> PartialDate | None:
        """Since when it comes more often, as last stated."""
        return self.frequency_worsened[-1] if self.frequency_worsened else None

    def criteria_of(self, assessor: Assessor) -> tuple[Criterion, ...]:
        """The criteria that one assessor finds."""
        own = (change.criteria for change in reversed(self.criteria_history) if change.assessor is assessor)
        return next(own, ())

    @property
    def of_investigator(self) -> tuple[Criterion, ...]:
        """The criteria that the site finds."""
        return self.criteria_of(Assessor.INVESTIGATOR)

    @property
    def of_sponsor(self) -> tuple[Criterion, ...]:
        """The criteria that the sponsor finds."""
        return self.criteria_of(Assessor.SPONSOR)

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The effective criteria: those of the investigator and those of the sponsor, in the list's order."""
        stated = {*self.of_investigator, *self.of_sponsor}
        return tuple(criterion for criterion in Criterion if criterion in stated)

    @property
    def serious(self) -> bool:
        """Whether any criterion is in force (INV-01)."""
        return bool(self.of_investigator or self.of_sponsor)

    @property
    def ever_serious(self) -> bool:
        """Whether any criterion ever was."""
        return any(change.criteria for change in self.criteria_history)

    @property
    def made_serious(self) -> CriteriaChange | None:
        """What made it serious the last time; None when it never was."""
        held: dict[Assessor, bool] = {}
        made = None
        for change in self.criteria_history:
            if change.criteria and not any(held.values()):
                made = change
            held[change.assessor] = bool(change.criteria)
        return made

    @property
    def serious_since(self) -> PartialDate | None:
        """Since when it is serious, or last was."""
        made = self.made_serious
        return None if made is None else made.since

    @property
    def serious_aware_at(self) -> datetime | None:
        """When the site or the sponsor first knew that it is serious, or last was."""
        made = self.made_serious
        return None if made is None else made.aware_at

    def first_serious_since(self, zone: ZoneInfo) -> PartialDate | None:
        """The earliest moment from which any assessor found it serious, whatever came of it since."""
        stated = [change.since for change in self.criteria_history if change.criteria and change.since is not None]
        return min(stated, key=lambda since: order_key(since, zone), default=None)

    @property
    def causality_in_force(self) -> Mapping[tuple[Assessor, CausalityTarget], CausalityJudgement]:
        """The latest judgement of each assessor for each target (`safety.md` 2.4)."""
        return {(each.assessor, each.target): each for each in self.causality}

    @property
    def expectedness(self) -> Expectedness:
        """As last assessed; UNEXPECTED while it is not (`safety.md` 2.5)."""
        history = self.expectedness_history
        return history[-1].event.value if history else Expectedness.UNEXPECTED

    @property
    def coding(self) -> Entry[AECoded] | None:
        """The latest coding in MedDRA."""
        return self.codings[-1] if self.codings else None

    def current_grade(self, zone: ZoneInfo) -> int | None:
        """The grade of the greatest `gradeAt` in site time, of equal ones the last recorded (`safety.md` 4.1)."""
        point = grade_in_force(self.grades, zone)
        return None if point is None else point.grade

    @property
    def max_grade(self) -> int | None:
        """The greatest grade of the timeline."""
        return max((point.grade for point in self.grades), default=None)


def grade_in_force(points: tuple[GradePoint, ...], zone: ZoneInfo) -> GradePoint | None:
    """The point of the greatest `gradeAt`, of equal ones the last recorded; None of none.

    A date of which a part is known counts from its beginning. Decided here, as the deciders do: a death of which only
    the day is known lies after every other grade of that day.
    """
    ranked = [(_rank(point, zone), number, point) for number, point in enumerate(points)]
    return max(ranked, key=lambda each: each[:2])[2] if ranked else None


def _rank(point: GradePoint, zone: ZoneInfo) -> tuple[int, ...]:
    key = order_key(point.grade_at, zone)
    if point.grade != FATAL_GRADE or point.grade_at is None:
        return key
    known = known_parts(point.grade_at)
    return key[:known] + (_LATEST,) * (len(key) - known)
