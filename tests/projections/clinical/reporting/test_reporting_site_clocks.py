"""The two clocks of 24 hours of the site (`safety.md` 5.2): one test a row, and what the rules say of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hepatrail_events.adverse_events import AECorrected
from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.reporting.clock import ClockStatus, ClockType
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.subject_view import fold_all
from projection_log import SEALED
from reporting_course import (
    EC,
    FOLLOW_UP,
    HOSPITALISATION,
    INSTITUTION,
    LIFE_THREATENING,
    NMPA,
    SPONSOR,
    SUBJECT,
    Course,
)

INV, COMMITTEE = ClockType.INV_SAE_24H, ClockType.EC_SAE_24H


@pytest.fixture
def course() -> Course:
    return Course(treated=False)


def test_INV_SAE_24H_runs_from_the_awareness_of_seriousness_and_is_met_by_the_recording(course: Course) -> None:
    course.reported("03-06 09:00", aware="03-06 08:00")
    commit_id = course.upgraded("03-08 11:00", aware="03-07 20:00")
    clock = course.clock(INV)
    assert (clock.started_at, clock.due_at) == (course.at("03-07 20:00"), course.at("03-08 20:00"))
    assert (clock.met_at, clock.met_recorded_at) == (course.at("03-08 11:00"), course.at("03-08 11:00"))
    assert (clock.start_commit_id, clock.opened_at, clock.day0) == (commit_id, course.at("03-08 11:00"), None)
    assert clock.status(clock.due_at + timedelta(days=9)) is ClockStatus.MET


def test_INV_SAE_24H_includes_the_last_instant_of_24_hours(course: Course) -> None:
    course.reported("03-08 20:00", HOSPITALISATION, aware="03-07 20:00")
    assert course.status(INV, "03-08 20:00") is ClockStatus.MET
    late = Course(treated=False)
    late.reported("03-08 20:01", HOSPITALISATION, aware="03-07 20:00")
    assert late.status(INV, "03-08 20:01") is ClockStatus.MET_LATE
    assert late.clock(INV).lateness(late.log.now) == timedelta(minutes=1)


def test_INV_SAE_24H_is_met_when_the_gateway_received_the_event_not_when_it_was_recorded(course: Course) -> None:
    course.reported("03-07 20:30", HOSPITALISATION, aware="03-06 20:00")
    *before, last = course.recorded
    envelope = replace(last.envelope, receivedat=course.at("03-07 19:59"))
    own = [each for each in (*before, replace(last, envelope=envelope)) if each.envelope.stream == course.stream]
    found = clocks_of(fold_all(SUBJECT, own), course.study, course.log.now)[course.ae_id]
    clock = next(each for each in found if each.type is INV)
    assert (clock.met_at, clock.met_recorded_at) == (course.at("03-07 19:59"), course.at("03-07 20:30"))
    assert clock.status(course.log.now) is ClockStatus.MET


def test_INV_SAE_24H_was_met_by_an_earlier_notification_of_the_sponsor(course: Course) -> None:
    course.reported("03-09 09:00", HOSPITALISATION, aware="03-07 20:00")
    assert course.status(INV, "03-09 09:00") is ClockStatus.MET_LATE
    course.notified("03-09 10:00", notified="03-07 21:00")
    clock = course.clock(INV)
    assert (clock.met_at, clock.met_recorded_at) == (course.at("03-07 21:00"), course.at("03-09 09:00"))
    assert clock.status(course.log.now) is ClockStatus.MET
    assert course.status(INV, "03-09 09:30") is ClockStatus.MET_LATE


def test_INV_SAE_24H_is_not_met_by_a_notification_from_before_it_was_known_to_be_serious(course: Course) -> None:
    course.reported("03-06 09:00")
    course.notified("03-06 10:00")
    course.upgraded("03-09 09:00", aware="03-07 20:00")
    assert course.clock(INV).met_at == course.at("03-09 09:00")


def test_INV_SAE_24H_starts_anew_when_the_investigator_finds_it_serious_again(course: Course) -> None:
    first = course.reported("03-06 09:00", HOSPITALISATION)
    course.downgraded("03-07 09:00")
    second = course.upgraded("03-08 09:00")
    clocks = [each for each in course.clocks() if each.type is INV]
    assert [each.start_commit_id for each in clocks] == [first, second]
    assert [each.status(course.log.now) for each in clocks] == [ClockStatus.MET, ClockStatus.MET]


def test_INV_SAE_24H_warns_six_hours_before_it_is_due(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    assert course.clock(INV).warn_at == course.at("03-07 03:00")


def test_a_corrected_time_of_awareness_moves_the_site_s_clocks(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    before = course.clock(COMMITTEE)
    new = course.at("03-05 20:00")
    corrected = AECorrected(
        ae_id=course.ae_id, ae_version=2, field="awareAt", new_value=format_instant(new), reason=SEALED
    )
    course.commit("03-06 12:00", corrected)
    clock = course.clock(COMMITTEE)
    assert (clock.started_at, clock.changed_at) == (new, course.at("03-06 12:00"))
    assert (clock.clock_id, clock.opened_at) == (before.clock_id, before.opened_at)


def test_EC_SAE_24H_is_met_by_committee_and_institution(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    assert course.clock(COMMITTEE).due_at == course.at("03-07 08:00")
    course.submitted("03-06 15:00", EC, handed="03-06 14:00")
    assert course.status(COMMITTEE, "03-06 16:00") is ClockStatus.RUNNING
    course.submitted("03-06 18:00", INSTITUTION, handed="03-06 12:00")
    clock = course.clock(COMMITTEE)
    assert clock.status(course.log.now) is ClockStatus.MET
    assert clock.met_recorded_at == course.at("03-06 18:00")
    assert len(clock.met_event_ids) == 2


def test_rule_Status_two_recipient_clocks_are_met_by_the_later_submission(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    course.submitted("03-06 15:00", EC)
    course.submitted("03-07 08:01", INSTITUTION)
    clock = course.clock(COMMITTEE)
    assert (clock.met_at, clock.status(course.log.now)) == (course.at("03-07 08:01"), ClockStatus.MET_LATE)


def test_EC_SAE_24H_is_breached_the_instant_after_its_24_hours(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION, aware="03-06 08:00")
    clock = course.clock(COMMITTEE)
    assert clock.status(clock.due_at) is ClockStatus.RUNNING
    assert clock.status(clock.due_at + timedelta(milliseconds=1)) is ClockStatus.BREACHED


def test_EC_SAE_24H_is_not_met_by_reports_to_others(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    course.submitted("03-06 10:00", EC)
    course.submitted("03-06 10:00", NMPA)
    assert course.status(COMMITTEE, "03-06 11:00") is ClockStatus.RUNNING


def test_EC_SAE_24H_counts_what_was_handed_over_before_the_recording(course: Course) -> None:
    course.reported("03-07 09:00", HOSPITALISATION, aware="03-06 08:00")
    course.submitted("03-07 09:10", EC, handed="03-06 10:00")
    course.submitted("03-07 09:10", INSTITUTION, handed="03-06 11:00")
    assert course.status(COMMITTEE, "03-07 10:00") is ClockStatus.MET


def test_EC_SAE_24H_counts_what_was_handed_over_before_the_stated_awareness(course: Course) -> None:
    course.reported("03-07 09:00", HOSPITALISATION, aware="03-07 08:00")
    course.submitted("03-07 09:10", EC, handed="03-07 07:00")
    course.submitted("03-07 09:10", INSTITUTION, handed="03-07 07:00")
    assert course.status(COMMITTEE, "03-07 10:00") is ClockStatus.MET


def test_EC_SAE_24H_asks_for_another_report_when_it_becomes_serious_again(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    course.submitted("03-06 10:00", EC)
    course.submitted("03-06 10:00", INSTITUTION)
    course.downgraded("03-07 09:00")
    course.upgraded("03-08 09:00", LIFE_THREATENING)
    assert course.status(COMMITTEE, "03-08 10:00", number=0) is ClockStatus.MET
    assert course.status(COMMITTEE, "03-08 10:00", number=1) is ClockStatus.RUNNING
    course.submitted("03-08 11:00", EC, FOLLOW_UP)
    course.submitted("03-08 11:00", INSTITUTION, FOLLOW_UP)
    assert course.status(COMMITTEE, "03-08 12:00", number=1) is ClockStatus.MET


def test_EC_SAE_24H_runs_only_where_the_protocol_wants_it() -> None:
    course = Course(treated=False, rules={"ec_sae_24h": False})
    course.reported("03-06 09:00", HOSPITALISATION)
    assert course.types() == [INV]


def test_EC_SAE_24H_is_cancelled_when_the_event_is_found_not_serious_before_the_report(course: Course) -> None:
    course.reported("03-06 09:00", HOSPITALISATION)
    course.submitted("03-06 10:00", EC)
    course.downgraded("03-06 12:00")
    clock = course.clock(COMMITTEE)
    assert (clock.status(course.log.now), clock.cancelled_at) == (ClockStatus.CANCELLED, course.at("03-06 12:00"))
    assert course.status(INV, "03-06 12:00") is ClockStatus.MET


def test_rule_Sponsor_upgrades_first_the_site_s_clocks_run_from_the_investigator_s_own_finding_only() -> None:
    course = Course()
    course.reported("03-06 09:00")
    course.upgraded("03-07 09:00", by=SPONSOR)
    assert course.types() == [ClockType.SUSAR_15D, ClockType.DEV_15D]
    own = course.upgraded("03-09 09:00", aware="03-09 08:00")
    assert course.types() == [INV, COMMITTEE, ClockType.SUSAR_15D, ClockType.DEV_15D]
    assert course.clock(COMMITTEE).start_commit_id == own
    assert course.clock(ClockType.SUSAR_15D).day0 == course.at("03-07 09:00").date()


def test_a_serious_event_before_any_treatment_has_the_site_s_clocks_alone(course: Course) -> None:
    course.susar("03-06 09:00", LIFE_THREATENING)
    assert course.types() == [INV, COMMITTEE]


def test_what_was_never_serious_has_no_clock() -> None:
    course = Course()
    course.reported("03-06 09:00")
    course.followed_up("03-07 09:00")
    assert course.clocks() == ()
