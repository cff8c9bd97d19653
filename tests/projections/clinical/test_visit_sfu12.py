"""SFU12, owed a year after the last of several sessions (visits.md section 2.1)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from auxiliary_course import SECOND, SECOND_ENDS, two_sessions
from clinical_builders import A, hours
from hepatrail_events.sessions import EndReason, SessionEnded
from visit_course import VisitCourse


@pytest.fixture
def course() -> VisitCourse:
    """Two sessions, three days apart."""
    return two_sessions()


def test_sfu12_is_owed_where_the_last_session_ended_on_a_later_date(course: VisitCourse) -> None:
    row = course.rows()["SFU12"]
    assert (row.series, row.required) == ("SAFETY_FOLLOW_UP", ["AE", "SURV"])
    assert (row.first_date, row.last_date) == (date(2027, 2, 27), date(2027, 3, 27))
    assert row.target == SECOND_ENDS + timedelta(days=365)


def test_sfu12_is_not_owed_where_it_would_be_m12() -> None:
    course = VisitCourse()
    course.session()
    course.session(A + hours(1), A + hours(7))
    assert course.rows()["M12"].target is not None
    assert "SFU12" not in course.rows()  # both sessions ended on 10 March at the site
    clamped = VisitCourse()
    clamped.session(datetime(2028, 2, 28, 2, tzinfo=UTC), datetime(2028, 2, 28, 8, tzinfo=UTC))
    clamped.session(datetime(2028, 2, 29, 2, tzinfo=UTC), datetime(2028, 2, 29, 8, tzinfo=UTC))
    assert "SFU12" not in clamped.rows()  # 29 February and 12 months is 28 February, the target of M12


def test_sfu12_appears_when_the_last_session_has_ended() -> None:
    course = VisitCourse()
    course.session()
    second = course.session(SECOND, None)
    assert "SFU12" not in course.rows()
    course.record(SessionEnded(session_id=second, ended_at=SECOND_ENDS, reason=EndReason.COMPLETED), SECOND_ENDS)
    assert "SFU12" in course.rows()


def test_sfu12_is_not_owed_where_the_schedule_counts_from_the_last_session() -> None:
    course = VisitCourse(anchor="LAST_SESSION_END")
    course.session()
    course.session(SECOND, SECOND_ENDS)
    assert "SFU12" not in course.rows()


def test_sfu12_is_complete_with_an_assessment_and_a_survival_status(course: VisitCourse) -> None:
    at = SECOND_ENDS + timedelta(days=370)
    course.ae(at)
    assert course.status("SFU12").status == "partial"
    course.survival(at)
    assert course.status("SFU12").status == "complete_in_window"
    assert course.status("M12").satisfied == ("AE", "SURV")


def test_the_days_around_sfu12_are_the_protocols() -> None:
    course = VisitCourse(visits={"safety_follow_up_days": 3})
    course.session()
    course.session(SECOND, SECOND_ENDS)
    row = course.rows()["SFU12"]
    assert (row.first_date, row.last_date) == (date(2027, 3, 10), date(2027, 3, 16))
