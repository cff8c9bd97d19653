"""Clocks and protocol versions (`safety.md` 5.2 and 10): regimes, and what a version that takes effect does."""

from datetime import date, timedelta

import pytest

from hepatrail_events.adverse_events import Causality
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from hepatrail_projections.protocol_course import protocol_under, took_effect_between
from reporting_course import FOLLOW_UP, HOSPITALISATION, LIFE_THREATENING, NMPA, Course

INV, COMMITTEE = ClockType.INV_SAE_24H, ClockType.EC_SAE_24H
FIFTEEN, DEVICE_FIFTEEN = ClockType.SUSAR_15D, ClockType.DEV_15D


@pytest.mark.parametrize(
    ("regimes", "expected"),
    [
        pytest.param(("CN_DRUG", "CN_DEVICE"), [INV, COMMITTEE, FIFTEEN, DEVICE_FIFTEEN], id="both routes"),
        pytest.param(("CN_DRUG",), [INV, COMMITTEE, FIFTEEN], id="the drug route"),
        pytest.param(("CN_DEVICE",), [INV, COMMITTEE, DEVICE_FIFTEEN], id="the device route"),
    ],
)
def test_REGIMES_say_which_routes_run(regimes: tuple[str, ...], expected: list[ClockType]) -> None:
    course = Course(rules={"regimes": regimes})
    course.reported("03-06 09:00", HOSPITALISATION)
    assert course.types() == expected


def test_DEVICE_CLOCK_INCLUDES_PROCEDURE_asks_for_the_procedure_too() -> None:
    course = Course(rules={"regimes": ("CN_DEVICE",), "device_clock_includes_procedure": True})
    course.susar("03-06 09:00")
    assert course.clock(DEVICE_FIFTEEN).provisional


def test_the_protocol_says_how_long_before_a_clock_warns_and_how_long_a_follow_up_takes() -> None:
    rules = {"regimes": ("CN_DRUG",), "clock_warning_hours": 1, "clock_warning_days": 3, "follow_up_days": 10}
    course = Course(rules=rules)
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    course.followed_up("03-08 09:00")
    assert course.clock(COMMITTEE).warn_at == course.at("03-07 08:00")
    assert course.clock(FIFTEEN).warn_at == course.at("03-19 00:00")
    assert course.clock(ClockType.SUSAR_FU_15D).due_at == course.at("03-19 00:00")


def test_a_version_that_takes_effect_opens_what_it_demands_with_the_publication_s_commit() -> None:
    course = Course(rules={"regimes": ("CN_DEVICE",)})
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    course.notified("03-06 10:00")
    course.publish("03-08 09:00", "2.0", effective="03-10 00:00", regimes=("CN_DRUG", "CN_DEVICE"))
    publication = course.study.protocols[-1].row
    assert FIFTEEN not in course.types("03-09 23:59")
    clock = course.clock(FIFTEEN, "03-10 00:00")
    assert (clock.start_commit_id, clock.start_event_ids) == (publication.commit_id, publication.event_ids)
    assert (clock.opened_at, clock.day0) == (course.at("03-10 00:00"), date(2026, 3, 10))
    assert (clock.protocol_version, course.clock(DEVICE_FIFTEEN).protocol_version) == ("2.0", "1.0")


def test_a_version_that_asks_for_the_committee_s_clock_starts_it_when_it_takes_effect() -> None:
    course = Course(rules={"ec_sae_24h": False})
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    course.publish("03-10 09:00", "2.0", ec_sae_24h=True)
    clock = course.clock(COMMITTEE)
    assert (clock.started_at, clock.due_at) == (course.at("03-10 09:00"), course.at("03-11 09:00"))
    assert course.clock(INV).started_at == course.at("03-06 08:00")


def test_a_version_without_a_route_cancels_its_clocks_and_asks_for_nothing_more() -> None:
    course = Course()
    course.reported("03-06 09:00", HOSPITALISATION)
    course.submitted("03-07 09:00", NMPA)
    course.publish("03-08 09:00", "2.0", regimes=("CN_DEVICE",))
    course.publish("03-09 09:00", "3.0", regimes=())
    assert course.status(FIFTEEN, "03-09 10:00") is ClockStatus.MET
    assert course.status(DEVICE_FIFTEEN, "03-08 10:00") is ClockStatus.RUNNING
    assert course.status(DEVICE_FIFTEEN, "03-09 10:00") is ClockStatus.CANCELLED
    assert course.clock(DEVICE_FIFTEEN).cancel_event_ids == course.study.protocols[-1].row.event_ids
    assert ClockType.SUSAR_FU_15D not in course.types()


def test_another_RELATED_SET_is_a_late_qualification() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",), "related_set": ("DEFINITE",)})
    course.reported("03-06 09:00", HOSPITALISATION)
    course.judged("03-07 09:00", Causality.PROBABLE)
    assert course.status(FIFTEEN, "03-07 10:00") is ClockStatus.CANCELLED
    course.publish("03-12 09:00", "2.0", related_set=("DEFINITE", "PROBABLE"))
    assert course.clock(FIFTEEN, number=1).day0 == date(2026, 3, 12)


def test_a_running_clock_keeps_the_rules_of_the_version_under_which_it_opened() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00", LIFE_THREATENING, aware="03-05 09:00")
    course.submitted("03-07 09:00", NMPA)
    before = course.clocks()
    course.publish("03-08 09:00", "2.0", sponsor_is_site=True, fu8_from="DAY7", clock_warning_days=5)
    assert course.clocks() == before


def test_a_commit_that_did_not_know_of_a_version_comes_before_it() -> None:
    course = Course(rules={"regimes": ("CN_DEVICE",)})
    course.publish("03-06 09:00", "2.0", regimes=("CN_DRUG",))
    course.log._studyseq -= 1
    course.reported("03-06 09:01", HOSPITALISATION)
    course.log._studyseq += 1
    publication = course.study.protocols[-1].row
    assert course.status(DEVICE_FIFTEEN, "03-06 09:01") is ClockStatus.CANCELLED
    clock = course.clock(FIFTEEN)
    assert (clock.start_commit_id, clock.opened_at) == (publication.commit_id, course.at("03-06 09:01"))
    course.followed_up("03-06 12:00")
    assert course.clock(FIFTEEN) == clock


def test_a_version_is_never_followed_by_an_older_one() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.reported("03-05 09:00", HOSPITALISATION)
    course.publish("03-06 09:00", "2.0", regimes=("CN_DEVICE",))
    course.followed_up("03-06 10:00")
    course.log._studyseq -= 1
    course.followed_up("03-06 11:00")
    assert course.status(FIFTEEN, "03-06 12:00") is ClockStatus.CANCELLED
    assert [each.type for each in course.clocks()].count(FIFTEEN) == 1


def test_without_a_protocol_in_force_there_is_no_clock() -> None:
    course = Course()
    course.reported("03-06 09:00", HOSPITALISATION)
    study = course.study
    assert protocol_under(study, course.at("03-06 09:00"), 0) is None
    assert protocol_under(study, course.at("02-27 09:00"), 1) is None


def test_versions_take_effect_in_the_order_of_their_time_and_then_of_their_publication() -> None:
    course = Course()
    course.publish("03-02 09:00", "2.0", effective="03-20 00:00")
    course.publish("03-03 09:00", "3.0", effective="03-10 00:00")
    course.publish("03-04 09:00", "4.0", effective="03-10 00:00")
    study = course.study
    first, second, third, fourth = study.protocols
    assert took_effect_between(study, None, second) == (first, third, fourth, second)
    assert took_effect_between(study, third, second) == (fourth, second)
    assert took_effect_between(study, second, second) == ()
    assert protocol_under(study, course.at("03-15 00:00"), 9) is fourth
    assert protocol_under(study, course.at("03-15 00:00"), third.row.streamseq) is third
    assert protocol_under(study, second.row.effective_from - timedelta(milliseconds=1), 9) is fourth
    assert protocol_under(study, second.row.effective_from, 9) is second


def test_the_follow_up_of_a_version_that_lets_a_SUSAR_fall_away_is_due_from_its_effect() -> None:
    course = Course(rules={"regimes": ("CN_DRUG",)})
    course.susar("03-06 09:00")
    course.submitted("03-07 09:00", NMPA)
    course.publish("03-10 09:00", "2.0", related_set=("DEFINITE",))
    clock = course.clock(ClockType.SUSAR_FU_15D)
    assert (clock.start_commit_id, clock.day0) == (course.study.protocols[-1].row.commit_id, date(2026, 3, 10))
    course.submitted("03-11 09:00", NMPA, FOLLOW_UP)
    assert course.status(ClockType.SUSAR_FU_15D, "03-11 10:00") is ClockStatus.MET
