"""The required items of a time point (visits.md section 1.1)."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from clinical_builders import T0, hours
from hepatrail_events.assessments import VitalStatus
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.measurements import NotDone
from hepatrail_projections.clinical.visits import DEFAULT_PLAN
from visit_course import VisitCourse
from visit_items import D2, D7, one_session


@pytest.fixture
def course() -> VisitCourse:
    return one_session()


def test_25_items_at_points_without_adverse_events_and_27_at_the_five_with(course: VisitCourse) -> None:
    counts = {row.code: len(row.required) for row in course.rows().values()}
    with_safety = {"D7", "W4", "W12", "M6", "M12"}
    assert counts == {point.code: 27 if point.code in with_safety else 25 for point in DEFAULT_PLAN.points}


def test_baseline_is_required_for_all_items(course: VisitCourse) -> None:
    assert course.rows()["BL"].required == [*SEED_LABS, "MELD_CTX", "GCS", "SOFA_IN", "APACHE_IN"]


def test_all_items_complete_a_point(course: VisitCourse) -> None:
    course.everything(D2)
    found = course.status("D2")
    assert (found.status, len(found.satisfied), found.missing, found.lacking) == ("complete_in_window", 25, (), {})


def test_a_protocol_may_require_other_items() -> None:
    course = VisitCourse(visits={"items": ["alt", "GCS"]})
    course.session()
    assert course.rows()["D2"].required == ["alt", "GCS"]
    assert course.rows()["D7"].required == ["alt", "GCS", "AE", "SURV"]


def test_an_items_time_is_that_of_all_its_inputs(course: VisitCourse) -> None:
    course.labs(D2)
    course.bedside(D2, without=["gcs_eye"])
    course.bedside(D2 + timedelta(days=1, hours=20), visit="D2")
    found = course.status("D2")
    assert found.status == "complete_out_of_window"
    done = course.rows()["D2"].done
    assert (done["GCS"]["inWindow"], done["MELD_CTX"]["inWindow"], done["alt"]["inWindow"]) == (False, True, True)


def test_ae_is_satisfied_by_an_assessment_that_says_none(course: VisitCourse) -> None:
    course.everything(D7)
    course.survival(D7)
    assert course.status("D7").missing == (("AE", None),)
    course.ae(D7)
    assert course.status("D7").status == "complete_in_window"


def test_surv_unknown_does_not_satisfy(course: VisitCourse) -> None:
    course.everything(D7)
    course.ae(D7)
    course.survival(D7, VitalStatus.UNKNOWN)
    assert course.status("D7").missing == (("SURV", "UNKNOWN"),)
    course.survival(D7 + hours(1))
    assert course.status("D7").status == "complete_in_window"


def test_an_assessment_outside_the_window_counts_by_its_visit_code(course: VisitCourse) -> None:
    course.everything(D7)
    course.ae(D7)
    course.survival(D7 + timedelta(days=4), visit="D7")
    assert course.status("D7").status == "complete_out_of_window"


@pytest.mark.parametrize("visit", ["W4", "W9", "BL"])
def test_an_impossible_code_of_an_assessment_is_ignored_and_queried(course: VisitCourse, visit: str) -> None:
    at = T0 + hours(1) if visit == "W4" else D7
    assessed = course.ae(at, visit=visit)
    assert [each.result_id for each in course.state().assignment.impossible_codes] == [assessed]
    assert ("AE" in course.status("D7").satisfied) is (at == D7)


def test_a_lab_is_satisfied_by_a_result_and_not_by_a_collection(course: VisitCourse) -> None:
    course.labs(D2, ["alt"])
    course.labs(D2, ["ast"], not_done=NotDone.INSUFFICIENT)
    found = course.status("D2")
    assert found.satisfied == ("alt",)
    assert dict(found.missing)["ast"] == "INSUFFICIENT"


def codes_of(rows: Iterable[dict[str, str]]) -> set[str]:
    return {row["code"] for row in rows}


def test_what_an_item_rests_on_is_named_with_its_times(course: VisitCourse) -> None:
    course.everything(D2)
    done = course.rows()["D2"].done["GCS"]
    assert codes_of(done["inputs"]) == {"gcs_eye", "gcs_verbal", "gcs_motor"}
    assert {each["at"] for each in done["inputs"]} == {"2026-03-12T08:00:00.000Z"}
