"""Later sessions: the auxiliary points beside the main schedule (visits.md section 2.1)."""

from datetime import date, datetime, timedelta

import pytest

from auxiliary_course import SECOND, SECOND_ENDS, two_sessions
from clinical_builders import T0, A, derived, hours, lab_result, session
from hepatrail_events.sessions import SessionCorrected, SessionVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.visits import compliance_at
from projection_log import SEALED
from visit_course import LATER, VisitCourse

THIRD = SECOND_ENDS + hours(30)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def course() -> VisitCourse:
    """Two sessions, three days apart."""
    return two_sessions()


def test_a_single_session_has_the_main_schedule_only() -> None:
    course = VisitCourse()
    course.session()
    assert len(course.rows()) == 14


def test_the_main_schedule_is_neither_reset_nor_repeated(course: VisitCourse) -> None:
    alone = VisitCourse()
    alone.session()
    main = {code: (row.earliest, row.ends) for code, row in course.rows().items() if row.series == "MAIN"}
    assert main == {code: (row.earliest, row.ends) for code, row in alone.rows().items()}


def test_each_later_session_has_its_series_from_its_own_end(course: VisitCourse) -> None:
    rows = course.rows()
    series = {code: (row.earliest, row.latest) for code, row in rows.items() if row.series == "AUXILIARY"}
    assert series == {
        "S2_P0_5_1H": (SECOND_ENDS + 30 * MINUTE, SECOND_ENDS + 60 * MINUTE),
        "S2_H12": (SECOND_ENDS + hours(10), SECOND_ENDS + hours(14)),
        "S2_H24": (SECOND_ENDS + hours(20), SECOND_ENDS + hours(28)),
    }
    assert {row.session_id for row in rows.values() if row.series == "AUXILIARY"} != {None}
    assert [row.ordinal for row in rows.values()] == list(range(len(rows)))


def test_its_items_are_the_25_without_adverse_events_and_survival(course: VisitCourse) -> None:
    required = course.rows()["S2_H12"].required
    assert len(required) == 25
    assert not {"AE", "SURV"} & set(required)


def test_the_items_of_auxiliary_points_are_the_protocols() -> None:
    course = VisitCourse(visits={"auxiliary_items": ["alt"]})
    course.session()
    course.session(SECOND, SECOND_ENDS)
    course.labs(SECOND_ENDS + hours(12), ["alt"])
    assert course.rows()["S2_H12"].required == ["alt"]
    assert course.status("S2_H12").status == "complete_in_window"


def test_an_auxiliary_point_has_a_status_of_its_own(course: VisitCourse) -> None:
    at = SECOND_ENDS + hours(12)
    assert course.status("S2_H12", SECOND_ENDS + hours(9)).status == "not_yet_due"
    assert course.status("S2_H12", at).status == "due"
    course.everything(at)
    assert course.status("S2_H12").status == "complete_in_window"
    assert course.status("S2_H24").status == "missed"


def test_while_a_later_session_runs_its_windows_are_undefined() -> None:
    course = VisitCourse()
    course.session()
    course.session(SECOND, None)
    row = course.rows()["S2_H12"]
    assert (row.earliest, row.target, row.ends) == (None, None, None)
    assert course.status("S2_H12").status == "not_yet_due"


def test_a_death_takes_the_place_of_the_end_of_a_later_session() -> None:
    course = VisitCourse()
    course.session()
    course.session(SECOND, None)
    course.death(SECOND + hours(2))
    found = course.status("S2_H12")
    assert (found.status, found.cause) == ("not_applicable", "DEATH")


def test_a_void_session_has_no_series_and_the_next_takes_its_number(course: VisitCourse) -> None:
    third = course.session(THIRD, THIRD + hours(5))
    rows = course.rows()
    assert rows["S3_H12"].session_id == third
    second = rows["S2_H12"].session_id
    assert second is not None
    course.record(SessionVoided(id=second, reason_code=VoidReason.DUPLICATE, reason_text=SEALED), THIRD + hours(9))
    rows = course.rows()
    assert rows["S2_H12"].session_id == third
    assert "S3_H12" not in rows


def test_a_next_session_before_the_window_opens_supersedes_the_point(course: VisitCourse) -> None:
    course.session(SECOND_ENDS + hours(19), SECOND_ENDS + hours(24))
    statuses = {code: course.status(code) for code in ("S2_P0_5_1H", "S2_H12", "S2_H24")}
    assert {code: found.status for code, found in statuses.items()} == {
        "S2_P0_5_1H": "missed",
        "S2_H12": "missed",
        "S2_H24": "not_applicable",
    }
    assert statuses["S2_H24"].cause == "SUPERSEDED"


def test_while_it_is_open_only_with_nothing_collected(course: VisitCourse) -> None:
    start = SECOND_ENDS + hours(22)
    course.session(start, start + hours(5))
    course.labs(start + hours(1), ["ast"])
    assert course.status("S2_H24").cause == "SUPERSEDED"
    course.labs(start - hours(1), ["alt"])
    found = course.status("S2_H24")
    assert (found.status, found.cause) == ("partial", None)


@pytest.mark.parametrize(
    ("offset", "status"),
    [
        (hours(20) - MINUTE, "not_applicable"),
        (hours(28), "not_applicable"),
        (hours(28) + MINUTE, "missed"),
    ],
)
def test_a_session_after_the_window_supersedes_nothing(course: VisitCourse, offset: timedelta, status: str) -> None:
    course.session(SECOND_ENDS + offset, SECOND_ENDS + offset + hours(5))
    assert course.status("S2_H24").status == status


def test_a_superseded_point_names_the_session_that_did_it(course: VisitCourse) -> None:
    course.session(SECOND_ENDS + hours(5), SECOND_ENDS + hours(9))
    third = course.state().later_sessions[1]
    assert set(third.event_ids) <= set(course.rows()["S2_H24"].event_ids)


def test_main_points_are_never_superseded() -> None:
    course = VisitCourse()
    course.session()
    course.session(A + hours(5), A + hours(9))
    course.session(A + hours(40), A + hours(45))
    causes = {row.code: course.status(row.code).cause for row in course.rows().values() if row.series == "MAIN"}
    assert set(causes.values()) == {None}
    assert course.status("H12").status == "missed"


def test_one_observation_may_serve_one_main_and_one_auxiliary_point(course: VisitCourse) -> None:
    at = SECOND_ENDS + hours(24)
    course.labs(at, ["alt"], visit="D5")
    assert course.status("D5").satisfied == ("alt",)
    assert course.status("S2_H24").satisfied == ("alt",)


def test_the_nearer_target_wins_among_auxiliary_points_too() -> None:
    first_end, second_end = A + hours(10), A + hours(20)
    sessions = [session(), session(A + hours(8), first_end), session(A + hours(18), second_end)]
    at = A + hours(33)  # 23 h after the second session, 13 h after the third: H24 and H12 both hold it, 1 h away
    result = derived([lab_result(at=at)], sessions)[2]
    assert [code for code, point in result.auxiliary.items() if point.used] == ["S2_H24"]
    nearer = derived([lab_result(at=at - hours(0.5))], sessions)[2]
    assert [code for code, point in nearer.auxiliary.items() if point.used] == ["S3_H12"]


def test_the_code_of_an_auxiliary_point_wins_there_and_leaves_the_main_point_to_the_windows() -> None:
    sessions = [session(), session(SECOND, SECOND_ENDS)]
    at = A + timedelta(days=5)
    result = derived([lab_result(at=at, visit="S2_H24")], sessions)[2]
    assert list(result.auxiliary["S2_H24"].used) == list(result.points["D5"].used) == ["alt"]
    assert not result.auxiliary["S2_H24"].used["alt"].placement.in_window
    assert result.impossible_codes == ()


@pytest.mark.parametrize(
    ("visit", "at"),
    [
        ("S2_H12", SECOND_ENDS),
        ("S3_H12", SECOND_ENDS + hours(12)),
        ("S1_H12", A + hours(12)),
        ("S2_D2", SECOND_ENDS + hours(12)),
        ("S2_H12", T0 - hours(1)),
    ],
)
def test_an_impossible_auxiliary_code_is_ignored_and_queried(visit: str, at: datetime) -> None:
    value = lab_result(at=at, visit=visit)
    assert derived([value], [session(), session(SECOND, SECOND_ENDS)])[2].impossible_codes == (value,)


def test_while_the_later_session_runs_its_code_waits() -> None:
    value = lab_result(at=SECOND + hours(9), visit="S2_P0_5_1H")
    result = derived([value], [session(), session(SECOND, None)])[2]
    assert result.impossible_codes == ()
    assert not any(point.used for point in result.auxiliary.values())


def test_a_date_alone_at_an_auxiliary_point_is_done_with_its_time_unknown() -> None:
    sessions = [session(), session(SECOND, SECOND_ENDS)]
    result = derived([lab_result(at=date(2026, 3, 14), visit="S2_H12")], sessions)[2]
    assert result.auxiliary["S2_H12"].used["alt"].placement.remark == "TIME_UNKNOWN"
    assert not derived([lab_result(at=date(2026, 3, 14))], sessions)[2].auxiliary["S2_H12"].used


def test_unscheduled_stays_unscheduled_beside_the_main_schedule() -> None:
    value = lab_result(at=SECOND_ENDS + hours(12), visit="UNS")
    result = derived([value], [session(), session(SECOND, SECOND_ENDS)])[2]
    assert result.unscheduled == (value,)
    assert not result.auxiliary["S2_H12"].used


def test_a_main_point_observed_during_a_later_session_counts_and_is_flagged() -> None:
    course = VisitCourse()
    course.session()
    begins = A + timedelta(days=1, hours=22)
    course.session(begins, begins + hours(5))
    course.everything(A + timedelta(days=2))
    found = course.status("D2")
    assert (found.status, len(found.during_session)) == ("complete_in_window", 25)
    only_d2 = [course.rows()["D2"]]
    counted = compliance_at(only_d2, LATER)
    assert (counted.numerator, counted.denominator, counted.outside_sessions) == (1, 1, 0)


@pytest.mark.parametrize(
    ("at", "flagged"), [(SECOND - MINUTE, False), (SECOND, True), (SECOND_ENDS - MINUTE, True), (SECOND_ENDS, False)]
)
def test_a_session_holds_its_start_and_not_its_end(course: VisitCourse, at: datetime, flagged: bool) -> None:
    [result_id] = course.labs(at, ["alt"], visit="D3")
    state = course.state()
    assert state.during_session(state.assigned[result_id].observation) is flagged
    assert course.rows()["D3"].done["alt"]["duringSession"] is flagged


def test_what_was_observed_during_the_first_session_is_not_flagged(course: VisitCourse) -> None:
    [result_id] = course.labs(T0 + hours(1), ["alt"])
    results = {each.result_id: each for each in course.state().assignment.unscheduled}
    assert not course.state().during_session(results[result_id])


def test_auxiliary_points_are_not_in_the_compliance_rate(course: VisitCourse) -> None:
    rows = course.rows().values()
    main = [row for row in rows if row.series == "MAIN"]
    assert compliance_at(rows, LATER) == compliance_at(main, LATER)
    assert compliance_at(rows, LATER).denominator == 14


def test_a_corrected_end_moves_the_windows_of_its_series(course: VisitCourse) -> None:
    second = course.rows()["S2_H12"].session_id
    assert second is not None
    moved = SECOND_ENDS + hours(2)
    correction = SessionCorrected(
        id=second, field="endedAt", new_value=moved.isoformat().replace("+00:00", "Z"), reason=SEALED
    )
    course.record(correction, SECOND_ENDS + timedelta(days=9))
    assert course.rows()["S2_H12"].earliest == moved + hours(10)
    before = course.rows(SECOND_ENDS + timedelta(days=8))["S2_H12"]
    assert before.earliest == SECOND_ENDS + hours(10)


def test_death_comes_before_a_superseding_session(course: VisitCourse) -> None:
    course.session(SECOND_ENDS + hours(2), SECOND_ENDS + hours(5))
    course.death(SECOND_ENDS + hours(6))
    assert course.status("S2_H12").cause == "DEATH"


def test_after_a_transplant_auxiliary_points_do_not_apply(course: VisitCourse) -> None:
    course.transplant(SECOND_ENDS + hours(2))
    course.session(SECOND_ENDS + hours(4), SECOND_ENDS + hours(6))
    assert course.status("S2_H24").cause == "TRANSPLANT"
    assert course.status("S2_P0_5_1H").status == "missed"
    assert course.status("SFU12").required == ("AE", "SURV")
