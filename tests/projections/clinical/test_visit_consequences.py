"""Notices, deviations, the compliance rate, and what late knowledge changes (visits.md section 5.2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from clinical_builders import T0, A, hours
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultCorrected, LabResultVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.visits import compliance_at, deviation_at, notices_at, status_at
from projection_log import SEALED
from visit_course import LATER, SUBJECT, VisitCourse

D2 = A + timedelta(days=2)
D2_OPENS = datetime(2026, 3, 11, 16, tzinfo=UTC)
D2_CLOSES = datetime(2026, 3, 12, 16, tzinfo=UTC)
D3_CLOSES = D2_CLOSES + timedelta(days=1)
D7 = A + timedelta(days=7)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def course() -> VisitCourse:
    made = VisitCourse()
    made.session()
    return made


def kinds(course: VisitCourse, point: str, as_of: datetime) -> list[str]:
    return [notice.kind for notice in notices_at(course.rows(as_of)[point], as_of)]


def test_the_due_notice_comes_when_the_window_opens(course: VisitCourse) -> None:
    assert kinds(course, "D2", D2_OPENS - MILLISECOND) == []
    assert kinds(course, "D2", D2_OPENS) == ["DUE"]


def test_the_reminder_comes_at_the_target(course: VisitCourse) -> None:
    assert kinds(course, "D2", D2 - MILLISECOND) == ["DUE"]
    assert kinds(course, "D2", D2) == ["DUE", "REMINDER"]
    assert notices_at(course.rows()["D2"], D2)[1].at == D2


def test_the_overdue_notice_comes_24_hours_after_the_end_of_the_window(course: VisitCourse) -> None:
    assert status_at(course.rows()["D2"], D2_CLOSES).status == "missed"
    assert kinds(course, "D2", D2_CLOSES + hours(24) - MILLISECOND) == ["DUE", "REMINDER"]
    assert kinds(course, "D2", D2_CLOSES + hours(24)) == ["DUE", "REMINDER", "OVERDUE"]


def test_the_grace_of_entry_is_the_protocols_and_moves_the_notice_only() -> None:
    course = VisitCourse(visits={"entry_grace_hours": 2})
    course.session()
    assert kinds(course, "H12", A + hours(16)) == ["DUE", "REMINDER", "OVERDUE"]
    assert course.status("H12", A + hours(14) + timedelta(minutes=1)).status == "missed"


def test_a_complete_point_has_no_notice(course: VisitCourse) -> None:
    course.everything(D2)
    assert kinds(course, "D2", LATER) == []


def test_a_point_that_does_not_apply_or_was_cut_short_has_none(course: VisitCourse) -> None:
    course.labs(D2, ["alt"])
    course.death(D2 + hours(1))
    assert course.status("D2").status == "partial"
    assert kinds(course, "D2", LATER) == kinds(course, "D7", LATER) == []


def test_a_baseline_has_the_overdue_notice_only(course: VisitCourse) -> None:
    assert kinds(course, "BL", T0 + hours(24) - MILLISECOND) == []
    assert kinds(course, "BL", T0 + hours(24)) == ["OVERDUE"]
    assert kinds(VisitCourse(), "BL", LATER) == []


@pytest.mark.parametrize("kind", ["missed", "partial", "complete_out_of_window"])
def test_missed_partial_and_out_of_window_each_open_a_deviation(course: VisitCourse, kind: str) -> None:
    if kind == "partial":
        course.labs(D2, ["alt"])
    elif kind == "complete_out_of_window":
        course.everything(D2_CLOSES, visit="D2")
    found = deviation_at(course.rows()["D2"], LATER)
    assert found is not None
    assert (found.kind, found.deviation_class, found.subject_id, found.code) == (kind, "MINOR", SUBJECT, "D2")
    assert len(found.missing) == {"missed": 25, "partial": 24, "complete_out_of_window": 0}[kind]


def test_other_statuses_open_none(course: VisitCourse) -> None:
    course.everything(D2)
    rows = course.rows()
    assert deviation_at(rows["D2"], LATER) is None
    assert deviation_at(rows["D7"], D7) is None
    assert deviation_at(rows["M12"], D7) is None
    assert deviation_at(VisitCourse().rows()["BL"], D7) is None
    course.death(D7)
    assert deviation_at(course.rows()["W4"], LATER) is None


def test_its_id_follows_from_participant_and_time_point(course: VisitCourse) -> None:
    missed = deviation_at(course.rows()["D2"], LATER)
    course.labs(D2, ["alt"])
    partial = deviation_at(course.rows()["D2"], LATER)
    assert missed is not None
    assert partial is not None
    assert missed.deviation_id == partial.deviation_id == derived_id("DEVIATION", SUBJECT, "D2")
    other = deviation_at(replace(course.rows()["D2"], subject_id="S-2"), LATER)
    assert other is not None
    assert other.deviation_id != missed.deviation_id


def test_it_closes_when_the_status_improves(course: VisitCourse) -> None:
    assert deviation_at(course.rows()["D2"], LATER) is not None
    course.everything(D2)
    assert deviation_at(course.rows()["D2"], LATER) is None


def test_it_is_major_when_ae_or_surv_is_missing_and_else_minor(course: VisitCourse) -> None:
    def judged() -> str | None:
        found = deviation_at(course.rows()["D7"], LATER)
        return None if found is None else found.deviation_class

    assert judged() == "MAJOR"
    course.ae(D7)
    assert judged() == "MAJOR"
    course.survival(D7)
    assert judged() == "MINOR"
    course.everything(D7)
    assert judged() is None


def test_a_point_cut_short_by_death_names_the_cause(course: VisitCourse) -> None:
    course.labs(D2, ["alt"])
    course.death(D2 + hours(1))
    found = deviation_at(course.rows()["D2"], LATER)
    assert found is not None
    assert (found.kind, found.cause) == ("partial", "DEATH")


def test_the_compliance_rate_is_complete_in_window_of_the_windows_that_are_over(course: VisitCourse) -> None:
    course.everything(T0 - hours(2))
    course.everything(D2)
    found = compliance_at(course.rows().values(), D3_CLOSES)
    assert (found.numerator, found.denominator, found.rate) == (2, 6, Fraction(1, 3))
    assert compliance_at(course.rows().values(), D3_CLOSES - MILLISECOND).denominator == 5


def test_a_complete_point_counts_when_its_window_is_over(course: VisitCourse) -> None:
    course.everything(T0 - hours(2))
    course.everything(D2)
    assert compliance_at(course.rows().values(), D2_CLOSES - MILLISECOND).numerator == 1
    assert compliance_at(course.rows().values(), D2_CLOSES).numerator == 2


def test_points_that_do_not_apply_are_not_in_the_denominator(course: VisitCourse) -> None:
    course.death(A + timedelta(days=4))
    found = compliance_at(course.rows().values(), LATER)
    assert (found.numerator, found.denominator) == (0, 6)


def test_before_any_window_is_over_there_is_no_rate(course: VisitCourse) -> None:
    found = compliance_at(course.rows().values(), T0 - hours(1))
    assert (found.denominator, found.rate) == (0, None)
    assert compliance_at(VisitCourse().rows().values(), LATER).rate is None


def test_the_rate_of_many_participants_is_taken_over_all_their_points(course: VisitCourse) -> None:
    course.everything(D2)
    rows = list(course.rows().values())
    assert compliance_at([*rows, *rows], LATER).denominator == 2 * compliance_at(rows, LATER).denominator


def test_a_late_result_completes_a_missed_point_and_past_answers_stay(course: VisitCourse) -> None:
    course.everything(D2, recorded=D7)
    assert course.status("D2", D7 - hours(1)).status == "missed"
    assert course.status("D2", D7 + hours(1)).status == "complete_in_window"
    assert course.status("D2", D7 - hours(1)).status == "missed"


def test_a_corrected_collection_time_runs_the_assignment_again(course: VisitCourse) -> None:
    [result_id] = course.labs(D2, ["alt"])
    moved = A + timedelta(days=5)
    correction = LabResultCorrected(
        id=result_id, field="collectedAt", new_value="2026-03-15T08:00:00.000Z", reason=SEALED, accepted=True
    )
    course.record(correction, moved)
    assert (course.status("D2").satisfied, course.status("D5").satisfied) == ((), ("alt",))
    assert course.status("D2", moved).satisfied == ("alt",)


def test_an_explicit_code_stays_unless_it_is_corrected_too(course: VisitCourse) -> None:
    [result_id] = course.labs(D2, ["alt"], visit="D2")
    time = LabResultCorrected(
        id=result_id, field="collectedAt", new_value="2026-03-15T08:00:00.000Z", reason=SEALED, accepted=True
    )
    course.record(time, D7)
    assert course.status("D2").satisfied == ("alt",)
    code = LabResultCorrected(id=result_id, field="visitCode", new_value="D5", reason=SEALED, accepted=True)
    course.record(code, D7 + hours(1))
    assert (course.status("D2").satisfied, course.status("D5").satisfied) == ((), ("alt",))


def test_a_void_result_serves_nothing(course: VisitCourse) -> None:
    [result_id] = course.labs(D2, ["alt"])
    reason = VoidReason.WRONG_PARTICIPANT
    course.record(LabResultVoided(id=result_id, reason_code=reason, reason_text=SEALED), D7)
    assert course.status("D2").status == "missed"


def test_a_row_says_by_itself_what_the_facts_say(course: VisitCourse) -> None:
    course.bedside(D2, without=["gcs_eye"])
    found = course.status("D2")
    assert found.lacking["GCS"] == (("gcs_eye", None),)
    assert course.rows()["D2"].lacking["GCS"] == [{"code": "gcs_eye", "reason": None}]
    assert set(found.lacking) == {"GCS", "SOFA_IN", "APACHE_IN"}
