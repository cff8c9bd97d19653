"""What holds of every clock of every course: as-of, identity, permanence, and the sense of its instants."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.codec import Recorded, read
from hepatrail_events.ids import derived_id
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.clinical.reporting.clock import Clock, ClockStatus, ClockType
from hepatrail_projections.reading import fold_study_events
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.subject_view import fold_all
from reporting_course import SUBJECT
from reporting_histories import RandomCourse
from trial_history import history

SEEDS = st.integers(0, 1_000_000)


@lru_cache(maxsize=64)
def course(seed: int, *, lagging: bool = False) -> tuple[Recorded, ...]:
    return tuple(RandomCourse(seed, lagging=lagging).course.recorded)


def trial(seed: int) -> list[Recorded]:
    log = history(seed, subjects=1, steps=60)
    return [read(each.value or b"") for each in log.records if each.topic == EVENTS]


def clocks(events: Sequence[Recorded], at: datetime, subject_id: str = SUBJECT) -> dict[object, Clock]:
    own = [each for each in events if each.envelope.stream == subject_stream(subject_id)]
    study = fold_study_events([each for each in events if each.envelope.stream == STUDY])
    found = clocks_of(fold_all(subject_id, own), study, at)
    flat = [clock for of_one in found.values() for clock in of_one]
    by_id: dict[object, Clock] = {clock.clock_id: clock for clock in flat}
    assert len(by_id) == len(flat), "two clocks with one id"
    return by_id


def until(events: Sequence[Recorded], at: datetime) -> list[Recorded]:
    return [each for each in events if each.envelope.recordedat <= at]


def instants(events: Sequence[Recorded]) -> list[datetime]:
    """Each recording, a moment before the next, and long after the last."""
    recorded = sorted({each.envelope.recordedat for each in events})
    between = [later - (later - earlier) / 3 for earlier, later in pairwise(recorded)]
    return sorted((*recorded, *between, recorded[-1] + timedelta(days=40)))


def test_the_courses_open_meet_breach_and_cancel_clocks_of_every_type() -> None:
    seen, stands = set(), set()
    for seed in range(60):
        events = course(seed)
        now = events[-1].envelope.recordedat
        for clock in clocks(events, now).values():
            seen.add(clock.type)
            stands.add(clock.status(now))
    assert (seen, stands) == (set(ClockType), set(ClockStatus))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.booleans())
def test_the_clocks_as_of_an_instant_are_those_of_the_events_recorded_until_then(seed: int, lagging: bool) -> None:
    events = course(seed, lagging=lagging)
    for at in instants(events)[::3]:
        assert clocks(events, at) == clocks(until(events, at), at)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_clocks_of_a_whole_participant_as_of_an_instant_are_those_of_the_events_recorded_until_then(
    seed: int,
) -> None:
    events = trial(seed)
    for at in instants(events)[::12]:
        assert clocks(events, at, "S-00") == clocks(until(events, at), at, "S-00")


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_clock_that_opened_never_vanishes_and_never_is_another(seed: int) -> None:
    events = course(seed)
    known: dict[object, Clock] = {}
    for at in instants(events):
        now = clocks(events, at)
        assert known.keys() <= now.keys()
        for clock_id, before in known.items():
            assert _identity(before) == _identity(now[clock_id])
        known = now


def _identity(clock: Clock) -> tuple[object, ...]:
    return (
        clock.type,
        clock.ae_id,
        clock.start_commit_id,
        clock.opened_at,
        clock.protocol_version,
        clock.start_event_ids,
    )


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_every_clock_makes_sense(seed: int) -> None:
    events = course(seed)
    now = events[-1].envelope.recordedat
    commits = {each.envelope.commitid for each in events}
    event_ids = {each.envelope.id for each in events}
    found = clocks(events, now)
    for clock in found.values():
        assert clock.clock_id == derived_id(clock.ae_id, clock.type, clock.start_commit_id)
        assert clock.start_commit_id in commits
        assert {*clock.start_event_ids, *clock.met_event_ids, *clock.cancel_event_ids} <= event_ids
        assert clock.opened_at <= clock.changed_at <= now
        assert clock.warn_at <= clock.due_at
        # Only what follows a report of 7 days that came after 15 is due before it begins.
        assert clock.due_at > clock.started_at or clock.type is ClockType.SUSAR_FU_8D
        assert (clock.met_at is None) == (clock.met_recorded_at is None) == (not clock.met_event_ids)
        assert clock.met_recorded_at is None or clock.opened_at <= clock.met_recorded_at <= now
        assert (clock.cancelled_at is None) == (not clock.cancel_event_ids)
        if clock.status(now) is ClockStatus.CANCELLED:
            assert clock.cancelled_at is not None
            assert clock.opened_at <= clock.cancelled_at <= now


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_time_alone_breaches_what_runs_and_changes_nothing_else(seed: int) -> None:
    events = course(seed)
    now = events[-1].envelope.recordedat
    later = now + timedelta(days=400)
    study = [each for each in events if each.envelope.stream == STUDY]
    at_rest = max([now, *(each.row.effective_from for each in fold_study_events(study).protocols)])
    before, after = clocks(events, at_rest), clocks(events, later)
    assert before == after
    for clock in after.values():
        stands = clock.status(at_rest)
        breached = stands in (ClockStatus.RUNNING, ClockStatus.BREACHED)
        assert clock.status(later) is (ClockStatus.BREACHED if breached else stands)
