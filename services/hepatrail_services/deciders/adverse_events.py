"""Adverse events (`events.md` 3.7, `safety.md` section 4, rules INV; the part of the first slice)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias, assert_never
from uuid import UUID

from pydantic import Field

from hepatrail_events.adverse_events import (
    AEGradeChanged,
    AEReported,
    AEResolved,
    AEUpgradedToSerious,
    Criterion,
    Outcome,
)
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import INVESTIGATORS, Role
from hepatrail_events.types import Grade, Instant, PartialDate
from hepatrail_services.command import AdverseEventCommand
from hepatrail_services.deciders.ae_report import ReportAdverseEvent, report
from hepatrail_services.deciders.ae_rules import (
    ENDED,
    AdverseEvent,
    by_sponsor,
    distinct,
    known,
    refuse_against_death,
    refuse_disorder,
    refuse_early,
    refuse_half_fatal,
    refuse_missing_grade,
    refuse_unaware,
)
from hepatrail_services.deciders.assessments import AssessmentsState
from hepatrail_services.deciders.context import Situation


class ChangeAdverseEventGrade(AdverseEventCommand):
    """The severity changed: a new point of the grade timeline."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    from_grade: Grade | None = Field(default=None, description="Grade in force that the sender saw; checked when given")
    to_grade: Grade = Field(description="CTCAE v5.0 grade")
    grade_at: PartialDate = Field(description="Since when it has this grade")


class UpgradeAdverseEvent(AdverseEventCommand):
    """An assessor who had stated no seriousness criterion finds the event serious."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS | {Role.SPONSOR}

    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=6, description="Seriousness criteria (ICH E2A)")
    serious_since: PartialDate = Field(description="Since when it is serious")
    aware_at: Instant = Field(description="When the assessor first knew that it is serious")


class ResolveAdverseEvent(AdverseEventCommand):
    """The event ended."""

    ROLES: ClassVar[frozenset[Role]] = INVESTIGATORS

    outcome: Outcome = Field(description="RECOVERED or RECOVERED_WITH_SEQUELAE; FATAL comes with the death")
    end_at: PartialDate = Field(description="When it ended")


AdverseEventCommandType: TypeAlias = (
    ReportAdverseEvent | ChangeAdverseEventGrade | UpgradeAdverseEvent | ResolveAdverseEvent
)
AdverseEventEvent: TypeAlias = AEReported | AEGradeChanged | AEUpgradedToSerious | AEResolved


@dataclass(frozen=True, slots=True)
class AdverseEventsState:
    """All adverse events of a participant."""

    events: Mapping[UUID, AdverseEvent] = field(default_factory=dict)

    def onsets(self) -> tuple[PartialDate, ...]:
        """The onset of every event (INV-09)."""
        return tuple(event.onset for event in self.events.values())

    def fatal(self) -> frozenset[UUID]:
        """The fatal ones (VIS-03, INV-08)."""
        return frozenset(ae_id for ae_id, event in self.events.items() if event.fatal)


def decide(
    state: AdverseEventsState, assessments: AssessmentsState, command: AdverseEventCommandType, situation: Situation
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    match command:
        case ReportAdverseEvent():
            return report(assessments, state.onsets(), command, situation)
        case ChangeAdverseEventGrade():
            return (_grade(state, assessments, command, situation),)
        case UpgradeAdverseEvent():
            return (_upgrade(state, assessments, command, situation),)
        case ResolveAdverseEvent():
            return (_resolution(state, assessments, command, situation),)
        case _:
            assert_never(command)


def _grade(
    state: AdverseEventsState, assessments: AssessmentsState, command: ChangeAdverseEventGrade, situation: Situation
) -> AEGradeChanged:
    event = known(state.events, command.ae_id, command.expected_ae_version)
    in_force = event.grade_in_force(situation.zone)
    if command.from_grade not in (None, in_force):
        raise CommandRejected("Another grade is in force by now: read it again.", code="CONFLICT", field="fromGrade")
    after = replace(event, grades=(*event.grades, (command.grade_at, command.to_grade)))
    refuse_missing_grade(after, "toGrade")
    refuse_half_fatal(after, _death_at(assessments), "toGrade", situation.zone)
    refuse_disorder(after, situation)
    return AEGradeChanged(
        ae_id=command.ae_id,
        ae_version=event.version + 1,
        from_grade=in_force,
        to_grade=command.to_grade,
        grade_at=command.grade_at,
    )


def _upgrade(
    state: AdverseEventsState, assessments: AssessmentsState, command: UpgradeAdverseEvent, situation: Situation
) -> AEUpgradedToSerious:
    event = known(state.events, command.ae_id, command.expected_ae_version)
    sponsor = by_sponsor(situation.context.actor.role)
    if sponsor and Criterion.DEATH in command.criteria:
        raise CommandRejected("The sponsor never sets the criterion DEATH.", rule="INV-14", field="criteria")
    if event.of_sponsor if sponsor else event.of_investigator:
        raise CommandRejected(
            "This assessor has found the event serious already; change its criteria instead.", field="criteria"
        )
    if not sponsor:
        after = replace(event, of_investigator=frozenset(command.criteria))
        refuse_half_fatal(after, _death_at(assessments), "criteria", situation.zone)
    refuse_unaware(event.onset, command.aware_at, situation)
    situation.past("seriousSince", command.serious_since)
    refuse_early(event.onset, "seriousSince", command.serious_since, situation.zone)
    return AEUpgradedToSerious(
        ae_id=command.ae_id,
        ae_version=event.version + 1,
        criteria=distinct(command.criteria),
        serious_since=command.serious_since,
        aware_at=command.aware_at,
    )


def _resolution(
    state: AdverseEventsState, assessments: AssessmentsState, command: ResolveAdverseEvent, situation: Situation
) -> AEResolved:
    event = known(state.events, command.ae_id, command.expected_ae_version)
    if event.outcome in ENDED:
        raise CommandRejected("The adverse event has ended already.", field="aeId")
    after = replace(event, outcome=command.outcome, end_at=command.end_at)
    refuse_half_fatal(after, _death_at(assessments), "outcome", situation.zone)
    refuse_disorder(after, situation)
    refuse_against_death(after, _death_at(assessments), situation)
    return AEResolved(ae_id=command.ae_id, ae_version=event.version + 1, outcome=command.outcome, end_at=command.end_at)


def _death_at(assessments: AssessmentsState) -> PartialDate | None:
    return assessments.death.death_at if assessments.death else None


def evolve(state: AdverseEventsState, event: AdverseEventEvent, role: str) -> AdverseEventsState:
    """The state after an event that a person of this role established: the sponsor's criteria are the sponsor's."""
    match event:
        case AEReported():
            return _with(state, event.ae_id, _first(event))
        case AEGradeChanged():
            before = state.events[event.ae_id]
            grades = (*before.grades, (event.grade_at, event.to_grade))
            return _with(state, event.ae_id, replace(before, version=event.ae_version, grades=grades))
        case AEUpgradedToSerious():
            before = replace(state.events[event.ae_id], version=event.ae_version)
            criteria = frozenset(event.criteria)
            after = (
                replace(before, of_sponsor=criteria)
                if role == Role.SPONSOR
                else replace(before, of_investigator=criteria)
            )
            return _with(state, event.ae_id, after)
        case AEResolved():
            before = state.events[event.ae_id]
            after = replace(before, version=event.ae_version, outcome=event.outcome, end_at=event.end_at)
            return _with(state, event.ae_id, after)
        case _:
            assert_never(event)


def _first(event: AEReported) -> AdverseEvent:
    return AdverseEvent(
        version=event.ae_version,
        code=event.code,
        ctcae_term=event.ctcae_term,
        onset=event.onset,
        grades=((event.grade_at, event.grade),) if event.grade_at and event.grade else (),
        of_investigator=frozenset(event.criteria),
        of_sponsor=frozenset(),
        outcome=event.outcome,
        end_at=event.end_at,
    )


def _with(state: AdverseEventsState, ae_id: UUID, event: AdverseEvent) -> AdverseEventsState:
    return AdverseEventsState({**state.events, ae_id: event})
