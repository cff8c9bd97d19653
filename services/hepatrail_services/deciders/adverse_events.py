"""Adverse events (`events.md` 3.7, `safety.md` section 4): every command by its decision, every event by its effect.

The invariants INV-01 to INV-14 and INV-21 are held on the state after a commit. What INV-15 to INV-20 list is
accepted, and opens a data query when read.
"""

from typing import TypeAlias, assert_never

from hepatrail_events.codec import Recorded
from hepatrail_events.event import Event
from hepatrail_services.deciders import ae_correction, ae_course, ae_judgement, ae_report, ae_seriousness, ae_void
from hepatrail_services.deciders.ae_correction import CorrectAdverseEvent, CorrectAdverseEventGrade
from hepatrail_services.deciders.ae_course import (
    ChangeAdverseEventGrade,
    FollowUpAdverseEvent,
    ReopenAdverseEvent,
    ResolveAdverseEvent,
)
from hepatrail_services.deciders.ae_judgement import AssessCausality, AssessExpectedness, CodeAdverseEvent
from hepatrail_services.deciders.ae_report import ReportAdverseEvent
from hepatrail_services.deciders.ae_rules import Commit
from hepatrail_services.deciders.ae_seriousness import (
    ChangeSeriousnessCriteria,
    DowngradeAdverseEvent,
    UpgradeAdverseEvent,
)
from hepatrail_services.deciders.ae_state import AdverseEventEvent, AdverseEventsState, Origin, applied, assessor_of
from hepatrail_services.deciders.ae_void import CoSignAeVoid, RequestAeVoid, VoidAdverseEvent
from hepatrail_services.deciders.assessments_state import AssessmentsState
from hepatrail_services.deciders.context import Situation

AdverseEventCommandType: TypeAlias = (
    ReportAdverseEvent
    | FollowUpAdverseEvent
    | ChangeAdverseEventGrade
    | ResolveAdverseEvent
    | ReopenAdverseEvent
    | UpgradeAdverseEvent
    | ChangeSeriousnessCriteria
    | DowngradeAdverseEvent
    | AssessCausality
    | AssessExpectedness
    | CodeAdverseEvent
    | CorrectAdverseEvent
    | CorrectAdverseEventGrade
    | VoidAdverseEvent
    | RequestAeVoid
    | CoSignAeVoid
)


def decide(
    state: AdverseEventsState, assessments: AssessmentsState, command: AdverseEventCommandType, situation: Situation
) -> tuple[Event, ...]:
    """Events of a command; the caller has checked ENR-01 and the site."""
    return _decided(Commit.begun(state, situation), assessments, command, situation).events


def _decided(
    commit: Commit, assessments: AssessmentsState, command: AdverseEventCommandType, situation: Situation
) -> Commit:
    death = assessments.death
    death_at = death.death_at if death else None
    match command:
        case ReportAdverseEvent():
            return ae_report.report(commit, assessments, command, situation)
        case FollowUpAdverseEvent():
            return ae_course.follow_up(commit, command, death_at, situation)
        case ChangeAdverseEventGrade():
            return ae_course.change_grade(commit, command, death_at, situation)
        case ResolveAdverseEvent():
            return ae_course.resolve(commit, command, death_at, situation)
        case ReopenAdverseEvent():
            return ae_course.reopen(commit, command, death_at, situation)
        case UpgradeAdverseEvent():
            return ae_seriousness.upgrade(commit, command, death_at, situation)
        case ChangeSeriousnessCriteria():
            return ae_seriousness.change_criteria(commit, command, death_at, situation)
        case DowngradeAdverseEvent():
            return ae_seriousness.downgrade(commit, command, death_at, situation)
        case AssessCausality():
            return ae_judgement.assess_causality(commit, command, situation)
        case AssessExpectedness():
            return ae_judgement.assess_expectedness(commit, command, situation)
        case CodeAdverseEvent():
            return ae_judgement.code(commit, command)
        case CorrectAdverseEvent():
            return ae_correction.correct(commit, command, death_at, situation)
        case CorrectAdverseEventGrade():
            return ae_correction.correct_grade(commit, command, death_at, situation)
        case VoidAdverseEvent():
            return ae_void.void(commit, command)
        case RequestAeVoid():
            return ae_void.request(commit, command, death)
        case CoSignAeVoid():
            return ae_void.co_sign(commit, command, death, situation)
        case _:
            assert_never(command)


def evolve(state: AdverseEventsState, event: AdverseEventEvent, recorded: Recorded) -> AdverseEventsState:
    """The state after an event; its envelope tells the assessor, the actor and the id of a grade's point."""
    envelope = recorded.envelope
    return applied(state, event, Origin(envelope.id, assessor_of(envelope.actorrole), envelope.actorid))
