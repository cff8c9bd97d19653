"""The rules beside the clocks (`safety.md` 5.2): Day 0, sponsor and site, late entries, status and time zone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hepatrail_events.adverse_events import Causality, CausalityTarget, Expectedness
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from hepatrail_projections.clinical.reporting.deadlines import within_days
from reporting_course import (
    EC,
    HOSPITALISATION,
    INSTITUTION,
    LIFE_THREATENING,
    NMPA,
    SPONSOR,
    Course,
    site_time,
)

FIFTEEN, SEVEN, COMMITTEE = ClockType.SUSAR_15D, ClockType.SUSAR_7D, ClockType.EC_SAE_24H


@pytest.fixture
def course() -> Course:
    return Course(rules={"regimes": ("CN_DRUG",)})


def test_rule_Day_0_is_the_day_on_which_what_made_it_true_was_recorded(course: Course) -> None:
    course.susar("03-11 09:00", aware="03-09 09:00")
    assert course.clock(FIFTEEN).day0 == date(2026, 3, 11)


def test_rule_Day_0_is_the_day_of_the_sponsor_s_notification_where_that_was_earlier(course: Course) -> None:
    course.susar("03-11 09:00", aware="03-09 09:00")
    course.notified("03-11 09:30", notified="03-10 23:50")
    clock = course.clock(FIFTEEN)
    assert (clock.day0, clock.started_at) == (date(2026, 3, 10), course.at("03-10 23:50"))


def test_rule_Day_0_is_the_first_notification_even_from_before_the_site_s_awareness(course: Course) -> None:
    course.susar("03-11 09:00", aware="03-10 09:00")
    course.notified("03-11 10:00", notified="03-09 09:00")
    assert course.clock(FIFTEEN).day0 == date(2026, 3, 9)


def test_rule_Day_0_a_late_entry_of_the_notification_moves_it_back(course: Course) -> None:
    course.susar("03-11 09:00", LIFE_THREATENING, aware="03-09 09:00")
    before = course.clock(SEVEN)
    course.submitted("03-18 09:00", NMPA)
    course.notified("03-20 09:00", notified="03-09 10:00")
    after = course.clock(SEVEN)
    assert (before.due_at, after.due_at) == (course.at("03-19 00:00"), course.at("03-17 00:00"))
    assert (after.changed_at, after.opened_at) == (course.at("03-20 09:00"), course.at("03-11 09:00"))
    assert (course.status(SEVEN, "03-19 09:00"), course.status(SEVEN, "03-20 09:00")) == (
        ClockStatus.MET,
        ClockStatus.MET_LATE,
    )


def test_rule_Day_0_a_notification_that_changes_no_day_leaves_the_deadline_as_it_was(course: Course) -> None:
    course.susar("03-11 09:00", aware="03-11 08:00")
    course.notified("03-12 09:00", notified="03-11 08:30")
    clock = course.clock(FIFTEEN)
    assert (clock.started_at, clock.changed_at) == (course.at("03-11 08:30"), course.at("03-11 09:00"))


def test_rule_Sponsor_is_site_Day_0_is_the_investigator_s_awareness() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",), "sponsor_is_site": True})
    course.susar("03-11 09:00", aware="03-09 23:50")
    assert course.clock(FIFTEEN).day0 == date(2026, 3, 9)
    course.criteria_changed("03-14 09:00", [LIFE_THREATENING], aware="03-12 09:00")
    assert course.clock(SEVEN).day0 == date(2026, 3, 12)


def test_rule_Sponsor_is_site_by_default_it_is_not(course: Course) -> None:
    course.susar("03-11 09:00", aware="03-09 23:50")
    assert course.clock(FIFTEEN).day0 == date(2026, 3, 11)


def test_rule_Late_qualification_by_criteria_counts_from_that_change(course: Course) -> None:
    course.reported("03-06 09:00")
    course.notified("03-06 10:00")
    commit_id = course.upgraded("03-12 09:00", aware="03-11 09:00")
    clock = course.clock(FIFTEEN)
    assert (clock.start_commit_id, clock.day0) == (commit_id, date(2026, 3, 12))
    course.notified("03-13 09:00", notified="03-11 09:00")
    assert course.clock(FIFTEEN).day0 == date(2026, 3, 11)


def test_rule_Late_qualification_by_causality_counts_from_the_judgement(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    course.notified("03-06 10:00")
    course.judged("03-07 09:00", Causality.UNRELATED)
    commit_id = course.judged("03-12 09:00", Causality.POSSIBLE, CausalityTarget.CELL_PRODUCT)
    clock = course.clock(FIFTEEN, number=1)
    assert (clock.start_commit_id, clock.day0) == (commit_id, date(2026, 3, 12))
    assert course.status(FIFTEEN, "03-12 10:00", number=0) is ClockStatus.CANCELLED


def test_rule_Late_qualification_by_expectedness_counts_from_the_judgement(course: Course) -> None:
    course.susar("03-06 09:00")
    course.expected("03-07 09:00")
    commit_id = course.expected("03-12 09:00", Expectedness.UNEXPECTED)
    clock = course.clock(FIFTEEN, number=1)
    assert (clock.start_commit_id, clock.day0) == (commit_id, date(2026, 3, 12))


def test_rule_Sponsor_upgrades_first_starts_the_sponsor_s_clocks_alone(course: Course) -> None:
    course.reported("03-06 09:00")
    commit_id = course.upgraded("03-07 09:00", LIFE_THREATENING, by=SPONSOR)
    assert course.types() == [SEVEN]
    assert course.clock(SEVEN).start_commit_id == commit_id


def test_rule_Status_a_clock_made_after_its_due_time_is_breached_at_once(course: Course) -> None:
    course.susar("03-10 09:00", aware="03-06 09:00")
    clock = course.clock(COMMITTEE)
    assert clock.due_at < clock.opened_at == clock.changed_at == course.at("03-10 09:00")
    assert clock.status(clock.opened_at) is ClockStatus.BREACHED


def test_rule_Status_a_clock_made_after_its_due_time_that_its_own_commit_meets_is_met_late_at_once(
    course: Course,
) -> None:
    course.susar("03-10 09:00", aware="03-06 09:00")
    clock = course.clock(ClockType.INV_SAE_24H)
    assert clock.status(clock.opened_at) is ClockStatus.MET_LATE
    assert clock.met_recorded_at == clock.opened_at == clock.changed_at


def test_rule_Status_running_breached_and_met_late(course: Course) -> None:
    course.susar("03-10 09:00", aware="03-10 08:00")
    assert course.status(COMMITTEE, "03-10 12:00") is ClockStatus.RUNNING
    assert course.status(COMMITTEE, "03-11 12:00") is ClockStatus.BREACHED
    course.submitted("03-11 13:00", EC)
    course.submitted("03-11 14:00", INSTITUTION)
    assert course.status(COMMITTEE, "03-11 15:00") is ClockStatus.MET_LATE
    assert course.clock(COMMITTEE).lateness(course.log.now) == timedelta(hours=6)


def test_rule_Timezone_a_clock_of_days_ends_at_midnight_of_the_site_which_is_16_00_UTC(course: Course) -> None:
    course.susar("03-20 09:00")
    assert course.clock(FIFTEEN).due_at == datetime(2026, 4, 4, 16, tzinfo=UTC)


def test_rule_Timezone_the_site_s_calendar_counts_where_clocks_change() -> None:
    course = Course(zone="Europe/Berlin", rules={"regimes": ("CN_DRUG",)})
    course.susar("03-22 23:30", LIFE_THREATENING)
    clock = course.clock(SEVEN)
    assert (clock.day0, clock.due_at) == (date(2026, 3, 22), datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert clock.warn_at == datetime(2026, 3, 27, 23, tzinfo=UTC)


def test_rule_Timezone_24_hours_are_24_hours_where_clocks_change() -> None:
    course = Course(zone="Europe/Berlin")
    course.susar("03-28 12:00", aware="03-28 12:00")
    assert course.clock(COMMITTEE).due_at == course.at("03-29 13:00")


@pytest.mark.parametrize(
    ("known", "due"),
    [
        pytest.param("02-28 12:00", "03-08 00:00", id="over the end of February"),
        pytest.param("03-31 12:00", "04-08 00:00", id="over the end of a month"),
        pytest.param("12-30 23:59", "01-07 00:00", id="over the end of the year"),
    ],
)
def test_rule_Timezone_days_count_over_the_ends_of_months(known: str, due: str) -> None:
    expected = site_time(due)
    expected = expected.replace(year=2027) if due.startswith("01") else expected
    assert within_days(site_time(known), 7, SafetyRules(), site_zone("Asia/Shanghai")).due_at == expected


def test_changes_of_causality_alone_do_not_move_a_running_clock(course: Course) -> None:
    course.susar("03-06 09:00")
    before = course.clock(FIFTEEN)
    course.judged("03-09 09:00", Causality.DEFINITE)
    assert course.clock(FIFTEEN) == before
