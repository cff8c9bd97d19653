"""Severe laboratory grades that nobody has looked at (ctcae_labs.md R13)."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from grading_course import DAY, HOUR, Course, day, linked, minute
from hepatrail_events.adverse_events import AEResolved, AEVoided, AeVoidReason, Outcome
from hepatrail_events.measurements import (
    LabFindingReviewed,
    LabResultCorrected,
)
from log_commits import publish
from projection_log import SEALED


@pytest.fixture
def course() -> Course:
    return Course()


def severe(course: Course, *values: str) -> list[UUID]:
    """Platelets, one result a day from the first day of treatment on."""
    course.measured("platelets", "90")
    course.log.tick(HOUR)
    course.treated()
    made = []
    for value in values:
        course.log.tick(DAY)
        made.append(course.measured("platelets", value))
    return made


def test_r13_a_new_grade_4_is_found_at_once_and_a_new_grade_3_after_a_day(course: Course) -> None:
    three, four = severe(course, "40", "20")
    found = {each.result_id: each for each in course.findings()}
    assert (found[three].priority, found[four].priority) == ("P3", "P2")
    assert (found[three].grade, found[three].grade_at_baseline, found[three].term) == (3, 1, "Platelet count decreased")
    assert found[three].opens_at == course.row(three).recorded_at + timedelta(hours=24)
    assert found[four].opens_at == found[four].since == course.row(four).recorded_at
    assert (course.row(four).finding or {})["priority"] == "P2"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ("40 40 20 20 40", (0, 2)),
        ("40 60 40", (0, 2)),
        ("40 20 40 20", (0, 1, 3)),
        ("20 40", (0, 1)),
        ("60 90", ()),
    ],
)
def test_r13_the_first_at_its_grade_since_the_grade_was_last_lower(
    course: Course, values: str, wanted: tuple[int, ...]
) -> None:
    made = severe(course, *values.split())
    assert [made.index(each.result_id) for each in course.findings()] == list(wanted)


def test_r13_what_is_not_above_the_grade_at_baseline_is_no_finding(course: Course) -> None:
    course.measured("platelets", "30")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    course.measured("platelets", "26")
    assert course.findings() == ()
    course.log.tick(DAY)
    worse = course.measured("platelets", "24")
    assert [each.result_id for each in course.findings()] == [worse]


def test_r13_without_baseline_every_severe_grade_is_new(course: Course) -> None:
    course.treated()
    course.log.tick(DAY)
    found = course.measured("platelets", "26")
    assert [(each.result_id, each.grade_at_baseline) for each in course.findings()] == [(found, None)]


def test_r13_a_severe_result_before_t0_is_no_finding_also_when_it_arrives_late(course: Course) -> None:
    earlier = course.log.now
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    course.measured("platelets", "20", at=earlier)
    assert course.findings() == ()
    course.measured("platelets", "19", at=date(2026, 1, 1))
    assert course.findings() == ()


def test_r13_a_grade_that_is_only_known_as_a_minimum_counts_as_that(course: Course) -> None:
    course.treated()
    course.log.tick(DAY)
    course.measured("creatinine", "500")
    assert [(each.grade, each.minimum) for each in course.findings()] == [(3, True)]


def test_r13_a_review_closes_the_finding_whatever_it_says(course: Course) -> None:
    (result,) = severe(course, "20")
    course.commit(LabFindingReviewed(result_id=result, clinically_significant=False))
    assert course.findings() == ()
    assert course.row(result).finding is None


def test_r13_an_ongoing_adverse_event_of_the_same_term_closes_the_finding_until_it_is_void(course: Course) -> None:
    (result,) = severe(course, "20")
    event = linked(course, onset=day(f"{course.log.now:%Y-%m-%d}"))
    assert course.findings() == ()
    course.commit(
        AEVoided(ae_id=event.ae_id, ae_version=2, reason_code=AeVoidReason.ENTERED_IN_ERROR, reason_text=SEALED)
    )
    assert [each.result_id for each in course.findings()] == [result]


def test_r13_an_adverse_event_of_another_term_or_another_time_closes_nothing(course: Course) -> None:
    (result,) = severe(course, "20")
    linked(course, ctcae_term="Anemia")
    linked(course, code="FEVER", ctcae_term=None)
    linked(course, onset=minute(course.log.now + timedelta(hours=1)))
    over = linked(course, onset=minute(course.log.now - timedelta(days=3)))
    course.commit(
        AEResolved(
            ae_id=over.ae_id,
            ae_version=2,
            outcome=Outcome.RECOVERED,
            end_at=minute(course.log.now - timedelta(days=1)),
        )
    )
    assert [each.result_id for each in course.findings()] == [result]


def test_r13_the_protocol_says_what_is_severe_and_how_long_a_review_may_take(course: Course) -> None:
    (result,) = severe(course, "60")
    assert course.findings() == ()
    publish(course.log, "2.0", course.log.now, safety={"alert_lab_grade_ge": 2, "lab_review_hours": 48})
    (found,) = course.findings()
    assert (found.result_id, found.priority, found.opens_at - found.since) == (result, "P3", timedelta(hours=48))


def test_a_correction_makes_a_finding_known_from_then_on(course: Course) -> None:
    (result,) = severe(course, "200")
    course.log.tick(DAY)
    course.commit(LabResultCorrected(id=result, field="value", new_value="20", reason=SEALED, accepted=True))
    (found,) = course.findings()
    assert found.since == course.log.now
