"""Every command, and the one `decide`, `evolve` and first state for every kind of stream. Written, not discovered."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias, cast

from hepatrail_events.codec import Recorded
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_services.command import Command, DeskCommand, StudyCommand
from hepatrail_services.deciders import desk_state, safety_desk, study, subject
from hepatrail_services.deciders.ae_correction import CorrectAdverseEvent, CorrectAdverseEventGrade
from hepatrail_services.deciders.ae_course import (
    ChangeAdverseEventGrade,
    FollowUpAdverseEvent,
    ReopenAdverseEvent,
    ResolveAdverseEvent,
)
from hepatrail_services.deciders.ae_judgement import AssessCausality, AssessExpectedness, CodeAdverseEvent
from hepatrail_services.deciders.ae_report import ReportAdverseEvent
from hepatrail_services.deciders.ae_seriousness import (
    ChangeSeriousnessCriteria,
    DowngradeAdverseEvent,
    UpgradeAdverseEvent,
)
from hepatrail_services.deciders.ae_void import CoSignAeVoid, RequestAeVoid, VoidAdverseEvent
from hepatrail_services.deciders.assessments import (
    CorrectAssessment,
    RecordAeAssessment,
    RecordContactRegained,
    RecordLossToFollowUp,
    RecordTransplant,
    VoidAssessment,
    WithdrawSubject,
)
from hepatrail_services.deciders.baseline_conditions import (
    CorrectBaselineCondition,
    RecordBaselineCondition,
    VoidBaselineCondition,
)
from hepatrail_services.deciders.concomitant import (
    CorrectMedication,
    CorrectProcedure,
    RecordMedication,
    RecordProcedure,
    VoidMedication,
    VoidProcedure,
)
from hepatrail_services.deciders.context import Context, Situation
from hepatrail_services.deciders.data_queries import AnswerQuery, CloseQuery
from hepatrail_services.deciders.death import RecordDeath
from hepatrail_services.deciders.death_correction import CorrectDeathRecord
from hepatrail_services.deciders.desk_state import DeskEvent, DeskState
from hepatrail_services.deciders.device_deficiencies import (
    CorrectDeviceDeficiency,
    ReportDeviceDeficiency,
    VoidDeviceDeficiency,
)
from hepatrail_services.deciders.enrolment import EnrolSubject, RecordConsent, RecordScreenFailure, WithdrawConsent
from hepatrail_services.deciders.measurements import (
    ConfirmImplausible,
    CorrectLabResult,
    CorrectObservation,
    RecordLabResults,
    RecordObservations,
    ReviewLabFinding,
    VoidLabResult,
    VoidObservation,
)
from hepatrail_services.deciders.safety_desk import (
    AcknowledgeSaeAlert,
    DeskCommandType,
    EscalateAlert,
    RaiseAlert,
    RecordNotification,
    RecordStoppingFacts,
    TriggerStoppingRule,
)
from hepatrail_services.deciders.sessions import (
    CorrectSession,
    EndSession,
    PauseSession,
    ResumeSession,
    StartSession,
    VoidSession,
)
from hepatrail_services.deciders.study import (
    ActivateSite,
    DeactivateSite,
    PlaceHold,
    PublishProtocol,
    PublishSealingKey,
    ReleaseHold,
    ReviewAuditTrail,
    StudyCommandType,
    StudyEvent,
    WithdrawAccess,
)
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.deciders.subject import SubjectCommandType, SubjectState
from hepatrail_services.deciders.submissions import (
    CorrectSubmission,
    RecordSponsorNotification,
    RecordSubmission,
    VoidSubmission,
    WriteNarrative,
)
from hepatrail_services.deciders.survival import RecordSurvivalStatus

State: TypeAlias = SubjectState | StudyState | DeskState


def _by_name(*kinds: type[Command]) -> Mapping[str, type[Command]]:
    return MappingProxyType({kind.name(): kind for kind in kinds})


COMMANDS = _by_name(
    PublishProtocol,
    ActivateSite,
    DeactivateSite,
    PlaceHold,
    ReleaseHold,
    WithdrawAccess,
    PublishSealingKey,
    ReviewAuditTrail,
    RecordConsent,
    RecordScreenFailure,
    EnrolSubject,
    WithdrawConsent,
    StartSession,
    PauseSession,
    ResumeSession,
    EndSession,
    CorrectSession,
    VoidSession,
    RecordLabResults,
    CorrectLabResult,
    VoidLabResult,
    ConfirmImplausible,
    ReviewLabFinding,
    RecordObservations,
    CorrectObservation,
    VoidObservation,
    RecordAeAssessment,
    RecordSurvivalStatus,
    RecordTransplant,
    RecordDeath,
    CorrectDeathRecord,
    WithdrawSubject,
    RecordLossToFollowUp,
    RecordContactRegained,
    CorrectAssessment,
    VoidAssessment,
    RecordMedication,
    CorrectMedication,
    VoidMedication,
    RecordProcedure,
    CorrectProcedure,
    VoidProcedure,
    ReportAdverseEvent,
    FollowUpAdverseEvent,
    ChangeAdverseEventGrade,
    CorrectAdverseEventGrade,
    UpgradeAdverseEvent,
    ChangeSeriousnessCriteria,
    DowngradeAdverseEvent,
    AssessCausality,
    AssessExpectedness,
    ResolveAdverseEvent,
    ReopenAdverseEvent,
    CorrectAdverseEvent,
    CodeAdverseEvent,
    VoidAdverseEvent,
    RequestAeVoid,
    CoSignAeVoid,
    RecordBaselineCondition,
    CorrectBaselineCondition,
    VoidBaselineCondition,
    RecordSponsorNotification,
    RecordSubmission,
    CorrectSubmission,
    VoidSubmission,
    WriteNarrative,
    ReportDeviceDeficiency,
    CorrectDeviceDeficiency,
    VoidDeviceDeficiency,
    AnswerQuery,
    CloseQuery,
    AcknowledgeSaeAlert,
)
"""The public commands by name; each is a mutation."""

INTERNAL_COMMANDS = _by_name(RaiseAlert, EscalateAlert, RecordNotification, RecordStoppingFacts, TriggerStoppingRule)
"""Commands of the system to itself; no mutation."""


def initial_state(stream: str) -> State:
    """The state of a stream before its first event."""
    if stream == STUDY:
        return StudyState()
    return DeskState() if stream == SAFETY_DESK else SubjectState()


def decide(state: State, study_state: StudyState, command: Command, context: Context) -> tuple[Event, ...]:
    """The events of a command, decided on the state of its stream; raises CommandRejected and nothing else.

    The commit is empty where the command changes nothing. For a command to the study both states are the same.
    """
    authorise(type(command), context.actor)
    if isinstance(command, StudyCommand):
        return study.decide(cast(StudyState, state), cast(StudyCommandType, command), context)
    in_force = study_state.protocol_at(context.now)
    if in_force is None:
        raise CommandRejected("No protocol is in force yet.", code="NOT_READY")
    if isinstance(command, DeskCommand):
        desk, asked = cast(DeskState, state), cast(DeskCommandType, command)
        return safety_desk.decide(desk, asked, context, in_force.protocol, study_state)
    situation = Situation(context, study_state, in_force.protocol)
    return subject.decide(cast(SubjectState, state), cast(SubjectCommandType, command), situation)


def authorise(kind: type[Command], actor: Actor) -> None:
    """CommandRejected (FORBIDDEN) when the role may not send this command (`events.md` section 2)."""
    if actor.role not in kind.ROLES:
        raise CommandRejected(f"The role {actor.role} may not {_words(kind)}.", code="FORBIDDEN")


def _words(kind: type[Command]) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()


def evolve(state: State, recorded: Recorded) -> State:
    """The state after an event of its stream; never fails on what `decide` has yielded."""
    version = recorded.envelope.streamseq
    if isinstance(state, SubjectState):
        return subject.evolve(state, recorded)
    if isinstance(state, DeskState):
        if isinstance(recorded.event, DeskEvent):
            state = desk_state.evolve(state, recorded.event, recorded)
        return replace(state, version=version)
    if isinstance(recorded.event, StudyEvent):
        state = study.evolve(state, recorded.event, recorded)
    return replace(state, version=version)
