"""What is remembered of participants' timers: exactly what whoever knows nothing works out, whatever happened since."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.codec import Recorded, read
from hepatrail_events.streams import STUDY, subject_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections import known_clocks
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import empty_view, fold
from hepatrail_services.safety.timers import TimerMemory
from log_commits import adverse_event, enrol, start
from reporting_course import HOSPITALISATION
from reporting_histories import RandomCourse
from safety_time import Past
from trial_history import history

MOMENT = timedelta(milliseconds=1)


class Watcher:
    """Remembers along a history, and holds what is remembered against what is worked out anew."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._memory = TimerMemory()
        self._study = EMPTY_STUDY
        self._views: dict[str, SubjectView] = {}

    def follow(self, events: Sequence[Recorded]) -> None:
        """Looks right before a commit and after it, soon, late or never, as chance will."""
        ends = [*(each.envelope.commitindex == 0 for each in events[1:]), True]
        for event, ended in zip(events, ends, strict=True):
            stream, at = event.envelope.stream, event.envelope.recordedat
            if event.envelope.commitindex == 0 and stream in self._views and self._chance.random() < 0.5:
                self._look(self._views[stream], at - MOMENT)
            self._fold(event)
            if ended and self._chance.random() < 0.4:
                later = timedelta(hours=self._chance.choice((0, 0, 1, 30, 24 * 9)))
                for view in self._views.values():
                    self._look(view, at + later)

    def _fold(self, event: Recorded) -> None:
        stream = event.envelope.stream
        subject_id = subject_of(stream)
        if stream == STUDY:
            self._study = fold_study(self._study, event)
        elif subject_id is not None:
            self._views[stream] = fold(self._views.get(stream) or empty_view(subject_id), event)

    def _look(self, view: SubjectView, at: datetime) -> None:
        remembered, anew = self._memory.of(view, self._study, at), TimerMemory().of(view, self._study, at)
        when, what = attrgetter("fire_at"), attrgetter("alert_id")
        assert [*map(when, remembered)] == [*map(when, anew)] and [*map(what, remembered)] == [*map(what, anew)]
        if anew:
            # What an alert says is worked out only where it fires: of one of them each time.
            number, late = self._chance.randrange(len(anew)), self._chance.random() < 0.5
            assert remembered[number].content(late) == anew[number].content(late)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000_000), st.booleans())
def test_along_the_course_of_adverse_events_what_is_remembered_is_what_is_worked_out_anew(
    seed: int, lagging: bool
) -> None:
    Watcher(seed).follow(RandomCourse(seed, lagging=lagging).course.recorded)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000_000))
def test_along_a_whole_trial_what_is_remembered_is_what_is_worked_out_anew(seed: int) -> None:
    log = history(seed, subjects=2, steps=40)
    Watcher(seed).follow([read(each.value or b"") for each in log.records if each.topic == EVENTS])


def test_a_change_of_one_adverse_event_works_out_the_clocks_of_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    past, asked = Past(), list[Any]()
    stream = enrol(past.log, "S-001")
    start(past.log, stream)
    for _ in range(3):
        adverse_event(past.log, stream, criteria=(HOSPITALISATION,))

    def watched(
        view: SubjectView, study: StudyView, at: datetime, only: Any = None
    ) -> Mapping[UUID, tuple[Clock, ...]]:
        asked.append(only)
        return clocks_of(view, study, at, only)

    monkeypatch.setattr(known_clocks, "clocks_of", watched)
    memory, view = TimerMemory(), past.view()
    before = memory.of(view, past.study(), past.log.now)
    assert memory.of(view, past.study(), past.log.now) is before
    fourth = adverse_event(past.log, stream, criteria=(HOSPITALISATION,))
    view = fold(view, past.events(stream)[-1])
    assert len(memory.of(view, past.study(), past.log.now)) == len(before) * 4 // 3
    assert asked == [None, {fourth.ae_id}]
