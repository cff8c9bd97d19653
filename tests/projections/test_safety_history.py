"""The history that the fold keeps for reporting, and the light evaluation that gives what the rows give."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.adverse_events import Causality
from hepatrail_events.codec import Recorded, read
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.adverse_event import adverse_event_rows
from hepatrail_projections.clinical_state import clinical_state
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.safety_course import evaluated
from hepatrail_projections.subject_view import empty_view, fold, fold_all
from log_commits import sample
from reporting_course import HOSPITALISATION, LIFE_THREATENING, NMPA, Course
from trial_history import history

KEPT = ("adverse_events", "sessions", "baseline_conditions", "assessments", "notifications", "submissions")


def events_of(seed: int, steps: int = 60) -> tuple[list[Recorded], list[Recorded]]:
    """A participant's events and the study's."""
    events = [read(each.value or b"") for each in history(seed, 1, steps).records if each.topic == EVENTS]
    own = [each for each in events if each.envelope.stream == subject_stream("S-00")]
    return own, [each for each in events if each.envelope.stream == STUDY]


def test_a_commit_has_one_point_with_the_events_that_touched_what_is_kept() -> None:
    course = Course()
    course.reported("03-06 09:00", HOSPITALISATION)
    before = len(course.view.safety_history)
    commit_id = course.judged("03-07 09:00", Causality.POSSIBLE)
    view = course.view
    point = view.safety_history[-1]
    two = [each.envelope for each in course.recorded[-2:]]
    assert len(view.safety_history) == before + 1
    assert (point.commit_id, point.event_ids) == (commit_id, tuple(each.id for each in two))
    assert (point.event_id, point.recorded_at, point.received_at, point.studyseq) == (
        two[-1].id,
        two[-1].recordedat,
        two[-1].receivedat,
        two[-1].studyseq,
    )
    assert all(getattr(point, name) is getattr(view, name) for name in KEPT)


def test_what_touches_nothing_of_it_leaves_the_history_as_it_is() -> None:
    course = Course()
    course.reported("03-06 09:00", LIFE_THREATENING)
    before = course.view.safety_history
    sample(course.log, course.stream, creatinine="150")
    assert course.view.safety_history == before
    course.submitted("03-07 09:00", NMPA)
    assert len(course.view.safety_history) == len(before) + 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_every_point_is_the_view_after_its_commit(seed: int) -> None:
    own, _ = events_of(seed)
    history_at_end = fold_all("S-00", own).safety_history
    by_commit = {point.commit_id: point for point in history_at_end}
    assert len(by_commit) == len(history_at_end)
    view = empty_view("S-00")
    for event in own:
        view = fold(view, event)
        envelope = event.envelope
        point = by_commit.get(envelope.commitid)
        if point is not None and envelope.commitindex == envelope.commitsize - 1:
            assert all(getattr(point, name) == getattr(view, name) for name in KEPT)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_evaluated_gives_what_the_rows_give(seed: int) -> None:
    own, study_events = events_of(seed, steps=90)
    cut = random.Random(seed).randint(1, len(own))
    view, study = fold_all("S-00", own[:cut]), fold_study_events(study_events)
    for published in study.protocols:
        found = evaluated(view, published)
        rows = {row.ae_id: row for row in adverse_event_rows(view, clinical_state(view, published))}
        assert list(found) == list(view.adverse_events)
        assert found.keys() == rows.keys()
        for ae_id, each in found.items():
            row, held, emerged = rows[ae_id], each.predicates, each.emergence
            assert (
                held.exposed, held.related, held.related_assessed, held.susar, held.provisional, held.fatal_lt,
                held.dev_sae, each.post_transplant, each.event_ids,
            ) == (
                row.exposed, row.related, row.related_assessed, row.susar, row.provisional, row.fatal_lt,
                row.dev_sae, row.post_transplant, row.derived_event_ids,
            )  # fmt: skip
            assert (
                emerged.teae, emerged.case, emerged.max_grade, emerged.grade_before, emerged.tesae,
                [flag.value for flag in emerged.flags],
            ) == (
                row.teae, row.teae_case, row.max_grade_te, row.grade_before, row.tesae, row.te_flags,
            )  # fmt: skip


@pytest.mark.parametrize("seed", [3, 11])
def test_the_histories_hold_adverse_events_that_emerged_and_such_that_did_not(seed: int) -> None:
    own, study_events = events_of(seed, steps=120)
    found = evaluated(fold_all("S-00", own), fold_study_events(study_events).protocols[0])
    assert {each.emergence.teae for each in found.values()} == {True, False}
