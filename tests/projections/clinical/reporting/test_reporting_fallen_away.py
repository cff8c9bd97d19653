"""What is due when a reported SUSAR is none any more, or is void (`safety.md` 5.2, Falls away)."""

from datetime import date

import pytest

from hepatrail_events.adverse_events import Expectedness
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from reporting_course import FOLLOW_UP, LIFE_THREATENING, NMPA, NULLIFICATION, Course
from susar_course import EIGHT, FIFTEEN, FOLLOWING, SEVEN, following, reported_susar


@pytest.fixture
def course() -> Course:
    """A SUSAR of 6 March that was reported on the next day."""
    return reported_susar()


def test_rule_Falls_away_before_submission_the_clock_is_cancelled_and_its_cause_kept() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.expected("03-08 09:00")
    cause = course.recorded[-1].envelope.id
    course.followed_up("03-10 09:00")
    clock = course.clock(FIFTEEN)
    assert clock.status(course.at("04-30 09:00")) is ClockStatus.CANCELLED
    assert (clock.cancelled_at, clock.cancel_event_ids) == (course.at("03-08 09:00"), (cause,))
    assert following(course) == []


def test_rule_Falls_away_after_submission_it_stays_met_and_a_follow_up_is_due_in_15_days(course: Course) -> None:
    commit_id = course.expected("03-08 09:00")
    stays = course.clock(FIFTEEN)
    assert (stays.status(course.log.now), stays.cancelled_at, stays.cancel_event_ids) == (ClockStatus.MET, None, ())
    clock = course.clock(FOLLOWING)
    assert (clock.start_commit_id, clock.day0) == (commit_id, date(2026, 3, 8))
    assert clock.due_at == course.at("03-24 00:00")
    course.submitted("03-10 09:00", NMPA, FOLLOW_UP)
    assert course.status(FOLLOWING, "03-10 10:00") is ClockStatus.MET


def test_rule_Falls_away_by_void_after_submission_a_nullification_is_due(course: Course) -> None:
    course.voided("03-08 09:00")
    assert course.status(FIFTEEN, "03-08 10:00") is ClockStatus.MET
    course.submitted("03-09 09:00", NMPA, FOLLOW_UP)
    assert course.status(FOLLOWING, "03-09 10:00") is ClockStatus.RUNNING
    course.submitted("03-10 09:00", NMPA, NULLIFICATION)
    assert course.status(FOLLOWING, "03-10 10:00") is ClockStatus.MET
    assert len(following(course)) == 1


def test_a_nullification_that_was_handed_over_before_the_void_was_recorded_counts(course: Course) -> None:
    course.voided("03-08 09:00")
    course.submitted("03-08 10:00", NMPA, NULLIFICATION, handed="03-08 08:00")
    assert course.status(FOLLOWING, "03-08 10:00") is ClockStatus.MET


def test_a_follow_up_from_before_it_fell_away_does_not_tell_of_that(course: Course) -> None:
    course.submitted("03-07 12:00", NMPA, FOLLOW_UP)
    course.expected("03-08 09:00")
    assert course.status(FOLLOWING, "03-08 10:00") is ClockStatus.RUNNING


def test_rule_Falls_away_by_void_before_submission_everything_is_cancelled() -> None:
    course = Course()
    course.susar("03-06 09:00", LIFE_THREATENING)
    course.voided("03-07 09:00")
    stands = {each.type: each.status(course.log.now) for each in course.clocks()}
    assert stands == {
        ClockType.INV_SAE_24H: ClockStatus.MET,
        ClockType.EC_SAE_24H: ClockStatus.CANCELLED,
        SEVEN: ClockStatus.CANCELLED,
    }


def test_rule_Falls_away_by_a_void_session_the_clock_is_cancelled() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.session_voided("03-07 09:00")
    assert course.status(FIFTEEN, "03-07 10:00") is ClockStatus.CANCELLED


def test_a_void_of_what_had_fallen_away_after_its_report_asks_for_the_nullification_too(course: Course) -> None:
    course.expected("03-08 09:00")
    course.submitted("03-09 09:00", NMPA, FOLLOW_UP)
    voided = course.voided("03-12 09:00")
    first, second = following(course)
    assert (first.status(course.log.now), second.status(course.log.now)) == (ClockStatus.MET, ClockStatus.RUNNING)
    assert second.start_commit_id == voided


def test_a_nullification_also_tells_that_the_event_had_fallen_away_before(course: Course) -> None:
    course.expected("03-08 09:00")
    course.voided("03-12 09:00")
    course.submitted("03-13 09:00", NMPA, NULLIFICATION)
    assert [each.status(course.log.now) for each in following(course)] == [ClockStatus.MET, ClockStatus.MET]


def test_the_clocks_of_follow_up_end_when_the_event_is_no_SUSAR_any_more(course: Course) -> None:
    course.followed_up("03-08 09:00")
    course.expected("03-09 09:00")
    first, second = following(course)
    assert (first.status(course.log.now), second.status(course.log.now)) == (
        ClockStatus.CANCELLED,
        ClockStatus.RUNNING,
    )


def test_the_eight_days_end_when_the_event_is_no_SUSAR_any_more() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00", LIFE_THREATENING)
    course.submitted("03-07 09:00", NMPA)
    course.expected("03-08 09:00")
    assert course.status(EIGHT, "03-08 10:00") is ClockStatus.CANCELLED
    course.submitted("03-09 09:00", NMPA, FOLLOW_UP)
    assert course.status(EIGHT, "03-09 10:00") is ClockStatus.CANCELLED
    assert course.status(FOLLOWING, "03-09 10:00") is ClockStatus.MET


def test_what_fell_away_and_qualifies_again_has_its_clock_anew_instead_of_the_follow_up(course: Course) -> None:
    course.expected("03-08 09:00")
    course.expected("03-10 09:00", Expectedness.UNEXPECTED)
    assert course.status(FOLLOWING, "03-10 10:00") is ClockStatus.CANCELLED
    assert course.status(FIFTEEN, "03-10 10:00", number=1) is ClockStatus.RUNNING


def test_a_report_from_before_it_fell_away_that_is_recorded_later_counts() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    fell = course.expected("03-08 09:00")
    course.submitted("03-09 09:00", NMPA, handed="03-07 09:00")
    assert course.status(FIFTEEN, "03-08 10:00") is ClockStatus.CANCELLED
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.MET
    clock = course.clock(FOLLOWING)
    assert (clock.start_commit_id, clock.day0, clock.opened_at) == (fell, date(2026, 3, 8), course.at("03-09 09:00"))


def test_a_report_of_the_very_instant_in_which_it_fell_away_counts() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.expected("03-08 09:00")
    course.submitted("03-09 09:00", NMPA, handed="03-08 09:00")
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.MET


def test_a_report_from_after_it_fell_away_leaves_the_clock_cancelled() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.expected("03-08 09:00")
    course.submitted("03-09 09:00", NMPA)
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.CANCELLED
    assert following(course) == []
