"""SES-07 and INV-16: what is unusual about a session, until it is mended or said why."""

from datetime import timedelta
from typing import Any

import pytest

from hepatrail_events.adverse_events import ActionTaken, AECorrected, AEFollowedUp
from hepatrail_events.ids import derived_id
from hepatrail_events.sessions import EndReason, SessionCorrected, SessionEnded, SessionVoided
from hepatrail_events.types import format_instant
from projection_log import SEALED
from query_course import Course, S, void


@pytest.mark.parametrize(
    ("hours", "asked"), [(3.99, True), (4, False), (8, False), (8.01, True)], ids=["short", "least", "most", "long"]
)
def test_ses_07_a_duration_outside_four_to_eight_hours(hours: float, asked: bool) -> None:
    course = Course()
    begun = course.session(hours)
    assert course.codes("SES-07") == ["DURATION"] * asked
    right = format_instant(begun.started_at + timedelta(hours=6))
    course.commit(SessionCorrected(id=begun.session_id, field="endedAt", new_value=right, reason=SEALED))
    assert course.open("SES-07") == []


@pytest.mark.parametrize(("cells", "asked"), [(8_016_000_000, False), (8_015_999_999, True), (12_024_000_001, True)])
def test_ses_07_cells_per_kg_outside_the_tolerance(cells: int, asked: bool) -> None:
    course = Course()
    begun = course.session(viable_cells=cells)
    assert course.codes("SES-07") == ["DOSE"] * asked
    correction = SessionCorrected(id=begun.session_id, field="viableCells", new_value="10020000000", reason=SEALED)
    course.commit(correction)
    assert course.open("SES-07") == []


def test_ses_07_a_weight_older_than_seven_days_and_a_short_session_are_one_query() -> None:
    course = Course()
    begun = course.session(2, weight_measured_at=course.now - timedelta(days=7, minutes=1))
    query = course.the("SES-07")
    assert query.query_id == derived_id("SES-07", S, begun.session_id)
    assert course.codes("SES-07") == ["DURATION", "WEIGHT_AGE"]
    assert query.message == " ".join(each["message"] for each in query.details)
    course.commit(SessionVoided(**void(begun.session_id)))
    assert course.open("SES-07") == []


def test_ses_07_no_end_twelve_hours_after_the_start() -> None:
    course = Course()
    begun = course.session(None)
    overdue = begun.started_at + timedelta(hours=12)
    assert course.open("SES-07", overdue - timedelta(seconds=1)) == []
    (query,) = course.open("SES-07", overdue)
    assert (query.code, query.opens_at, query.query_id) == (
        "NO_END",
        overdue,
        derived_id("SES-07", S, f"{begun.session_id}:end"),
    )
    course.log.now = overdue + timedelta(hours=1)
    ended = begun.started_at + timedelta(hours=5)
    course.commit(SessionEnded(session_id=begun.session_id, ended_at=ended, reason=EndReason.COMPLETED))
    assert course.open("SES-07") == []
    assert len(course.open("SES-07", overdue)) == 1, "as of then nobody knew of the end"


def discontinued(course: Course, **changes: Any) -> Any:
    """Treatment is discontinued for an adverse event; an hour passes."""
    event = course.adverse_event(action_taken=ActionTaken.TREATMENT_DISCONTINUED, **changes)
    course.wait(hours=1)
    return event


def test_inv_16_a_session_after_treatment_was_discontinued() -> None:
    course = Course()
    course.session()
    course.wait(hours=1)
    event = discontinued(course)
    assert course.open("SES-07") == [], "the session before it is no concern"
    later = course.session()
    assert (course.codes("SES-07"), course.the("SES-07").object_id) == (["INV-16"], later.session_id)
    course.commit(
        AECorrected(
            ae_id=event.ae_id,
            ae_version=2,
            field="actionTaken",
            old_value="TREATMENT_DISCONTINUED",
            new_value="NO_CHANGE",
            reason=SEALED,
        )
    )
    assert course.open("SES-07") == []


def test_inv_16_a_void_adverse_event_discontinues_nothing() -> None:
    course = Course()
    event = discontinued(course)
    course.session()
    assert course.codes("SES-07") == ["INV-16"]
    course.void_ae(event)
    assert course.open("SES-07") == []


def test_inv_16_counts_from_the_follow_up_that_says_so() -> None:
    course = Course()
    event = course.adverse_event()
    course.session()
    course.wait(hours=1)
    said = course.commit(
        AEFollowedUp(
            ae_id=event.ae_id,
            ae_version=2,
            info_received_at=course.now,
            text=SEALED,
            action_taken=ActionTaken.TREATMENT_DISCONTINUED,
        )
    )
    assert course.open("SES-07") == []
    course.wait(hours=1)
    course.session()
    assert said in course.the("SES-07").event_ids
