"""A participant's laboratory history as its rows show it: graded and judged (ctcae_labs.md R6 to R12)."""

from datetime import timedelta

import pytest

from grading_course import DAY, HOUR, Course, day, minute
from hepatrail_events.concomitant import (
    MedicationRecorded,
    MedicationVoided,
    ProcedureKind,
    ProcedureRecorded,
)
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabFindingReviewed,
    LabResultCorrected,
    LabResultVoided,
    RejectReason,
)
from hepatrail_events.sessions import SessionCorrected
from hepatrail_events.types import format_instant
from hepatrail_events.voiding import VoidReason
from hepatrail_projections.lab_result import LAB_RESULT
from hepatrail_projections.table import load_json, to_json_text
from projection_log import SEALED


@pytest.fixture
def course() -> Course:
    return Course()


def test_limits_are_converted_from_the_unit_of_the_report(course: Course) -> None:
    course.measured("creatinine", "1.0", unit="mg/dL", low="0.6", high="1.1")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(HOUR)
    later = course.measured("creatinine", "1.66", unit="mg/dL", low="0.6", high="1.1")
    found = course.grade(later)
    assert (found["grade"], found["gradeFrom"], found["ulnMultiple"]) == (2, "uln", "1.50909090909")
    assert found["ctcaeVersion"] == "5.0"


def test_every_term_of_an_analyte_has_an_entry_and_an_analyte_without_term_none(course: Course) -> None:
    sodium = course.measured("sodium", "128")
    entries = {each["term"]: (each["direction"], each["grade"]) for each in course.row(sodium).grades}
    assert entries == {"Hypernatremia": ("H", 0), "Hyponatremia": ("L", 2)}
    assert course.row(course.measured("lactate", "9")).grades == []


def test_only_accepted_results_with_a_value_that_are_not_void_are_graded(course: Course) -> None:
    implausible = course.measured("sodium", "201", accepted=False, reject_reason=RejectReason.IMPLAUSIBLE)
    undone = course.measured("sodium", "128", not_done="HEMOLYSED")
    voided = course.measured("sodium", "128")
    course.commit(LabResultVoided(id=voided, reason_code=VoidReason.WRONG_PARTICIPANT, reason_text=SEALED), actor="li")
    assert [course.row(each).grades for each in (implausible, undone, voided)] == [[], [], []]
    assert course.row(voided).voided_by == "li"
    course.commit(ImplausibleConfirmed(result_id=implausible, reason=SEALED))
    assert course.grade(implausible, "Hypernatremia")["grade"] == 4


def test_before_treatment_there_is_no_baseline(course: Course) -> None:
    found = course.grade(course.measured("alt", "60"))
    assert (found["status"], found["missing"], found["grade"]) == ("ungradable", ["baseline"], None)
    assert course.findings() == ()


def test_the_baseline_counts_with_its_own_grade_and_severity_beside_every_later_result(course: Course) -> None:
    first = course.measured("tbil", "300")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    later = course.measured("tbil", "460")
    course.log.tick(DAY)
    course.measured("tbil", "20")
    found = course.grade(later)
    shown = [found[key] for key in ("grade", "gradeFrom", "baselineStatus", "baselineSeverity", "gradeAtBaseline")]
    assert shown == [2, "baseline", "abnormal", 4, 0]
    assert found["eventIds"] == [str(each) for each in course.row(first).event_ids]
    assert course.grade(first)["grade"] == 0
    assert course.row(first).baseline


def test_a_corrected_baseline_grades_every_later_result_anew(course: Course) -> None:
    first = course.measured("alt", "200")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    later = course.measured("alt", "299")
    assert course.grade(later)["grade"] == 0
    course.commit(
        LabResultCorrected(id=first, field="value", old_value="200", new_value="20", reason=SEALED, accepted=True),
        actor="wang",
    )
    assert course.grade(later)["grade"] == 3
    assert [made["actorId"] for made in course.row(first).corrections] == ["wang"]


def test_a_first_session_that_moves_gives_another_baseline(course: Course) -> None:
    course.measured("alt", "30")
    course.log.tick(HOUR)
    session = course.treated()
    course.log.tick(2 * HOUR)
    course.measured("alt", "200")
    course.log.tick(2 * HOUR)
    moved = course.log.now
    course.log.tick(DAY)
    later = course.measured("alt", "299")
    assert course.grade(later)["grade"] == 3
    course.commit(SessionCorrected(id=session, field="startedAt", new_value=format_instant(moved), reason=SEALED))
    assert course.grade(later)["grade"] == 0


def test_inr_during_a_therapeutic_anticoagulant_goes_by_the_baseline(course: Course) -> None:
    course.measured("inr", "2.0")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    before = course.measured("inr", "2.9")
    course.log.tick(DAY)
    drug = MedicationRecorded(
        medication_id=course.log.uuid(),
        verbatim=SEALED,
        started_at=day(f"{course.log.now:%Y-%m-%d}"),
        ended_at=day(f"{course.log.now + timedelta(days=10):%Y-%m-%d}"),
        therapeutic_anticoagulant=True,
    )
    course.commit(drug)
    course.log.tick(2 * HOUR)
    during = course.measured("inr", "2.9")
    course.log.tick(20 * DAY)
    after = course.measured("inr", "2.9")
    assert [course.grade(each)["grade"] for each in (before, during, after)] == [3, 1, 3]
    assert [course.grade(each)["flags"] for each in (before, during, after)] == [[], ["on_anticoagulation"], []]
    assert course.grade(during)["needsReview"]
    course.commit(MedicationVoided(id=drug.medication_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=SEALED))
    assert course.grade(during)["grade"] == 3


def test_a_drug_that_is_no_therapeutic_anticoagulant_changes_nothing(course: Course) -> None:
    course.measured("inr", "2.0")
    course.log.tick(HOUR)
    course.treated()
    course.commit(
        MedicationRecorded(
            medication_id=course.log.uuid(),
            verbatim=SEALED,
            started_at=minute(course.log.now),
            therapeutic_anticoagulant=False,
        )
    )
    course.log.tick(HOUR)
    assert course.grade(course.measured("inr", "2.9"))["grade"] == 3


def test_without_a_drug_what_was_observed_nearest_decides_and_not_for_ever(course: Course) -> None:
    course.measured("inr", "2.0")
    course.log.tick(HOUR)
    course.treated()
    course.log.tick(DAY)
    course.observed("on_anticoagulation", "true")
    near = course.measured("inr", "2.9")
    course.log.tick(2 * DAY)
    course.observed("on_anticoagulation", "false")
    stopped = course.measured("inr", "2.9")
    course.log.tick(1)
    course.observed("on_anticoagulation", "true")
    course.log.tick(8 * DAY)
    far = course.measured("inr", "2.9")
    assert [course.grade(each)["grade"] for each in (near, stopped, far)] == [1, 3, 3]


def test_creatinine_of_a_participant_on_dialysis_is_flagged(course: Course) -> None:
    free = course.measured("creatinine", "300")
    course.log.tick(DAY)
    course.commit(
        ProcedureRecorded(
            procedure_id=course.log.uuid(),
            kind=ProcedureKind.HD,
            started_at=minute(course.log.now),
            ended_at=minute(course.log.now + timedelta(hours=4)),
        )
    )
    course.log.tick(6 * DAY)
    dialysed = course.measured("creatinine", "300")
    course.log.tick(3 * DAY)
    later = course.measured("creatinine", "300")
    assert [course.grade(each)["flags"] for each in (free, dialysed, later)] == [[], ["renal_replacement"], []]
    course.observed("dialysis_sessions_7d", "2")
    assert course.grade(later)["flags"] == ["renal_replacement"]


def test_a_review_stands_beside_the_grade_and_names_who(course: Course) -> None:
    result = course.measured("sodium", "128")
    assert course.row(result).review is None
    course.commit(LabFindingReviewed(result_id=result, clinically_significant=True, final_grade=3), actor="dr-chen")
    row = course.row(result)
    assert row.review == {
        "clinicallySignificant": True,
        "finalGrade": 3,
        "by": "dr-chen",
        "eventId": str(course.view().last_event_id),
        "at": format_instant(course.log.now),
    }
    assert course.grade(result, "Hyponatremia")["grade"] == 2


def test_grades_survive_the_table(course: Course) -> None:
    row = course.row(course.measured("sodium", "128"))
    column = next(each for each in LAB_RESULT.columns if each.name == "grades")
    assert column.sql == "jsonb"
    assert load_json(to_json_text(row.grades)) == row.grades
