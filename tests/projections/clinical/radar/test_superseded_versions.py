"""The fold keeps every version of a record that was mended, with when that was recorded and by what event."""

from hepatrail_events.concomitant import ProcedureKind, ProcedureVoided
from query_course import minute, void
from radar_course import RadarCourse


def test_each_version_is_kept_with_what_ended_it() -> None:
    course = RadarCourse()
    event = course.adverse_event(grade=2)
    graded = course.regrade(event, 3)
    at = course.now
    course.resolve(event, version=3)
    key = ("adverse_events", event.ae_id)
    first, second = course.view().superseded[key]
    assert (first.fact.max_grade, first.until, first.event_id) == (2, at, graded)
    assert (second.fact.max_grade, second.fact.end_at, second.until, second.event_id) == (
        3,
        None,
        course.now,
        course.last,
    )


def test_results_reviews_procedures_and_the_death_are_kept_alike() -> None:
    course = RadarCourse()
    (result_id,) = course.lab(platelets="20")
    course.correct_result(result_id, "30")
    course.void_result(result_id)
    course.review(result_id, 3)
    course.review(result_id, 4)
    procedure_id = course.procedure(ProcedureKind.HD, minute(course.now))
    course.commit(ProcedureVoided(**void(procedure_id)))
    course.died()
    kept = course.view().superseded
    assert [each.fact.value for each in kept["results", result_id]] == ["20", "30"]
    assert [each.fact.final_grade for each in kept["reviews", result_id]] == [3]
    assert [each.fact.voided for each in kept["procedures", procedure_id]] == [None]
    assert kept.keys() == {("results", result_id), ("reviews", result_id), ("procedures", procedure_id)}


def test_what_is_only_added_supersedes_nothing() -> None:
    course = RadarCourse()
    course.session()
    course.adverse_event()
    course.lab(platelets="140")
    course.died()
    assert course.view().superseded == {}
