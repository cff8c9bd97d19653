"""The two streams that concern everybody: the study, under which commits are read, and the desk, which holds alerts."""

import asyncio
from collections.abc import Set
from dataclasses import replace

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.ids import derived_id
from hepatrail_events.streams import NEVER_PARKED, SAFETY_DESK, STUDY
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from hepatrail_projections.records import Incoming
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_services.command import Command
from hepatrail_services.decider.halted import Halted
from hepatrail_services.decider.memory import StreamState, passed_over
from hepatrail_services.deciders.safety_desk import EscalateAlert, RaiseAlert, RecordNotification, TriggerStoppingRule
from hepatrail_services.deciders.study import PlaceHold
from hepatrail_services.safety.following import follow


class Commons:
    """Study and desk as far as they were read. They are never parked: what cannot be read halts the process.

    `read` is set once both were read to where they ended at the start: before that nobody may conclude from what is
    missing on them.
    """

    def __init__(self) -> None:
        self.read = asyncio.Event()
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

    def shows(self, command: Command) -> bool:
        """Whether desk or study hold already what a command asks for."""
        return shown(command, self.desk, self.study)

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


def shown(command: Command, desk: DeskView, study: StudyView) -> bool:
    """Whether what a command asks for is done: its alert, level, delivery or hit is on the desk, its hold in the study.

    A hit is known by rule, scope and commit.
    """
    match command:
        case RaiseAlert():
            return command.alert.alert_id in desk.alerts
        case EscalateAlert():
            alert = desk.alerts.get(command.alert_id)
            return alert is not None and any(each.event.level == command.level for each in alert.escalations)
        case RecordNotification():
            alert = desk.alerts.get(command.alert_id)
            return alert is not None and (command.channel, command.level) in alert.deliveries
        case TriggerStoppingRule():
            same = (command.rule_id, command.scope_id, command.commit_id)
            hits = (hit.event for hit in desk.hits.values())
            return any((hit.rule_id, hit.scope_id, hit.commit_id) == same for hit in hits)
        case PlaceHold():
            return command.hit_id is not None and derived_id(command.hit_id, command.action) in study.holds
        case _:
            return False


def _next(end: StreamState, event: Incoming, released: Set[Place]) -> StreamState:
    assert event.stream is not None
    if event.place in released:
        return passed_over(end, event.stream, event.raw)
    recorded, link = follow(end, event)
    state = fold_study(end.state, recorded) if event.stream == STUDY else fold_desk(end.state, recorded)
    return replace(end, state=state, link=link, recorded_at=recorded.envelope.recordedat, other_end=None)
