"""What is due after a SUSAR was reported (`safety.md` 5.2, SUSAR_FU_15D), and what was decided of it."""

from datetime import date

import pytest

from hepatrail_events.adverse_events import AECorrected, AEGradeChanged, AEResolved, Causality, CausalityTarget, Outcome
from hepatrail_projections.clinical.reporting.clock import ClockStatus
from projection_log import SEALED
from reporting_course import DEATH, FOLLOW_UP, HOSPITALISATION, LIFE_THREATENING, NMPA, Course, minute
from susar_course import EIGHT, FOLLOWING, SEVEN, following, reported_susar


@pytest.fixture
def course() -> Course:
    """A SUSAR of 6 March that was reported on the next day."""
    return reported_susar()


def test_SUSAR_FU_15D_runs_from_the_day_on_which_the_information_was_received(course: Course) -> None:
    commit_id = course.followed_up("03-12 09:00", received="03-10 23:50")
    clock = course.clock(FOLLOWING)
    assert (clock.start_commit_id, clock.day0) == (commit_id, date(2026, 3, 10))
    assert (clock.started_at, clock.due_at) == (course.at("03-10 23:50"), course.at("03-26 00:00"))
    assert clock.opened_at == course.at("03-12 09:00")


def test_SUSAR_FU_15D_is_met_by_a_follow_up_and_by_no_first_report(course: Course) -> None:
    course.followed_up("03-12 09:00")
    course.submitted("03-13 09:00", NMPA)
    assert course.status(FOLLOWING, "03-13 10:00") is ClockStatus.RUNNING
    course.submitted("03-14 09:00", NMPA, FOLLOW_UP)
    assert course.status(FOLLOWING, "03-14 10:00") is ClockStatus.MET


def test_SUSAR_FU_15D_runs_once_for_each_information_and_one_follow_up_meets_what_it_can_hold(course: Course) -> None:
    course.followed_up("03-10 09:00")
    course.followed_up("03-12 09:00")
    course.submitted("03-13 09:00", NMPA, FOLLOW_UP)
    course.followed_up("03-15 09:00")
    assert [each.status(course.log.now) for each in following(course)] == [
        ClockStatus.MET,
        ClockStatus.MET,
        ClockStatus.RUNNING,
    ]


def test_SUSAR_FU_15D_does_not_run_before_the_first_report() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.followed_up("03-07 09:00")
    course.submitted("03-08 09:00", NMPA)
    assert following(course) == []


def test_SUSAR_FU_15D_opens_when_a_late_entry_shows_that_the_report_came_before_the_information() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    commit_id = course.followed_up("03-08 09:00")
    course.submitted("03-09 09:00", NMPA, handed="03-07 09:00")
    clock = course.clock(FOLLOWING)
    assert (clock.start_commit_id, clock.opened_at) == (commit_id, course.at("03-09 09:00"))
    assert clock.day0 == date(2026, 3, 8)


def test_SUSAR_FU_15D_runs_for_a_significant_change_from_its_awareness(course: Course) -> None:
    course.criteria_changed("03-12 09:00", [DEATH], aware="03-11 09:00")
    assert FOLLOWING not in course.types()
    assert course.clock(SEVEN).day0 == date(2026, 3, 12)
    course.criteria_changed("03-14 09:00", [LIFE_THREATENING], aware="03-13 09:00")
    assert course.clock(FOLLOWING).day0 == date(2026, 3, 13)


def test_SUSAR_FU_15D_runs_for_another_code_and_for_a_greater_grade(course: Course) -> None:
    recoded = AECorrected(ae_id=course.ae_id, ae_version=2, field="code", new_value="FEVER", reason=SEALED)
    course.commit("03-12 09:00", recoded)
    worse = AEGradeChanged(ae_id=course.ae_id, ae_version=3, to_grade=4, grade_at=minute(course.at("03-13 08:00")))
    course.commit("03-13 09:00", worse)
    less = AEGradeChanged(ae_id=course.ae_id, ae_version=4, to_grade=2, grade_at=minute(course.at("03-14 08:00")))
    course.commit("03-14 09:00", less)
    assert [each.day0 for each in following(course)] == [date(2026, 3, 12), date(2026, 3, 13)]


def test_SUSAR_FU_15D_runs_for_another_onset_and_for_sequelae(course: Course) -> None:
    onset = f"{course.at('03-04 08:00'):%Y-%m-%dT%H:%MZ}"
    moved = AECorrected(ae_id=course.ae_id, ae_version=2, field="onset", new_value=onset, reason=SEALED)
    course.commit("03-12 09:00", moved)
    for version, day, outcome in ((3, "13", Outcome.RECOVERED_WITH_SEQUELAE), (4, "14", Outcome.RECOVERED)):
        ended = AEResolved(
            ae_id=course.ae_id, ae_version=version, outcome=outcome, end_at=minute(course.at(f"03-{day} 08:00"))
        )
        course.commit(f"03-{day} 09:00", ended)
    assert [each.day0 for each in following(course)] == [date(2026, 3, 12), date(2026, 3, 13)]


def test_SUSAR_FU_15D_is_met_by_a_follow_up_of_the_very_instant(course: Course) -> None:
    course.followed_up("03-12 09:00")
    course.submitted("03-12 10:00", NMPA, FOLLOW_UP, handed="03-12 09:00")
    assert course.status(FOLLOWING, "03-12 10:00") is ClockStatus.MET


def test_SUSAR_FU_15D_runs_not_for_an_assessment_that_changes_nothing(course: Course) -> None:
    course.judged("03-12 09:00", Causality.UNLIKELY, CausalityTarget.CONCOMITANT)
    assert following(course) == []


def test_a_corrected_time_of_the_7_day_report_moves_the_eight_days() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-10 09:00", LIFE_THREATENING)
    submission = course.submitted("03-12 09:00", NMPA)
    before = course.clock(EIGHT)
    course.submission_corrected("03-13 09:00", submission, handed="03-11 09:00")
    after = course.clock(EIGHT)
    assert (before.due_at, after.due_at) == (course.at("03-21 00:00"), course.at("03-20 00:00"))
    assert (after.clock_id, after.changed_at) == (before.clock_id, course.at("03-13 09:00"))
    assert course.clock(SEVEN).met_at == course.at("03-11 09:00")


def test_a_void_report_lets_its_clock_run_again_and_cancels_what_followed_it() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-10 09:00", LIFE_THREATENING, HOSPITALISATION)
    submission = course.submitted("03-12 09:00", NMPA)
    course.submission_voided("03-14 09:00", submission)
    clock = course.clock(SEVEN)
    assert (clock.status(course.log.now), clock.changed_at) == (ClockStatus.RUNNING, course.at("03-14 09:00"))
    assert course.status(EIGHT, "03-14 10:00") is ClockStatus.CANCELLED
    course.submitted("03-15 09:00", NMPA, handed="03-13 09:00")
    assert course.status(SEVEN, "03-15 10:00") is ClockStatus.MET
    assert course.clock(EIGHT, number=0).due_at == course.at("03-21 00:00")
    assert course.status(EIGHT, "03-15 10:00", number=0) is ClockStatus.CANCELLED
    again = course.clock(EIGHT, number=1)
    assert (again.status(course.log.now), again.due_at) == (ClockStatus.RUNNING, course.at("03-22 00:00"))


def test_a_follow_up_duty_survives_a_first_report_that_is_recorded_anew(course: Course) -> None:
    followed = course.followed_up("03-12 09:00")
    submission = next(iter(course.view.submissions))
    course.submission_voided("03-13 09:00", submission)
    assert course.status(FOLLOWING, "03-13 10:00") is ClockStatus.CANCELLED
    course.submitted("03-13 11:00", NMPA, handed="03-07 09:00")
    clock = course.clock(FOLLOWING)
    assert (clock.start_commit_id, clock.status(course.log.now)) == (followed, ClockStatus.RUNNING)
    assert clock.changed_at == course.at("03-13 11:00")
    course.submitted("03-14 09:00", NMPA, FOLLOW_UP)
    assert course.status(FOLLOWING, "03-14 10:00") is ClockStatus.MET
