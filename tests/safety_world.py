"""Participants as the safety processor sees them: given what is recorded, when a commit comes, then these alerts."""

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
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.safety.holds import sessions_under_hold
from hepatrail_services.safety.react import react
from projection_log import LogRecord, LogWriter, enrol, publish


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
        after = self.view()
        alerts = react(before, after, commit, self.study())
        assert alerts == react(before, after, commit, self.study()), "reacting twice gave two answers"
        return Alerts(alerts, commit)

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
