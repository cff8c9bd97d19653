"""RAD-01, RAD-07 and what INV-18 asks: death, and what adverse events say of it."""

from datetime import timedelta

import pytest

from hepatrail_events.adverse_events import Criterion, Outcome
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_projections.clinical.radar.sighting import FindingKind
from projection_log import SEALED
from query_course import minute
from radar_course import RadarCourse, closed

WITHOUT_CRITERION = FindingKind.FATAL_WITHOUT_DEATH_CRITERION
WITHOUT_RECORD = FindingKind.FATAL_WITHOUT_DEATH_RECORD
WITHOUT_EVENT = FindingKind.DEATH_WITHOUT_FATAL_EVENT
DEATH = Criterion.DEATH


@pytest.fixture
def course() -> RadarCourse:
    return RadarCourse()


@pytest.mark.parametrize(
    ("grade", "outcome", "criteria", "found"),
    [
        (5, Outcome.FATAL, (), True),
        (5, Outcome.NOT_RECOVERED, (), True),
        (4, Outcome.FATAL, (Criterion.LIFE_THREATENING,), True),
        (5, Outcome.FATAL, (DEATH,), False),
        (4, Outcome.NOT_RECOVERED, (Criterion.LIFE_THREATENING,), False),
    ],
)
def test_RAD_01_a_fatal_event_has_the_criterion_death(
    course: RadarCourse, grade: int, outcome: Outcome, criteria: tuple[Criterion, ...], found: bool
) -> None:
    course.died()
    event = course.adverse_event(grade=grade, outcome=outcome, criteria=criteria)
    rows = course.found(WITHOUT_CRITERION)
    assert [row.object_id for row in rows] == ([event.ae_id] if found else [])
    if found:
        assert (rows[0].evidence, rows[0].rule, rows[0].severity) == ((course.last,), "RAD-01", "CRITICAL")
        assert course.asking(rows[0]) == ["RAD-01"]


def test_RAD_01_the_cause_of_death_has_the_criterion_death(course: RadarCourse) -> None:
    event = course.adverse_event(grade=3)
    reported = course.last
    died = course.commit(
        ParticipantDied(death_at=minute(course.now), aware_at=course.now, primary_cause_ae_id=event.ae_id)
    )
    row = course.the_finding(WITHOUT_CRITERION)
    assert (row.evidence, row.opened_at) == ((reported, died), course.now)
    graded = course.upgrade(event, DEATH)
    assert closed(course.the_finding(WITHOUT_CRITERION)) == ("CLOSED", "CONDITION_GONE", graded)


def test_RAD_01_closes_when_the_event_is_void(course: RadarCourse) -> None:
    event = course.adverse_event(grade=5, outcome=Outcome.FATAL)
    course.void_ae(event)
    assert closed(course.the_finding(WITHOUT_CRITERION)) == ("CLOSED", "CONDITION_GONE", course.last)


def test_RAD_07_a_fatal_event_needs_a_death_on_record(course: RadarCourse) -> None:
    course.adverse_event(grade=5, outcome=Outcome.FATAL, criteria=(DEATH,))
    row = course.the_finding(WITHOUT_RECORD)
    assert (row.evidence, row.rule, row.severity) == ((course.last,), "RAD-07", "CRITICAL")
    died = course.died()
    assert closed(course.the_finding(WITHOUT_RECORD)) == ("CLOSED", "CONDITION_GONE", died)


def test_RAD_07_a_participant_found_alive_has_no_fatal_event(course: RadarCourse) -> None:
    died = course.died()
    course.adverse_event(grade=5, outcome=Outcome.FATAL, criteria=(DEATH,))
    reported = course.last
    assert course.found(WITHOUT_RECORD) == []
    revived = course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
    row = course.the_finding(WITHOUT_RECORD)
    assert (row.evidence, row.opened_at) == ((reported, died, revived), course.now)
    again = course.died()
    assert closed(course.the_finding(WITHOUT_RECORD)) == ("CLOSED", "CONDITION_GONE", again)


def test_INV_18_asks_about_a_death_without_a_fatal_event_and_nobody_else(course: RadarCourse) -> None:
    mild = course.adverse_event(grade=2)
    severe = course.adverse_event(grade=3, code="SEPSIS")
    reported = course.last
    died = course.died()
    assert course.found(WITHOUT_EVENT) == []
    course.wait(hours=23, minutes=59)
    assert course.found(WITHOUT_EVENT) == []
    course.wait(minutes=1)
    row = course.the_finding(WITHOUT_EVENT)
    assert (row.object_id, row.evidence, row.rule) == (died, (died, reported), "INV-18")
    assert row.opened_at == course.now
    assert course.asking(row) == ["INV-18"]
    assert "SEPSIS (grade 3)" in row.words
    assert mild.code not in row.words
    fatal = course.resolve(severe, Outcome.FATAL)
    assert closed(course.the_finding(WITHOUT_EVENT)) == ("CLOSED", "CONDITION_GONE", fatal)


def test_a_fatal_event_within_the_day_leaves_nothing_of_the_death_to_list(course: RadarCourse) -> None:
    course.died()
    course.wait(hours=20)
    course.adverse_event(grade=5, outcome=Outcome.FATAL, criteria=(DEATH,))
    course.wait(hours=20)
    assert course.rows() == []


def test_a_death_that_is_taken_back_closes_its_finding(course: RadarCourse) -> None:
    course.died()
    course.wait(hours=25)
    revived = course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
    row = course.the_finding(WITHOUT_EVENT)
    assert closed(row) == ("CLOSED", "CONDITION_GONE", revived)
    assert row.closed_at == course.now
    assert row.opened_at < course.now - timedelta(minutes=30)
