"""Clocks that are taken over from an earlier view: exactly those that are worked out anew, whatever happened since."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.adverse_events import AEFollowedUp
from hepatrail_events.baseline_conditions import BaselineConditionRecorded
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.streams import STUDY
from hepatrail_events.voiding import VoidReason
from hepatrail_projections import known_clocks
from hepatrail_projections.clinical.reporting.clock import Clock
from hepatrail_projections.known_clocks import KnownClocks, clocks_since, touched_since
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import EMPTY_STUDY, StudyView, fold_study
from hepatrail_projections.subject_view import SubjectView, empty_view, fold, fold_all
from log_commits import sample
from projection_log import SEALED
from reporting_course import HOSPITALISATION, LIFE_THREATENING, NMPA, SUBJECT, Course, minute
from reporting_histories import RandomCourse

ONE, TWO = UUID(int=7), UUID(int=8)


def two_events() -> Course:
    """A participant with two suspected unexpected serious adverse reactions, none of which is reported yet."""
    course = Course()
    course.susar("03-10 09:00", HOSPITALISATION)
    course.ae_id = TWO
    course.susar("03-12 09:00", LIFE_THREATENING)
    return course


def known_of(view: SubjectView, study: StudyView, at: datetime) -> KnownClocks:
    """What is known when everything was worked out."""
    published = study.published_at(at)
    assert published is not None
    return KnownClocks(view, published.version, clocks_of(view, study, at))


def in_order(clocks: Mapping[UUID, tuple[Clock, ...]]) -> list[tuple[UUID, tuple[Clock, ...]]]:
    return list(clocks.items())


def along(course: Course) -> Iterator[tuple[SubjectView, StudyView]]:
    """Participant and study after each event, from the participant's first on."""
    view, study = empty_view(SUBJECT), EMPTY_STUDY
    for event in course.recorded:
        if event.envelope.stream == STUDY:
            study = fold_study(study, event)
        else:
            view = fold(view, event)
        if view.recorded_at is not None:
            yield view, study


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000_000), st.booleans())
def test_what_is_taken_over_along_a_history_is_what_is_worked_out_anew(seed: int, lagging: bool) -> None:
    """Also when it was asked about an instant up to days ahead, and not after every event."""
    chance = random.Random(seed)
    before: KnownClocks | None = None
    for view, study in along(RandomCourse(seed, lagging=lagging).course):
        assert view.recorded_at is not None
        at = view.recorded_at + timedelta(hours=chance.choice((0, 0, 1, 30, 100)))
        published = study.published_at(at)
        if published is None or chance.random() < 0.3:
            continue
        found = clocks_since(before, view, study, at)
        assert in_order(found) == in_order(clocks_of(view, study, at))
        before = KnownClocks(view, published.version, found)


def test_only_what_was_touched_is_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    course = two_events()
    before = known_of(course.view, course.study, course.log.now)
    asked: list[Any] = []

    def watched(
        view: SubjectView, study: StudyView, at: datetime, only: Any = None
    ) -> Mapping[UUID, tuple[Clock, ...]]:
        asked.append(only)
        return clocks_of(view, study, at, only)

    monkeypatch.setattr(known_clocks, "clocks_of", watched)
    course.submitted("03-13 09:00", NMPA)
    view = fold(before.view, course.recorded[-1])
    found = clocks_since(before, view, course.study, course.log.now)
    assert asked == [{TWO}]
    assert [*found] == [ONE, TWO]
    assert found[ONE] is before.clocks[ONE] and found[TWO] != before.clocks[TWO]


def test_what_concerns_no_adverse_event_leaves_all_clocks_as_they_were() -> None:
    course = two_events()
    before = known_of(course.view, course.study, course.log.now)
    sample(course.log, course.stream, creatinine="150")
    after = fold(before.view, course.recorded[-1])
    assert clocks_since(before, after, course.study, course.log.now) is before.clocks


@pytest.mark.parametrize("otherwise", ["version", "sessions", "baseline", "earlier view"])
def test_where_it_is_not_certain_all_are_worked_out_anew(otherwise: str) -> None:
    course = two_events()
    view, study, at, version = course.view, course.study, course.log.now, "1.0"
    assert touched_since(view, version, view, study, at) == frozenset()
    known = view
    match otherwise:
        case "version":
            version = "0.9"
        case "sessions":
            course.session_voided("03-13 09:00")
            view, at = fold(view, course.recorded[-1]), course.log.now
        case "baseline":
            onset = minute(course.at("02-20 08:00"))
            condition = BaselineConditionRecorded(
                baseline_condition_id=UUID(int=9), code="OTHER", verbatim=SEALED, onset=onset, grade=2
            )
            course.commit("03-13 09:00", condition)
            view, at = fold(view, course.recorded[-1]), course.log.now
        case "earlier view":
            view = fold_all(SUBJECT, course.recorded[1:-1])
    assert touched_since(known, version, view, study, at) is None


def test_of_a_commit_that_was_read_half_nothing_is_taken_over() -> None:
    """What ended the clocks of the one are all events of the commit, also those about the other."""
    course = two_events()
    assert course.session_id is not None
    voided = SessionVoided(id=course.session_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
    followed_up = AEFollowedUp(ae_id=TWO, ae_version=2, info_received_at=course.at("03-13 09:00"), text=SEALED)
    whole = course.view
    course.commit("03-13 09:30", voided, followed_up)
    half = known_of(fold(whole, course.recorded[-2]), course.study, course.log.now)
    view = fold(half.view, course.recorded[-1])
    found = clocks_since(half, view, course.study, course.log.now)
    assert in_order(found) == in_order(clocks_of(view, course.study, course.log.now))
    assert found[ONE] != half.clocks[ONE]


def test_a_version_published_later_that_took_effect_earlier_takes_its_place_in_the_past() -> None:
    """The study was read up to between the two publications; the version in force is the same before and after."""
    course = two_events()
    course.publish("03-13 09:00", "2.0", "03-20 09:00")
    course.publish("03-13 10:00", "3.0", "03-17 09:00", regimes=("CN_DEVICE",))
    *_, (view, half), (_, study) = along(course)
    at = course.at("03-21 09:00")
    before = known_of(view, half, at)
    assert before.version == "2.0"
    published = study.published_at(at)
    assert published is not None and published.version == "2.0"
    found = clocks_since(before, view, study, at)
    assert in_order(found) == in_order(clocks_of(view, study, at))
    assert found != before.clocks


def test_a_commit_that_knew_only_the_later_of_two_versions_moves_the_effect_of_the_other() -> None:
    course = two_events()
    course.publish("03-13 09:00", "2.0", "03-20 09:00")
    course.publish("03-13 10:00", "3.0", "03-17 09:00", regimes=("CN_DEVICE",))
    before, at = known_of(course.view, course.study, course.at("03-21 09:00")), course.at("03-21 09:00")
    course.log._studyseq -= 1
    course.upgraded("03-18 09:00", HOSPITALISATION)
    view, study = fold(before.view, course.recorded[-1]), course.study
    found = clocks_since(before, view, study, at)
    assert in_order(found) == in_order(clocks_of(view, study, at))
    assert found[ONE] != before.clocks[ONE]
