"""The clocks of an SAE related to the device (`safety.md` 5.2), and in what its route differs from that of drugs."""

from datetime import date

import pytest

from hepatrail_events.adverse_events import Causality, CausalityTarget
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from reporting_course import (
    AUTHORITIES,
    FOLLOW_UP,
    HOSPITALISATION,
    LIFE_THREATENING,
    NMPA,
    NULLIFICATION,
    SPONSOR,
    Course,
)

SEVEN, FIFTEEN = ClockType.DEV_7D, ClockType.DEV_15D
SITE = [ClockType.INV_SAE_24H, ClockType.EC_SAE_24H]


@pytest.fixture
def course() -> Course:
    return Course(rules={"regimes": ("CN_DEVICE",)})


def test_DEV_7D_is_due_at_the_end_of_the_seventh_day_and_met_by_the_device_authorities(course: Course) -> None:
    course.reported("03-10 23:50", LIFE_THREATENING)
    clock = course.clock(SEVEN)
    assert (clock.day0, clock.due_at) == (date(2026, 3, 10), course.at("03-18 00:00"))
    course.submitted("03-12 09:00", NMPA)
    assert course.status(SEVEN, "03-12 10:00") is ClockStatus.RUNNING
    course.submitted("03-17 09:00", AUTHORITIES)
    assert course.status(SEVEN, "03-17 10:00") is ClockStatus.MET


def test_DEV_7D_has_no_eight_days_after_it(course: Course) -> None:
    course.reported("03-10 09:00", LIFE_THREATENING)
    course.submitted("03-12 09:00", AUTHORITIES)
    assert course.types() == [*SITE, SEVEN]


def test_DEV_15D_is_due_at_the_end_of_the_fifteenth_day(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    assert course.types() == [*SITE, FIFTEEN]
    assert course.clock(FIFTEEN).due_at == course.at("03-26 00:00")
    course.submitted("03-27 09:00", AUTHORITIES)
    assert course.status(FIFTEEN, "03-27 10:00") is ClockStatus.MET_LATE


def test_DEV_15D_runs_whatever_is_expected(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.expected("03-11 09:00")
    assert course.status(FIFTEEN, "03-11 10:00") is ClockStatus.RUNNING


def test_DEV_15D_is_provisional_until_the_device_is_judged(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.judged("03-11 09:00", Causality.POSSIBLE, CausalityTarget.CELL_PRODUCT)
    assert course.clock(FIFTEEN).provisional
    course.judged("03-12 09:00", Causality.POSSIBLE, CausalityTarget.DEVICE)
    assert not course.clock(FIFTEEN).provisional
    course.judged("03-13 09:00", Causality.UNRELATED, CausalityTarget.DEVICE)
    assert course.status(FIFTEEN, "03-13 10:00") is ClockStatus.CANCELLED


def test_DEV_15D_is_not_provisional_once_the_sponsor_relates_it_to_the_device(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.judged("03-11 09:00", Causality.POSSIBLE, CausalityTarget.DEVICE, by=SPONSOR)
    assert not course.clock(FIFTEEN).provisional


def test_DEV_15D_is_met_by_a_report_of_any_kind_that_tells_of_the_event(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.submitted("03-11 09:00", AUTHORITIES, FOLLOW_UP)
    assert course.status(FIFTEEN, "03-11 10:00") is ClockStatus.MET


def test_DEV_15D_starts_when_the_sponsor_relates_to_the_device_what_the_site_did_not(course: Course) -> None:
    course.susar("03-10 09:00")
    assert course.types() == SITE
    commit_id = course.judged("03-12 09:00", Causality.PROBABLE, CausalityTarget.DEVICE, by=SPONSOR)
    clock = course.clock(FIFTEEN)
    assert (clock.start_commit_id, clock.day0, clock.provisional) == (commit_id, date(2026, 3, 12), False)


def test_DEV_7D_opens_beside_the_older_clock_when_it_grows_worse(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.submitted("03-11 09:00", AUTHORITIES)
    course.criteria_changed("03-12 09:00", [LIFE_THREATENING])
    assert course.status(FIFTEEN, "03-12 10:00") is ClockStatus.MET
    assert course.status(SEVEN, "03-12 10:00") is ClockStatus.RUNNING
    course.submitted("03-13 09:00", AUTHORITIES, FOLLOW_UP)
    assert course.status(SEVEN, "03-13 10:00") is ClockStatus.MET


def test_a_nullification_meets_no_clock_of_the_device_route(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.submitted("03-11 09:00", AUTHORITIES, NULLIFICATION)
    assert course.status(FIFTEEN, "03-11 10:00") is ClockStatus.RUNNING


def test_a_device_SAE_that_falls_away_after_its_report_stays_met_and_opens_nothing(course: Course) -> None:
    course.reported("03-10 09:00", HOSPITALISATION)
    course.submitted("03-11 09:00", AUTHORITIES)
    course.judged("03-12 09:00", Causality.UNRELATED)
    assert course.types() == [*SITE, FIFTEEN]
    assert course.status(FIFTEEN, "03-12 10:00") is ClockStatus.MET


def test_both_routes_run_and_the_earliest_due_comes_first() -> None:
    course = Course()
    course.reported("03-10 09:00", HOSPITALISATION)
    course.criteria_changed("03-12 09:00", [LIFE_THREATENING])
    day_clocks = [each for each in course.clocks() if each.day0 is not None]
    assert [each.type for each in day_clocks] == [SEVEN, ClockType.SUSAR_7D, FIFTEEN, ClockType.SUSAR_15D]
    assert [each.due_at for each in day_clocks] == sorted(each.due_at for each in day_clocks)
