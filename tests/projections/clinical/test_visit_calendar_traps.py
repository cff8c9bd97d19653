"""Midnight at the site, month ends, leap years, a moved anchor, another protocol (visits.md sections 2, 3, 5, 6)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from clinical_builders import T0, A, derived, hours, lab_result, session
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.measurements import LabResultVoided
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.sessions import (
    EndReason,
    SessionCorrected,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    SessionVoided,
)
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.clinical.baseline import baseline_values
from hepatrail_projections.clinical.visits import DEFAULT_PLAN
from hepatrail_projections.plan import visit_plan
from log_commits import publish
from projection_log import SEALED
from visit_course import LATER, VisitCourse

MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def course_of(started: datetime, ended: datetime) -> VisitCourse:
    course = VisitCourse()
    course.session(started, ended)
    return course


def window(course: VisitCourse, code: str) -> tuple[date | None, date | None]:
    row = course.rows()[code]
    return row.first_date, row.last_date


def test_a_session_that_ends_at_1630_utc_anchors_on_11_march() -> None:
    course = course_of(utc(2026, 3, 10, 10), utc(2026, 3, 10, 16, 30))
    assert window(course, "D2") == (date(2026, 3, 13), date(2026, 3, 13))
    assert course.rows()["D2"].earliest == utc(2026, 3, 12, 16)


def test_the_half_to_one_hour_window_may_cross_midnight_at_the_site() -> None:
    course = course_of(utc(2026, 3, 10, 9), utc(2026, 3, 10, 15, 15))
    course.everything(utc(2026, 3, 10, 16, 5))
    assert course.status("P0_5_1H").status == "complete_in_window"


@pytest.mark.parametrize(
    ("at", "point"),
    [
        (utc(2026, 3, 11, 16) - MILLISECOND, None),
        (utc(2026, 3, 11, 16), "D2"),
        (utc(2026, 3, 12, 16) - MILLISECOND, "D2"),
        (utc(2026, 3, 12, 16), "D3"),
    ],
)
def test_days_change_at_midnight_of_the_site(at: datetime, point: str | None) -> None:
    result = derived([lab_result(at=at)], [session()])[2]
    assert [code for code, found in result.points.items() if found.used] == ([] if point is None else [point])


def test_31_august_and_6_months_is_the_last_of_february() -> None:
    course = course_of(utc(2026, 8, 31, 2), utc(2026, 8, 31, 8))
    assert course.rows()["M6"].target == utc(2027, 2, 28, 8)
    assert course.rows()["M12"].target == utc(2027, 8, 31, 8)


def test_31_august_before_a_leap_year() -> None:
    course = course_of(utc(2027, 8, 31, 2), utc(2027, 8, 31, 8))
    assert course.rows()["M6"].target == utc(2028, 2, 29, 8)
    assert window(course, "M6") == (date(2028, 2, 15), date(2028, 3, 14))


def test_29_february_and_12_months_is_28_february() -> None:
    course = course_of(utc(2028, 2, 29, 2), utc(2028, 2, 29, 8))
    assert course.rows()["M12"].target == utc(2029, 2, 28, 8)
    assert window(course, "D2") == (date(2028, 3, 2), date(2028, 3, 2))


def test_weeks_cross_a_leap_day_and_a_year() -> None:
    assert window(course_of(utc(2028, 2, 20, 2), utc(2028, 2, 20, 8)), "W2") == (date(2028, 3, 3), date(2028, 3, 7))
    assert window(course_of(utc(2026, 12, 30, 2), utc(2026, 12, 30, 8)), "D3") == (date(2027, 1, 2), date(2027, 1, 2))


@pytest.mark.parametrize(("hours_after", "point"), [(23.0, "H24"), (28.0, "H24"), (28.25, "D2"), (35.0, "D2")])
def test_h24_and_d2_overlap_when_the_session_ends_late_in_the_evening(hours_after: float, point: str) -> None:
    late = utc(2026, 3, 10, 15, 45)  # 23:45 at the site: D2 begins 24 h 15 min after
    result = derived([lab_result(at=late + hours(hours_after))], [session(ended=late)])[2]
    assert [code for code, found in result.points.items() if found.used] == [point]


def test_in_the_overlap_an_explicit_code_decides() -> None:
    late = utc(2026, 3, 10, 15, 45)
    at = late + hours(25)
    result = derived([lab_result(at=at, visit="D2")], [session(ended=late)])[2]
    assert result.points["D2"].used["alt"].placement.in_window


def test_in_the_overlap_one_observation_serves_one_of_the_two() -> None:
    late = utc(2026, 3, 10, 15, 45)
    result = derived([lab_result(at=late + hours(27))], [session(ended=late)])[2]
    assert [code for code, found in result.points.items() if found.candidates] == ["H24"]


def test_a_pause_inside_a_session_is_not_its_end() -> None:
    course = VisitCourse()
    session_id = course.session(T0, None)
    course.record(SessionPaused(session_id=session_id, at=T0 + hours(1), reason=SEALED), T0 + hours(1))
    assert course.state().anchored is not None
    assert course.rows()["P0_5_1H"].earliest is None
    course.record(SessionResumed(session_id=session_id, at=T0 + hours(2)), T0 + hours(2))
    course.record(SessionEnded(session_id=session_id, ended_at=A, reason=EndReason.CLOTTING), A)
    assert course.rows()["P0_5_1H"].earliest == A + 30 * MINUTE


def test_without_an_end_the_windows_are_undefined_and_nothing_is_due() -> None:
    course = VisitCourse()
    course.session(T0, None)
    statuses = {code: course.status(code).status for code in course.rows()}
    assert statuses.pop("BL") == "missed"
    assert set(statuses.values()) == {"not_yet_due"}


def test_a_corrected_end_moves_anchor_windows_assignment_and_status() -> None:
    course = course_of(T0, A)
    course.everything(A + timedelta(days=2))
    session_id = course.state().sessions[0].session_id
    moved = SessionCorrected(id=session_id, field="endedAt", new_value="2026-03-09T16:00:00.000Z", reason=SEALED)
    when = A + timedelta(days=40)
    course.record(moved, when)
    assert window(course, "D2") == (date(2026, 3, 12), date(2026, 3, 12))
    further = SessionCorrected(id=session_id, field="endedAt", new_value="2026-03-11T16:30:00.000Z", reason=SEALED)
    course.record(further, when + hours(1))
    assert window(course, "D2") == (date(2026, 3, 14), date(2026, 3, 14))
    assert course.status("D2").status == "missed"
    assert course.status("D2", when).status == "complete_in_window"


def test_a_void_first_session_gives_t0_and_anchor_to_the_next_and_past_answers_stay() -> None:
    course = course_of(T0, A)
    course.everything(A + timedelta(days=2))
    second = A + timedelta(days=3)
    course.session(second, second + hours(6))
    first = course.state().sessions[0].session_id
    when = A + timedelta(days=40)
    course.record(SessionVoided(id=first, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED), when)
    row = course.rows()["BL"]
    assert row.t0 == second
    assert course.status("BL").status == "complete_in_window"
    assert course.status("D2").status == "missed"
    assert (course.status("D2", when).status, course.status("BL", when).status) == ("complete_in_window", "missed")


def test_t0_moves_and_baseline_is_derived_again() -> None:
    values = [lab_result(value="10", at=T0 - hours(3)), lab_result(value="20", at=T0 - hours(1))]
    anchored, _, result = derived(values, [session()])
    assert baseline_values(result, anchored)["alt"] == values[1]
    earlier = session(T0 - hours(2), A)
    anchored, _, result = derived(values, [earlier])
    assert baseline_values(result, anchored)["alt"] == values[0]


def test_later_sessions_never_re_set_the_baseline() -> None:
    first, later = lab_result(value="10", at=T0 - hours(3)), lab_result(value="20", at=A + hours(30))
    second = session(A + hours(31), A + hours(37))
    anchored, _, result = derived([first, later], [session(), second])
    assert baseline_values(result, anchored) == {"alt": first}


def test_each_parameter_has_its_own_baseline_observation() -> None:
    values = [lab_result("alt", at=T0 - hours(3)), lab_result("ast", at=T0 - timedelta(days=5))]
    anchored, _, result = derived(values, [session()])
    assert baseline_values(result, anchored) == {"alt": values[0], "ast": values[1]}


def test_a_void_baseline_value_gives_way_to_the_one_before() -> None:
    course = VisitCourse()
    [older] = course.labs(T0 - hours(9), ["alt"])
    [newer] = course.labs(T0 - hours(3), ["alt"])
    course.session()

    def baseline() -> object:
        state = course.state()
        return baseline_values(state.assignment, state.anchored)["alt"].result_id

    assert baseline() == newer
    course.record(LabResultVoided(id=newer, reason_code=VoidReason.DUPLICATE, reason_text=SEALED), A)
    assert baseline() == older


def test_the_look_back_is_the_protocols() -> None:
    course = VisitCourse(baseline_lookback_days=3)
    course.labs(T0 - timedelta(days=4), ["alt"])
    course.session()
    state = course.state()
    assert baseline_values(state.assignment, state.anchored) == {}


@pytest.mark.parametrize(
    ("rule", "anchor_date"),
    [
        ("FIRST_SESSION_END", date(2026, 3, 10)),
        ("LAST_SESSION_END", date(2026, 3, 14)),
        ("FIRST_SESSION_START", date(2026, 3, 10)),
    ],
)
def test_a_protocol_may_anchor_elsewhere(rule: str, anchor_date: date) -> None:
    course = VisitCourse(anchor=rule)
    course.session()
    course.session(A + timedelta(days=4), A + timedelta(days=4, hours=6))
    assert window(course, "D2")[0] == anchor_date + timedelta(days=2)


def test_another_protocol_version_derives_anew_from_when_it_takes_effect() -> None:
    course = course_of(T0, A)
    course.everything(A + timedelta(days=4), visit="D3")
    when = A + timedelta(days=60)
    assert course.status("D3", when).status == "complete_out_of_window"
    points = [
        point.model_copy(update={"days_after": 1}) if point.code == "D3" else point
        for point in shipped_protocol().points
    ]
    course.log.now = when
    publish(course.log, "2.0", when + hours(1), points=points)
    assert course.status("D3", LATER).status == "complete_in_window"
    assert course.rows(LATER)["D3"].protocol_version == "2.0"
    assert course.status("D3", when).status == "complete_out_of_window"


def test_a_protocol_whose_date_windows_overlap_is_refused() -> None:
    protocol = shipped_protocol()
    points = tuple(
        point.model_copy(update={"days_after": 2}) if point.code == "D3" else point for point in protocol.points
    )
    with pytest.raises(InvalidPayload, match="D3 and D5"):
        visit_plan(protocol.model_copy(update={"points": points}))


def test_the_plan_of_the_shipped_protocol_is_the_default_one() -> None:
    plan = visit_plan(shipped_protocol())
    assert replace(plan, score_max_spread=DEFAULT_PLAN.score_max_spread) == DEFAULT_PLAN


def test_an_observation_counts_by_its_collection_and_never_by_its_entry() -> None:
    course = course_of(T0, A)
    course.labs(A + timedelta(days=2), ["alt"], recorded=A + timedelta(days=5))
    assert course.status("D2").satisfied == ("alt",)
    assert course.status("D5").satisfied == ()


def test_pre_session_makes_the_day_of_t0_baseline() -> None:
    anchored, _, result = derived([lab_result(at=date(2026, 3, 10), pre_session=True)], [session()])
    assert list(baseline_values(result, anchored)) == ["alt"]
    anchored, _, result = derived([lab_result(at=date(2026, 3, 10))], [session()])
    assert baseline_values(result, anchored) == {}
