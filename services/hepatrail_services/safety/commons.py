"""The two streams that concern everybody: the study, under which commits are read, and the desk, which holds alerts."""

from collections.abc import Set
from dataclasses import replace
from uuid import UUID

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import NEVER_PARKED, SAFETY_DESK, STUDY
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.records import Incoming
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_services.decider.halted import Halted
from hepatrail_services.decider.memory import StreamState, passed_over
from hepatrail_services.safety.following import follow


class Commons:
    """Study and desk as far as they were read. They are never parked: what cannot be read halts the process."""

    def __init__(self) -> None:
        self._ends = {STUDY: StreamState(EMPTY_STUDY), SAFETY_DESK: StreamState(EMPTY_DESK)}
        self._next = dict.fromkeys(NEVER_PARKED, 0)

    @property
    def study(self) -> StudyView:
        """Protocol versions and holds."""
        found = self._ends[STUDY].state
        assert isinstance(found, StudyView)
        return found

    @property
    def desk(self) -> DeskView:
        """All alerts, and the desk's head in Kafka."""
        found = self._ends[SAFETY_DESK].state
        assert isinstance(found, DeskView)
        return found

    def holds_alert(self, alert_id: UUID) -> bool:
        """Whether the desk has raised this alert."""
        return alert_id in self.desk.alerts

    def fold(self, event: Incoming, released: Set[Place]) -> None:
        """Takes in the next event of either stream; one that was taken in before changes nothing. Raises Halted."""
        stream, place = event.stream, event.place
        assert stream in NEVER_PARKED, "the streams of participants are followed elsewhere"
        if place.offset < self._next[stream]:
            return
        try:
            self._ends[stream] = _next(self._ends[stream], event, released)
        except InvalidMessage as error:
            where = f"{place.topic}/{place.partition}@{place.offset}"
            raise Halted(f"The stream {stream} cannot be read at {where}: {error}") from error
        self._next[stream] = place.offset + 1


def _next(end: StreamState, event: Incoming, released: Set[Place]) -> StreamState:
    assert event.stream is not None
    if event.place in released:
        return passed_over(end, event.stream, event.raw)
    recorded, link = follow(end, event)
    state = fold_study(end.state, recorded) if event.stream == STUDY else fold_desk(end.state, recorded)
    return replace(end, state=state, link=link, recorded_at=recorded.envelope.recordedat, other_end=None)
