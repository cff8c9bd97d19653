"""RAD-02: admitted, or long in hospital, during an adverse event that is not serious."""

import pytest

from hepatrail_events.adverse_events import AEResolved, Criterion, Outcome
from hepatrail_projections.clinical.radar.sighting import FindingKind
from query_course import minute
from radar_course import RadarCourse, closed

STAY = FindingKind.STAY_WITHOUT_HOSPITALISATION


@pytest.fixture
def course() -> RadarCourse:
    made = RadarCourse()
    made.gas()
    made.wait(hours=1)
    return made


@pytest.mark.parametrize(("days", "found"), [(14, False), (14.1, True)])
def test_a_blood_gas_more_than_14_days_after_onset_shows_a_long_stay(
    course: RadarCourse, days: float, found: bool
) -> None:
    event = course.adverse_event(grade=2)
    reported = course.last
    course.wait(days=days)
    course.gas()
    rows = course.found(STAY)
    assert [row.object_id for row in rows] == ([event.ae_id] if found else [])
    if found:
        assert (rows[0].evidence, rows[0].rule, rows[0].severity) == ((reported, course.last), "RAD-02", "MAJOR")
        assert rows[0].opened_at == course.now
        assert course.asking(rows[0]) == ["RAD-02"]


def test_a_protocol_may_say_how_long_a_stay_is() -> None:
    course = RadarCourse(safety={"radar": {"stay_days": 3}})
    course.adverse_event(grade=2)
    course.wait(days=4)
    course.gas()
    assert "over 3 days" in course.the_finding(STAY).words


@pytest.mark.parametrize(
    ("grade", "found"), [(1, False), (2, True), (3, True), (None, True)], ids=["mild", "moderate", "severe", "unknown"]
)
def test_a_mild_event_is_not_expected_to_prolong_a_stay(course: RadarCourse, grade: int | None, found: bool) -> None:
    course.adverse_event(grade=grade)
    course.wait(days=15)
    course.gas()
    assert bool(course.found(STAY)) is found


def test_INV_15_asks_about_the_stay_of_a_severe_event_and_RAD_02_does_not(course: RadarCourse) -> None:
    course.adverse_event(grade=3)
    course.wait(days=15)
    course.gas()
    row = course.the_finding(STAY)
    assert (row.rule, course.asking(row)) == ("INV-15", ["INV-15"])
    assert course.open("RAD-02") == []


def test_an_outpatient_in_between_was_not_in_hospital_all_the_time(course: RadarCourse) -> None:
    course.adverse_event(grade=2)
    course.wait(days=7)
    course.outpatient()
    course.wait(days=10)
    course.outpatient()
    assert course.found(STAY) == []


def test_an_outpatient_who_has_a_blood_gas_during_the_event_was_admitted(course: RadarCourse) -> None:
    course.outpatient()
    left = course.last
    course.wait(days=1)
    course.adverse_event(grade=1)
    reported = course.last
    course.wait(hours=5)
    course.gas()
    row = course.the_finding(STAY)
    assert row.evidence == (reported, left, course.last)
    assert "an outpatient before, was in hospital" in row.words


def test_a_blood_gas_after_the_event_shows_nothing_of_it(course: RadarCourse) -> None:
    event = course.adverse_event(grade=2)
    course.wait(days=10)
    course.resolve(event)
    course.wait(days=10)
    course.gas()
    assert course.found(STAY) == []


def test_a_stay_is_flagged_by_another_event_that_is_serious_and_going(course: RadarCourse) -> None:
    course.adverse_event(grade=2)
    other = course.adverse_event(grade=3, criteria=(Criterion.HOSPITALISATION,))
    course.wait(days=15)
    course.gas()
    assert course.found(STAY) == []
    course.void_ae(other)
    assert course.the_finding(STAY).status == "OPEN"


def test_hospitalisation_closes_it_and_so_does_an_event_that_ended_before(course: RadarCourse) -> None:
    one, two = course.adverse_event(grade=2), course.adverse_event(grade=2)
    ended = minute(course.now)
    course.wait(days=15)
    course.gas()
    assert [row.status for row in course.found(STAY)] == ["OPEN", "OPEN"]
    end = course.commit(AEResolved(ae_id=two.ae_id, ae_version=2, outcome=Outcome.RECOVERED, end_at=ended))
    upgraded = course.upgrade(one)
    assert {row.object_id: closed(row) for row in course.found(STAY)} == {
        one.ae_id: ("CLOSED", "CONDITION_GONE", upgraded),
        two.ae_id: ("CLOSED", "CONDITION_GONE", end),
    }


def test_a_gas_that_is_void_shows_no_stay_any_more(course: RadarCourse) -> None:
    course.adverse_event(grade=2)
    course.wait(days=15)
    gas = course.gas()
    void = course.void_result(gas)
    assert closed(course.the_finding(STAY)) == ("CLOSED", "CONDITION_GONE", void)
