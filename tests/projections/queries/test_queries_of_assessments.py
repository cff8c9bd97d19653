"""VIS-06: assessments and survival statuses that do not fit the rest of the record."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hepatrail_events.assessments import (
    AssessmentCorrected,
    AssessmentVoided,
    DeathRecordCorrected,
    ParticipantWithdrew,
    SurvivalSource,
    SurvivalStatusRecorded,
    TransplantDone,
    TransplantStatus,
    VitalStatus,
    WithdrawalScope,
    YesNo,
)
from hepatrail_events.types import PartialDate
from projection_log import SEALED
from query_course import Course, day, minute, void


def status(course: Course, **changes: Any) -> UUID:
    """A survival status of now."""
    fields: dict[str, Any] = {
        "at": course.now,
        "alive": VitalStatus.Y,
        "transplant": TransplantStatus.NONE,
        "source": SurvivalSource.PHONE,
    }
    return course.commit(SurvivalStatusRecorded(**{**fields, **changes}))


def test_vis_06_alive_after_the_death_on_record() -> None:
    course = Course()
    died = course.died()
    course.wait(hours=1)
    event_id = status(course)
    query = course.the("VIS-06")
    assert (query.object_kind, query.object_id, query.code) == ("ASSESSMENT", event_id, "ALIVE_AFTER_DEATH")
    assert died in query.event_ids
    course.commit(DeathRecordCorrected(revived=True, reason=SEALED))
    assert course.open("VIS-06") == []


def test_vis_06_alive_before_death_is_right() -> None:
    course = Course()
    status(course)
    course.wait(hours=1)
    course.died()
    assert course.open("VIS-06") == []


@pytest.mark.parametrize(
    ("stated", "asked"),
    [
        (day("2026-01-03"), True),
        (day("2026-01-04"), False),
        (PartialDate(value="2026-01", precision="MONTH"), False),
        (PartialDate(value="2025-12", precision="MONTH"), True),
        (PartialDate(value="2026-01-03T20:00Z", precision="MINUTE"), False),
        (None, False),
    ],
)
def test_vis_06_a_transplantation_at_another_time_than_on_record(stated: PartialDate | None, asked: bool) -> None:
    course = Course()
    course.commit(TransplantDone(transplant_at=day("2026-01-04")))
    event_id = status(course, transplant=TransplantStatus.DONE, transplant_at=stated)
    assert course.codes("VIS-06") == ["TRANSPLANT_DIFFERS"] * asked
    course.commit(AssessmentVoided(**void(event_id)))
    assert course.open("VIS-06") == []


def test_vis_06_a_transplantation_whose_record_is_void() -> None:
    course = Course()
    done = course.commit(TransplantDone(transplant_at=day("2026-01-04")))
    status(course, transplant=TransplantStatus.DONE)
    assert course.open("VIS-06") == []
    voided = course.commit(AssessmentVoided(**void(done)))
    assert voided in course.the("VIS-06").event_ids
    assert "none is on record" in course.the("VIS-06").message


def test_vis_06_something_new_without_an_adverse_event_reported_since_the_last_assessment() -> None:
    course = Course()
    course.adverse_event()
    course.wait(hours=1)
    course.assessed(YesNo.Y)
    assert course.open("VIS-06") == [], "reported before the first assessment"
    course.wait(days=7)
    second = course.assessed(YesNo.Y)
    assert (course.the("VIS-06").object_id, course.the("VIS-06").code) == (second, "NONE_REPORTED")
    course.wait(hours=1)
    course.adverse_event()
    assert len(course.open("VIS-06")) == 1, "it began after the assessment"
    event = course.adverse_event(onset=minute(course.now - timedelta(hours=2)))
    assert course.open("VIS-06") == [], "the report may follow the assessment"
    course.void_ae(event)
    assert len(course.open("VIS-06")) == 1
    course.commit(AssessmentCorrected(id=second, field="anyNew", old_value="Y", new_value="N", reason=SEALED))
    assert course.open("VIS-06") == []


def test_vis_06_nothing_new_asks_for_nothing() -> None:
    course = Course()
    course.assessed(YesNo.N)
    assert course.open("VIS-06") == []


def test_vis_06_an_impossible_visit_code_of_an_assessment_is_ignored_and_asked_about() -> None:
    course = Course()
    event_id = course.assessed(YesNo.N, visit_code="W4")
    assert course.codes("VIS-06") == ["IMPOSSIBLE_VISIT"]
    course.commit(AssessmentCorrected(id=event_id, field="visitCode", old_value="W4", reason=SEALED))
    assert course.open("VIS-06") == []
    event_id = status(course, visit_code="D7")
    assert course.the("VIS-06").object_id == event_id


def test_vis_06_an_assessment_after_death_or_withdrawal() -> None:
    course = Course()
    scope = WithdrawalScope.FOLLOW_UP
    course.commit(ParticipantWithdrew(withdrawn_at=course.now, scope=scope, vital_status_allowed=True))
    course.wait(hours=1)
    status(course)
    assert course.open("VIS-06") == [], "the vital status may still be asked for"
    event_id = course.assessed(YesNo.N)
    assert (course.the("VIS-06").object_id, course.codes("VIS-06")) == (event_id, ["AFTER_WITHDRAWAL"])
    course.commit(AssessmentVoided(**void(event_id)))
    assert course.open("VIS-06") == []
