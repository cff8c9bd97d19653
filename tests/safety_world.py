"""Participants as the safety processor sees them: given what is recorded, when a commit comes, then these alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.sessions import SessionStarted
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import fold, fold_all
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RaiseAlert
from hepatrail_services.safety.holds import sessions_under_hold
from hepatrail_services.safety.identity import raise_command
from hepatrail_services.safety.react import react, reevaluate
from log_commits import enrol, publish
from projection_log import LogRecord, LogWriter


@dataclass
class Ward:
    """One enrolled participant, and the log that holds the story."""

    subject_id: str = "S-001"
    log: LogWriter = field(default_factory=LogWriter)

    def __post_init__(self) -> None:
        publish(self.log)
        self.stream = enrol(self.log, self.subject_id)

    def given(self, *events: Event, role: str = "INVESTIGATOR") -> "Ward":
        """What is recorded already, one commit."""
        self.log.commit(self.stream, *events, role=role)
        return self

    def when(self, *events: Event, actor: str = "dr-li", role: str = "INVESTIGATOR") -> "Alerts":
        """A commit comes in."""
        before = self.view()
        commit = recorded(self.log.commit(self.stream, *events, actor=actor, role=role))
        after = before
        for each in commit:
            after = fold(after, each)
        assert after == self.view(), "a commit on its view gave another view than the whole story"
        study = self.study()
        published = study.published_at(commit[-1].envelope.recordedat)
        assert published is not None, "a ward has a protocol"
        commands = react(before, after, commit, study, published)
        assert commands == react(before, after, commit, study, published), "reacting twice gave two answers"
        return Alerts(raised_alerts(commands), commit)

    def takes_effect(self, version: str) -> tuple[AlertContent, ...]:
        """A published version takes effect after the one before it; what is raised by that."""
        known = self.study().protocols
        (number,) = (number for number, each in enumerate(known) if each.version == version)
        return raised_alerts(reevaluate(self.view(), self.study(), known[number - 1], known[number]))

    def view(self) -> SubjectView:
        """The participant as folded."""
        return fold_all(self.subject_id, self._of(self.stream))

    def study(self) -> StudyView:
        """The study as folded."""
        view = EMPTY_STUDY
        for each in self._of(STUDY):
            view = fold_study(view, each)
        return view

    def found_by_holds(self) -> tuple[AlertContent, ...]:
        """The sessions that the holds find when they are read after them."""
        starts = [each for each in self._of(self.stream) if isinstance(each.event, SessionStarted)]
        return sessions_under_hold(self.view(), starts, self.study().holds.values())

    def _of(self, stream: str) -> list[Recorded]:
        return recorded([each for each in self.log.records if each.key == stream.encode() and _is_event(each)])


@dataclass
class Alerts:
    """What a commit raised."""

    alerts: tuple[AlertContent, ...]
    commit: list[Recorded]

    def then_none(self) -> None:
        """Nobody is told."""
        assert self.alerts == ()

    def then_one(self, kind: str, priority: str, *reasons: str) -> AlertContent:
        """One alert of this type and priority; `reasons` are those besides the type."""
        assert [(each.type, each.priority) for each in self.alerts] == [(kind, priority)]
        assert self.alerts[0].reasons == (kind, *reasons)
        assert self.alerts[0].commit_id == self.commit[-1].envelope.commitid
        return self.alerts[0]


def raised_alerts(commands: Sequence[Command]) -> tuple[AlertContent, ...]:
    """What the commands raise, each under the id that follows from its alert."""
    alerts = []
    for command in commands:
        assert isinstance(command, RaiseAlert)
        assert command.command_id == raise_command(command.alert.alert_id)
        alerts.append(command.alert)
    return tuple(alerts)


def recorded(records: list[LogRecord]) -> list[Recorded]:
    """Records as their events."""
    return [read(each.value or b"") for each in records]


def serious(ae: AEReported, *criteria: str, **changes: Any) -> AEReported:
    """The same event with seriousness criteria."""
    return AEReported.model_validate({**ae.payload(), "criteria": list(criteria), **changes})


def another(ae: AEReported, number: int, **changes: Any) -> AEReported:
    """The same report of another event."""
    return AEReported.model_validate({**ae.payload(), "aeId": str(UUID(int=number)), **changes})


def stream_of(subject_id: str) -> str:
    """The participant's stream."""
    return subject_stream(subject_id)


def _is_event(record: LogRecord) -> bool:
    return record.topic.endswith("events")
