"""A desk and its participants in time: a log in memory, what was recorded when, and ticks at any instants."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hepatrail_events.codec import Recorded, read
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertAcknowledged, AlertContent, AlertEscalated, AlertRaised
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import fold_all
from hepatrail_services.deciders.safety_desk import EscalateAlert
from log_commits import publish
from projection_log import LogWriter

_TICK = timedelta(minutes=0.1)
"""By how much a commit of the log moves its time on."""


@dataclass
class Past:
    """What was recorded, each commit at its instant."""

    log: LogWriter = field(default_factory=lambda: LogWriter(91))

    def __post_init__(self) -> None:
        publish(self.log)

    def record(
        self, stream: str, at: datetime, *events: Event, actor: str = "dr-li", role: str = "INVESTIGATOR"
    ) -> None:
        """One commit, recorded at that instant."""
        self.log.now = at - _TICK
        self.log.commit(stream, *events, actor=actor, role=role)

    def raised(self, content: AlertContent) -> None:
        """The desk raises an alert at its instant."""
        number = self.desk().alert_seq + 1
        self.record(SAFETY_DESK, content.raised_at, AlertRaised(**dict(content), alert_seq=number), role="SYSTEM")

    def acknowledged(self, alert_id: UUID, at: datetime, by: str = "officer") -> None:
        """Somebody has seen it."""
        self.record(SAFETY_DESK, at, AlertAcknowledged(alert_id=alert_id, by=by, at=at), actor=by)

    def escalated(self, command: EscalateAlert, at: datetime) -> None:
        """The desk accepts a level."""
        level = AlertEscalated(alert_id=command.alert_id, level=command.level, late=command.late)
        self.record(SAFETY_DESK, at, level, role="SYSTEM")

    def desk(self) -> DeskView:
        """The desk as folded."""
        view = EMPTY_DESK
        for each in self.events(SAFETY_DESK):
            view = fold_desk(view, each)
        return view

    def study(self) -> StudyView:
        """The study as folded."""
        view = EMPTY_STUDY
        for each in self.events(STUDY):
            view = fold_study(view, each)
        return view

    def view(self, subject_id: str = "S-001") -> SubjectView:
        """A participant as folded."""
        return fold_all(subject_id, self.events(subject_stream(subject_id)))

    def events(self, stream: str) -> list[Recorded]:
        """The events of a stream."""
        key = stream.encode()
        return [
            read(each.value or b"") for each in self.log.records if each.key == key and each.topic.endswith("events")
        ]
