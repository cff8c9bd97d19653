"""A trial in memory with its stopping rules: participants, desk and study, told of each other as in production.

The safety processor's part is `stopping_commands` and `hold_commands`; every command is decided by the deciders.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from builders.adverse_events import ae_reported
from builders.commands import command
from builders.ids import SESSION
from builders.participant import consent, enrolled, session_ended, session_started
from builders.study import site_activated as active
from builders.times import NOW, minute
from hepatrail_events.codec import Recorded
from hepatrail_events.commands import Actor
from hepatrail_events.errors import CommandRejected
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, StoppingFactsRecorded, StoppingRuleTriggered
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import HoldPlaced, ProtocolPublished
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import EMPTY_STUDY, PublishedProtocol, StudyView, fold_study
from hepatrail_projections.subject_view import empty_view
from hepatrail_projections.subject_view import fold as fold_event
from hepatrail_services.command import Command
from hepatrail_services.deciders.catalogue import decide
from hepatrail_services.deciders.context import Context
from hepatrail_services.deciders.study_state import StudyState
from hepatrail_services.safety.identity import PROCESSOR
from hepatrail_services.safety.stopping import hold_commands, stopping_commands
from specification import By, fold, recorded

TREATED: tuple[Event, ...] = (consent(), enrolled(), session_started(), session_ended())
"""A participant whose only session ran from six hours to one hour before NOW."""


def reaction(number: int = 1, **changes: object) -> Event:
    """An adverse event in the session, of grade 4 and not yet assessed; `number` tells them apart."""
    given = {"aeId": str(UUID(int=number)), "code": "BLEEDING_SYSTEMIC", "grade": 4, "onset": minute(hours=3)}
    return ae_reported(**{**given, "gradeAt": minute(hours=3), "awareAt": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", **changes})


class StoppingWorld:
    """The trial under a protocol; time moves on by a minute with every commit."""

    def __init__(self, published: ProtocolPublished) -> None:
        self.now = NOW
        self.told: list[Command] = []
        self._histories: dict[str, list[By]] = {STUDY: [], SAFETY_DESK: []}
        self._views: dict[str, SubjectView] = {}
        for event in (published, active()):
            self.record(STUDY, event)

    def record(self, stream: str, *events: Event) -> UUID:
        """Appends one commit; its id."""
        self.now += timedelta(minutes=1)
        history = self._histories.setdefault(stream, [])
        history += [By(event, recorded_at=self.now, studyseq=len(self._histories[STUDY])) for event in events]
        return self.log(stream)[-1].envelope.commitid

    def log(self, stream: str) -> list[Recorded]:
        """A stream's events."""
        return [recorded(stream, number, by) for number, by in enumerate(self._histories.get(stream, ()), start=1)]

    def commit(self, subject_id: str, *events: Event) -> list[Event]:
        """A commit of a participant; the desk's events that follow."""
        before, place = self.view(subject_id), len(self._histories[SAFETY_DESK])
        commit_id = self.record(subject_stream(subject_id), *events)
        self._tell(before, self.view(subject_id), commit_id, self.published)
        return [each.event for each in self._histories[SAFETY_DESK][place:]]

    def publish(self, published: ProtocolPublished) -> list[Event]:
        """A version takes effect at once: every participant is told of again; the desk's events that follow."""
        place = len(self._histories[SAFETY_DESK])
        commit_id = self.record(STUDY, published)
        for subject_id in self.subjects:
            view = self.view(subject_id)
            self._tell(view, view, commit_id, self.published, again=True)
        return [each.event for each in self._histories[SAFETY_DESK][place:]]

    def send(self, asked: Command) -> tuple[Event, ...]:
        """Decides a command and records what follows, holds included."""
        self.told.append(asked)
        events = self.decide(asked, Role.SYSTEM)
        if events:
            self.record(asked.stream(), *events)
        for each in self.log(SAFETY_DESK)[-len(events) :] if events and asked.stream() == SAFETY_DESK else ():
            if isinstance(each.event, StoppingRuleTriggered):
                for hold in hold_commands(each.event, each.envelope, self.study):
                    self.send(hold)
        return events

    def decide(self, asked: Command, role: Role) -> tuple[Event, ...]:
        """What the decider of the command's stream says to it now; CommandRejected as it does."""
        study = fold(STUDY, self._histories[STUDY])
        assert isinstance(study, StudyState)
        state = fold(asked.stream(), self._histories.get(asked.stream(), ()))
        actor = Actor(id=PROCESSOR, role=role, org="BFH", sites=("*",))
        return decide(state, study, asked, Context(self.now, actor, asked.command_id, self.now))

    def tell_all_again(self) -> None:
        """As a processor does that starts from nothing: every command anew, under ids that were never used."""
        for asked in list(self.told):
            self.send(asked.model_copy(update={"command_id": uuid4()}))

    def refused(self, name: str, subject_id: str) -> str | None:
        """Why a command of a participant is rejected now; None where it is accepted."""
        try:
            self.decide(command(name, subjectId=subject_id), Role.INVESTIGATOR)
        except CommandRejected as rejection:
            return str(rejection)
        return None

    def release(self) -> None:
        """Every hold in force is released, by the decision of the DSMB."""
        for hold_id in [hold.hold_id for hold in self.study.holds_in_force]:
            asked = command("releaseHold", holdId=str(hold_id), dsmbReference="DSMB-1")
            self.record(STUDY, *self.decide(asked, Role.PRINCIPAL_INVESTIGATOR))

    def view(self, subject_id: str) -> SubjectView:
        """A participant as folded: new events on the view before, as the processor does."""
        view = self._views.get(subject_id) or empty_view(subject_id)
        for each in self.log(subject_stream(subject_id))[view.version :]:
            view = fold_event(view, each)
        self._views[subject_id] = view
        return view

    @property
    def subjects(self) -> list[str]:
        """All participants, in the order of their first commits."""
        return [stream.removeprefix("subject-") for stream in self._histories if stream not in (STUDY, SAFETY_DESK)]

    @property
    def study(self) -> StudyView:
        """The study as folded."""
        view = EMPTY_STUDY
        for each in self.log(STUDY):
            view = fold_study(view, each)
        return view

    @property
    def desk(self) -> DeskView:
        """The desk as folded."""
        view = EMPTY_DESK
        for each in self.log(SAFETY_DESK):
            view = fold_desk(view, each)
        return view

    @property
    def published(self) -> PublishedProtocol:
        """The version in force."""
        found = self.study.published_at(self.now)
        assert found is not None, "the trial has a protocol"
        return found

    @property
    def hits(self) -> list[str]:
        """The rules that were hit, in order, with their scopes."""
        return [f"{hit.event.rule_id}|{hit.event.scope_id}" for hit in self.desk.hits.values()]

    @property
    def alerts(self) -> list[AlertRaised]:
        """The alerts on the desk."""
        return [alert.raised for alert in self.desk.alerts.values()]

    @property
    def facts(self) -> list[StoppingFactsRecorded]:
        """What participants were recorded to contribute."""
        events = [each.event for each in self.log(SAFETY_DESK)]
        return [event for event in events if isinstance(event, StoppingFactsRecorded)]

    @property
    def holds(self) -> list[HoldPlaced]:
        """The holds that were placed."""
        events = [each.event for each in self.log(STUDY)]
        return [event for event in events if isinstance(event, HoldPlaced)]

    def _tell(
        self, before: SubjectView, after: SubjectView, commit_id: UUID, under: PublishedProtocol, *, again: bool = False
    ) -> None:
        for asked in stopping_commands(before, after, commit_id, under, self.study, again=again):
            self.send(asked)


def session_of(number: int, started_at: datetime, ended_at: datetime | None = None) -> tuple[Event, ...]:
    """A further session."""
    session_id = UUID(int=SESSION.int + number)
    started = session_started(sessionId=str(session_id), startedAt=f"{started_at:%Y-%m-%dT%H:%M:%SZ}")
    if ended_at is None:
        return (started,)
    ended = session_ended().model_copy(update={"session_id": session_id, "ended_at": ended_at})
    return started, ended
