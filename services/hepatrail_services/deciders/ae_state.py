"""The adverse events of a participant as their decisions need them: states, and how each event changes one.

States (`safety.md` 4.1): OPEN, RESOLVED (ended, and may be reopened), FATAL (changed by a correction of the death
record only), VOIDED. Seriousness is another matter: an assessor's set of criteria that is not empty.

Decided here, because the reference leaves room: an event that is reopened goes on, so its outcome is NOT_RECOVERED
until a follow-up says otherwise. A death of which only the day is known lies after every grade of that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_events.adverse_events import (
    AECausalityAssessed,
    AECoded,
    AECorrected,
    AEDowngradedToNonSerious,
    AEExpectednessAssessed,
    AEFollowedUp,
    AEGradeChanged,
    AEGradeCorrected,
    AEReopened,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    AEVoided,
    AeVoidReason,
    AEVoidRequested,
    Assessor,
    Criterion,
    Outcome,
)
from hepatrail_events.corrected_values import worked_in
from hepatrail_events.roles import Role
from hepatrail_events.types import Instant, PartialDate, SealedText
from hepatrail_services.deciders.times import order_key

AdverseEventEvent: TypeAlias = (
    AEReported
    | AEFollowedUp
    | AEGradeChanged
    | AEGradeCorrected
    | AECausalityAssessed
    | AEExpectednessAssessed
    | AEUpgradedToSerious
    | AESeriousnessCriteriaChanged
    | AEDowngradedToNonSerious
    | AEResolved
    | AEReopened
    | AECorrected
    | AECoded
    | AEVoidRequested
    | AEVoided
)

FATAL_GRADE = 5
ENDED = frozenset({Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE, Outcome.FATAL})
"""Outcomes that require an end date (INV-07)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who established an event, and its id in the log."""

    event_id: UUID
    assessor: Assessor
    actor_id: str


def assessor_of(role: str) -> Assessor:
    """The assessor that a role stands for: the sponsor judges for itself, everybody else for the site."""
    return Assessor.SPONSOR if role == Role.SPONSOR else Assessor.INVESTIGATOR


@dataclass(frozen=True, slots=True)
class GradePoint:
    """One point of the grade timeline; `event_id` is the event that recorded it and names it in a correction."""

    event_id: UUID
    grade: int
    grade_at: PartialDate


@dataclass(frozen=True, slots=True)
class Seriousness:
    """The criteria that an assessor finds, since when, and the first awareness of any of them beyond the report."""

    criteria: frozenset[Criterion] = frozenset()
    since: PartialDate | None = None
    aware_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class VoidRequest:
    """A request that waits for a second person (INV-21)."""

    requester: str
    reason_code: AeVoidReason
    reason_text: SealedText
    duplicate_of: UUID | None


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """One adverse event; `report` has corrections, follow-ups and the end worked in, `grades` is in log order."""

    version: int
    report: AEReported
    grades: tuple[GradePoint, ...]
    investigator: Seriousness
    sponsor: Seriousness = field(default_factory=Seriousness)
    ever_serious: bool = False
    void_request: VoidRequest | None = None
    voided: bool = False

    @property
    def onset(self) -> PartialDate:
        """When it began."""
        return self.report.onset

    @property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        return self.report.outcome

    @property
    def end_at(self) -> PartialDate | None:
        """When it ended."""
        return self.report.end_at

    @property
    def fatal(self) -> bool:
        """Whether it led to death (INV-02)."""
        return self.outcome is Outcome.FATAL

    @property
    def ended(self) -> bool:
        """Whether it is RESOLVED or FATAL."""
        return self.outcome in ENDED

    @property
    def criteria(self) -> frozenset[Criterion]:
        """The effective criteria: those of the investigator and those of the sponsor."""
        return self.investigator.criteria | self.sponsor.criteria

    @property
    def serious(self) -> bool:
        """INV-01: serious is what has a criterion in force."""
        return bool(self.criteria)

    @property
    def max_grade(self) -> int | None:
        """The greatest grade of the timeline."""
        return max((point.grade for point in self.grades), default=None)

    def judged_by(self, assessor: Assessor) -> Seriousness:
        """What this assessor finds."""
        return self.sponsor if assessor is Assessor.SPONSOR else self.investigator

    def grade_in_force(self, zone: ZoneInfo) -> int | None:
        """The grade of the greatest gradeAt, of equal ones the last recorded (`safety.md` 4.1)."""
        ranked = [
            (order_key(point.grade_at, zone, latest=point.grade == FATAL_GRADE), number, point.grade)
            for number, point in enumerate(self.grades)
        ]
        return max(ranked)[2] if ranked else None


@dataclass(frozen=True, slots=True)
class AdverseEventsState:
    """All adverse events of a participant."""

    events: Mapping[UUID, AdverseEvent] = field(default_factory=dict)

    def standing(self) -> Mapping[UUID, AdverseEvent]:
        """Those that are not void."""
        return {ae_id: event for ae_id, event in self.events.items() if not event.voided}

    def fatal(self) -> frozenset[UUID]:
        """The fatal ones (VIS-03, INV-08)."""
        return frozenset(ae_id for ae_id, event in self.standing().items() if event.fatal)


def applied(state: AdverseEventsState, event: AdverseEventEvent, origin: Origin) -> AdverseEventsState:
    """The state after an event; never fails on what a decision has yielded."""
    if isinstance(event, AEReported):
        after = _first(event, origin)
    else:
        after = replace(_changed(state.events[event.ae_id], event, origin), version=event.ae_version)
    return AdverseEventsState({**state.events, event.ae_id: after})


def _first(event: AEReported, origin: Origin) -> AdverseEvent:
    grades: tuple[GradePoint, ...] = ()
    if event.grade is not None and event.grade_at is not None:
        grades = (GradePoint(origin.event_id, event.grade, event.grade_at),)
    return AdverseEvent(
        version=event.ae_version,
        report=event,
        grades=grades,
        investigator=Seriousness(frozenset(event.criteria)),
        ever_serious=bool(event.criteria),
    )


def _changed(before: AdverseEvent, event: AdverseEventEvent, origin: Origin) -> AdverseEvent:
    match event:
        case AEFollowedUp():
            return _reporting(before, _news(event))
        case AEGradeChanged():
            return replace(before, grades=(*before.grades, GradePoint(origin.event_id, event.to_grade, event.grade_at)))
        case AEGradeCorrected():
            return replace(before, grades=_corrected_grades(before.grades, event))
        case AEUpgradedToSerious():
            found = Seriousness(frozenset(event.criteria), event.serious_since, event.aware_at)
            return replace(_judging(before, origin.assessor, found), ever_serious=True)
        case AESeriousnessCriteriaChanged():
            held = before.judged_by(event.assessor)
            criteria = (held.criteria | set(event.added)) - set(event.removed)
            first = event.aware_at if held.aware_at is None else min(held.aware_at, event.aware_at)
            return _judging(before, event.assessor, replace(held, criteria=criteria, aware_at=first))
        case AEDowngradedToNonSerious():
            return _judging(before, event.assessor, Seriousness())
        case AEResolved():
            return _reporting(before, {"outcome": event.outcome, "end_at": event.end_at})
        case AEReopened():
            return _reporting(before, {"outcome": Outcome.NOT_RECOVERED, "end_at": None})
        case AECorrected():
            return replace(before, report=worked_in(before.report, event.field, event.new_value, event.new_text))
        case AEVoidRequested():
            request = VoidRequest(origin.actor_id, event.reason_code, event.reason_text, event.duplicate_of)
            return replace(before, void_request=request)
        case AEVoided():
            return replace(before, voided=True, void_request=None)
        case AEReported() | AECausalityAssessed() | AEExpectednessAssessed() | AECoded():
            return before
        case _:
            assert_never(event)


def _news(event: AEFollowedUp) -> dict[str, object]:
    stated = {
        "outcome": event.outcome,
        "action_taken": event.action_taken,
        "frequency_worsened_at": event.frequency_worsened_at,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _reporting(before: AdverseEvent, changes: Mapping[str, object]) -> AdverseEvent:
    return replace(before, report=before.report.model_copy(update=changes))


def _judging(before: AdverseEvent, assessor: Assessor, found: Seriousness) -> AdverseEvent:
    return replace(before, sponsor=found) if assessor is Assessor.SPONSOR else replace(before, investigator=found)


def _corrected_grades(grades: tuple[GradePoint, ...], event: AEGradeCorrected) -> tuple[GradePoint, ...]:
    kept = []
    for point in grades:
        if point.event_id != event.grade_event_id:
            kept.append(point)
        elif event.grade is not None:
            kept.append(replace(point, grade=event.grade, grade_at=event.grade_at or point.grade_at))
    return tuple(kept)
