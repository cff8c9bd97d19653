"""The clocks of a SUSAR to the drug authority (`safety.md` 5.2): one test a row, and what was decided beside it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from hepatrail_events.adverse_events import Causality, Expectedness
from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from reporting_course import (
    DEATH,
    FOLLOW_UP,
    HOSPITALISATION,
    INSTITUTION,
    LIFE_THREATENING,
    NMPA,
    Course,
)

SEVEN, EIGHT, FIFTEEN = ClockType.SUSAR_7D, ClockType.SUSAR_FU_8D, ClockType.SUSAR_15D


@pytest.fixture
def course() -> Course:
    return Course(rules={"regimes": ("CN_DRUG",)})


def test_SUSAR_7D_known_at_ten_to_midnight_on_10_March_is_due_at_the_end_of_17_March(course: Course) -> None:
    commit_id = course.susar("03-10 23:50", LIFE_THREATENING)
    clock = course.clock(SEVEN)
    assert (clock.day0, clock.due_at) == (date(2026, 3, 10), datetime(2026, 3, 17, 16, tzinfo=UTC))
    assert clock.clock_id == derived_id(course.ae_id, "SUSAR_7D", commit_id)
    assert clock.status(clock.due_at - timedelta(milliseconds=1)) is ClockStatus.RUNNING
    assert clock.status(clock.due_at) is ClockStatus.BREACHED
    assert FIFTEEN not in course.types()


def test_SUSAR_7D_known_at_midnight_counts_from_the_new_day(course: Course) -> None:
    course.susar("03-11 00:00", DEATH)
    assert course.clock(SEVEN).due_at == course.at("03-19 00:00")


def test_SUSAR_7D_is_met_by_a_first_report_to_the_authority(course: Course) -> None:
    course.susar("03-10 09:00", LIFE_THREATENING)
    course.submitted("03-11 09:00", INSTITUTION)
    assert course.status(SEVEN, "03-11 10:00") is ClockStatus.RUNNING
    course.submitted("03-17 23:59", NMPA)
    assert course.status(SEVEN, "03-17 23:59") is ClockStatus.MET


def test_SUSAR_7D_handed_over_on_the_eighth_day_is_met_late(course: Course) -> None:
    course.susar("03-10 09:00", LIFE_THREATENING)
    course.submitted("03-19 09:00", NMPA, handed="03-18 09:00")
    clock = course.clock(SEVEN)
    assert clock.status(course.log.now) is ClockStatus.MET_LATE
    assert clock.lateness(course.log.now) == timedelta(hours=9)


def test_SUSAR_7D_warns_two_days_before_it_is_due(course: Course) -> None:
    course.susar("03-10 09:00", LIFE_THREATENING)
    assert course.clock(SEVEN).warn_at == course.at("03-16 00:00")


@pytest.mark.parametrize(
    ("handed", "due"),
    [
        pytest.param("03-12 23:59", "03-21 00:00", id="eight days from the report"),
        pytest.param("03-17 10:00", "03-26 00:00", id="never later than 15 days from Day 0"),
        pytest.param("03-22 10:00", "03-26 00:00", id="of a late report too"),
    ],
)
def test_SUSAR_FU_8D_is_due_eight_days_after_the_7_day_report(course: Course, handed: str, due: str) -> None:
    course.susar("03-10 09:00", LIFE_THREATENING)
    assert EIGHT not in course.types()
    course.submitted("03-22 11:00", NMPA, handed=handed)
    clock = course.clock(EIGHT)
    assert (clock.started_at, clock.due_at) == (course.at(handed), course.at(due))


def test_SUSAR_FU_8D_is_met_by_a_follow_up(course: Course) -> None:
    course.susar("03-10 09:00", LIFE_THREATENING)
    course.submitted("03-12 09:00", NMPA)
    assert course.status(EIGHT, "03-12 10:00") is ClockStatus.RUNNING
    course.submitted("03-20 09:00", NMPA, FOLLOW_UP)
    assert course.status(EIGHT, "03-20 10:00") is ClockStatus.MET


def test_SUSAR_FU_8D_from_day_7_ends_15_days_after_Day_0() -> None:
    course = Course(rules={"fu8_from": "DAY7"})
    course.susar("03-10 09:00", LIFE_THREATENING)
    course.submitted("03-12 09:00", NMPA)
    clock = course.clock(EIGHT)
    assert (clock.day0, clock.due_at) == (date(2026, 3, 17), course.at("03-26 00:00"))


def test_SUSAR_FU_8D_does_not_follow_a_report_within_15_days(course: Course) -> None:
    course.susar("03-10 09:00")
    course.submitted("03-12 09:00", NMPA)
    assert EIGHT not in course.types()


def test_SUSAR_15D_is_due_at_the_end_of_the_fifteenth_day(course: Course) -> None:
    course.susar("03-10 23:50")
    clock = course.clock(FIFTEEN)
    assert (clock.day0, clock.due_at) == (date(2026, 3, 10), course.at("03-26 00:00"))
    assert SEVEN not in course.types()
    course.submitted("03-25 23:59", NMPA)
    assert course.status(FIFTEEN, "03-25 23:59") is ClockStatus.MET


def test_SUSAR_15D_counts_over_the_end_of_a_month_and_of_February() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-20 12:00")
    assert course.clock(FIFTEEN).due_at == course.at("04-05 00:00")


def test_SUSAR_15D_runs_for_every_day_of_the_week(course: Course) -> None:
    course.susar("03-13 18:00")
    assert course.at("03-13 18:00").isoweekday() == 5
    assert course.clock(FIFTEEN).due_at.astimezone(UTC) == datetime(2026, 3, 28, 16, tzinfo=UTC)


def test_a_follow_up_alone_meets_no_first_report(course: Course) -> None:
    course.susar("03-10 09:00")
    course.submitted("03-12 09:00", NMPA, FOLLOW_UP)
    assert course.status(FIFTEEN, "03-12 10:00") is ClockStatus.RUNNING


def test_what_was_handed_over_before_the_site_recorded_the_event_counts(course: Course) -> None:
    course.susar("03-12 09:00", aware="03-10 09:00")
    course.submitted("03-12 10:00", NMPA, handed="03-11 09:00")
    assert course.status(FIFTEEN, "03-12 10:00") is ClockStatus.MET


def test_rule_Worse_later_opens_a_clock_of_7_days_beside_the_older_one(course: Course) -> None:
    first = course.susar("03-06 09:00")
    later = course.criteria_changed("03-10 23:50", [LIFE_THREATENING])
    old, new = course.clock(FIFTEEN), course.clock(SEVEN)
    assert (old.start_commit_id, old.day0, old.due_at) == (first, date(2026, 3, 6), course.at("03-22 00:00"))
    assert (new.start_commit_id, new.day0, new.due_at) == (later, date(2026, 3, 10), course.at("03-18 00:00"))
    assert [each.type for each in course.clocks() if each.type in (SEVEN, FIFTEEN)] == [SEVEN, FIFTEEN]
    course.submitted("03-17 09:00", NMPA)
    assert {course.status(kind, "03-17 10:00") for kind in (SEVEN, FIFTEEN)} == {ClockStatus.MET}


def test_worse_after_the_report_the_clock_of_7_days_asks_for_another_one(course: Course) -> None:
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    course.criteria_changed("03-10 09:00", [DEATH])
    assert course.status(FIFTEEN, "03-10 10:00") is ClockStatus.MET
    assert course.status(SEVEN, "03-10 10:00") is ClockStatus.RUNNING
    course.submitted("03-11 09:00", NMPA, FOLLOW_UP)
    assert course.status(SEVEN, "03-11 10:00") is ClockStatus.MET
    assert course.status(EIGHT, "03-11 10:00") is ClockStatus.RUNNING


def test_less_severe_before_the_report_15_days_from_the_old_Day_0_take_the_place_of_7(course: Course) -> None:
    course.susar("03-06 09:00", LIFE_THREATENING, HOSPITALISATION)
    later = course.criteria_changed("03-08 09:00", removed=[LIFE_THREATENING])
    assert course.status(SEVEN, "03-08 10:00") is ClockStatus.CANCELLED
    clock = course.clock(FIFTEEN)
    assert (clock.start_commit_id, clock.day0) == (later, date(2026, 3, 6))
    assert clock.due_at == course.at("03-22 00:00")


def test_less_severe_after_the_report_no_further_first_report_is_due(course: Course) -> None:
    course.susar("03-06 09:00", LIFE_THREATENING, HOSPITALISATION)
    course.submitted("03-07 09:00", NMPA)
    course.criteria_changed("03-08 09:00", removed=[LIFE_THREATENING])
    assert course.status(SEVEN, "03-08 10:00") is ClockStatus.MET
    assert course.status(EIGHT, "03-08 10:00") is ClockStatus.RUNNING
    assert FIFTEEN not in course.types()


def test_an_event_that_qualifies_again_has_clocks_of_its_own_and_asks_for_a_report_from_then_on(course: Course) -> None:
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    course.expected("03-08 09:00")
    again = course.expected("03-10 09:00", Expectedness.UNEXPECTED)
    assert course.status(FIFTEEN, "03-10 10:00", number=0) is ClockStatus.MET
    clock = course.clock(FIFTEEN, number=1)
    assert (clock.start_commit_id, clock.day0, clock.met_at) == (again, date(2026, 3, 10), None)
    course.submitted("03-12 09:00", NMPA, FOLLOW_UP)
    assert course.status(FIFTEEN, "03-12 10:00", number=1) is ClockStatus.MET


def test_what_told_that_it_fell_away_meets_no_clock_of_its_qualifying_again(course: Course) -> None:
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    course.expected("03-08 09:00")
    course.submitted("03-09 09:00", NMPA, FOLLOW_UP)
    course.expected("03-10 09:00", Expectedness.UNEXPECTED)
    assert course.status(FIFTEEN, "03-10 10:00", number=1) is ClockStatus.RUNNING


def test_a_report_from_before_there_was_anything_to_report_does_not_count(course: Course) -> None:
    course.reported("03-06 09:00")
    course.submitted("03-07 09:00", NMPA, handed="03-06 08:00")
    course.upgraded("03-09 09:00", aware="03-08 09:00")
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.RUNNING


def test_a_report_that_was_handed_over_before_the_upgrade_was_recorded_counts(course: Course) -> None:
    course.reported("03-06 09:00")
    course.upgraded("03-09 09:00", aware="03-08 09:00")
    course.submitted("03-09 10:00", NMPA, handed="03-08 12:00")
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.MET


def test_of_several_reports_the_first_meets_the_clock(course: Course) -> None:
    course.susar("03-06 09:00")
    course.submitted("03-10 09:00", NMPA)
    course.submitted("03-11 09:00", NMPA, handed="03-08 09:00")
    course.submitted("03-12 09:00", NMPA)
    clock = course.clock(FIFTEEN)
    assert (clock.met_at, clock.met_recorded_at) == (course.at("03-08 09:00"), course.at("03-10 09:00"))


def test_a_clock_names_the_events_of_its_own_adverse_event_alone(course: Course) -> None:
    course.susar("03-06 09:00")
    own = course.recorded[-1].event
    other = own.model_copy(update={"ae_id": UUID(int=8)})
    course.ae_id = UUID(int=9)
    course.commit("03-07 09:00", other, own.model_copy(update={"ae_id": course.ae_id}))
    clock = course.clock(FIFTEEN)
    assert clock.start_event_ids == (course.recorded[-1].envelope.id,)


def test_rule_Provisional_a_missing_assessment_counts_as_related_and_only_an_assessment_cancels(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    clock = course.clock(FIFTEEN)
    assert (clock.provisional, clock.status(course.at("03-22 00:00"))) == (True, ClockStatus.BREACHED)
    course.judged("03-08 09:00", Causality.UNRELATED)
    assert course.status(FIFTEEN, "03-08 10:00") is ClockStatus.CANCELLED
    assert course.clock(FIFTEEN).provisional


def test_rule_Day_0_of_a_provisional_SUSAR_stays_when_it_is_confirmed_later(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    before = course.clock(FIFTEEN)
    course.judged("03-09 09:00", Causality.POSSIBLE)
    after = course.clock(FIFTEEN)
    assert (after.clock_id, after.day0, after.due_at) == (before.clock_id, date(2026, 3, 6), before.due_at)
    assert (before.provisional, after.provisional) == (True, False)
