"""RAD-04 and RAD-08: a grade above the reported one, and a severe grade that nobody reviewed."""

from typing import Any

import pytest

from hepatrail_projections.clinical.radar.sighting import FindingKind
from hepatrail_projections.lab_grades import unreviewed_findings
from radar_course import RadarCourse, closed

ABOVE, UNREVIEWED = FindingKind.LAB_GRADE_ABOVE_REPORTED, FindingKind.LAB_GRADE_UNREVIEWED
PLATELETS = {"code": "LAB_ABNORMALITY", "ctcae_term": "Platelet count decreased"}
"""Platelets below 75, 50 and 25 are grades 2, 3 and 4."""


@pytest.fixture
def course() -> RadarCourse:
    made = RadarCourse()
    made.lab(platelets="130")
    made.wait(hours=1)
    made.session()
    made.wait(days=1)
    return made


def low_platelets(course: RadarCourse, grade: int | None, **changes: Any) -> Any:
    event = course.adverse_event(**{**PLATELETS, "grade": grade, **changes})
    course.wait(hours=1)
    return event


@pytest.mark.parametrize(
    ("reported", "value", "aspect"),
    [
        (1, "74", 2),
        (1, "75", None),
        (2, "60", None),
        (2, "49", 3),
        (3, "49", None),
        (3, "24", 4),
        (4, "24", None),
        (None, "24", None),
    ],
)
def test_RAD_04_the_reported_grade_is_not_below_the_laboratory(
    course: RadarCourse, reported: int | None, value: str, aspect: int | None
) -> None:
    event = low_platelets(course, reported)
    at = course.last
    baseline = course.events(course.stream)[2].envelope.id
    course.lab(platelets=value)
    rows = course.found(ABOVE)
    assert [row.object_id for row in rows] == ([event.ae_id] if aspect else [])
    if aspect:
        assert rows[0].evidence == (at, course.last, baseline)
        assert (rows[0].rule, rows[0].severity) == ("RAD-04", "MINOR" if aspect == 2 else "MAJOR")
        assert f"laboratory grade {aspect} (platelets {value} 10*9/L)" in rows[0].words
        assert course.asking(rows[0]) == ["RAD-04"]


def test_RAD_04_another_term_and_another_time_say_nothing(course: RadarCourse) -> None:
    low_platelets(course, 1, ctcae_term="Anemia")
    event = low_platelets(course, 1)
    course.resolve(event)
    course.wait(hours=1)
    course.lab(platelets="24")
    assert course.found(ABOVE) == []


def test_RAD_04_a_worse_result_asks_anew_and_takes_the_place_of_the_first(course: RadarCourse) -> None:
    low_platelets(course, 2)
    course.lab(platelets="40")
    three = course.the_finding(ABOVE)
    course.answer(three)
    course.wait(days=1)
    course.lab(platelets="20")
    worse = course.last
    found = {row.finding_id: row for row in course.found(ABOVE)}
    assert found.pop(three.finding_id).status == "CLOSED"
    (four,) = found.values()
    assert (four.status, four.evidence[1]) == ("OPEN", worse)
    assert four.query_id != three.query_id


def test_RAD_04_closes_when_the_grade_is_mended(course: RadarCourse) -> None:
    event = low_platelets(course, 2)
    course.lab(platelets="40")
    course.wait(hours=1)
    graded = course.regrade(event, 3)
    assert closed(course.the_finding(ABOVE)) == ("CLOSED", "CONDITION_GONE", graded)


@pytest.mark.parametrize(("final", "found"), [(None, "CLOSED"), (2, "CLOSED"), (3, "OPEN")])
def test_RAD_04_a_review_settles_a_result_with_its_final_grade(
    course: RadarCourse, final: int | None, found: str
) -> None:
    low_platelets(course, 2)
    (result_id,) = course.lab(platelets="40")
    course.review(result_id, final)
    row = course.the_finding(ABOVE)
    assert row.status == found
    assert row.closed_by == ("CONDITION_GONE" if found == "CLOSED" else None)


def test_RAD_04_a_result_that_is_corrected_or_void_closes_it(course: RadarCourse) -> None:
    low_platelets(course, 2)
    (one,) = course.lab(platelets="40")
    corrected = course.correct_result(one, "140")
    assert closed(course.the_finding(ABOVE)) == ("CLOSED", "CONDITION_GONE", corrected)
    (two,) = course.lab(platelets="41")
    again = course.the_finding(ABOVE)
    assert (again.status, again.opened_at) == ("OPEN", course.now)
    void = course.void_result(two)
    assert closed(course.the_finding(ABOVE)) == ("CLOSED", "CONDITION_GONE", void)


@pytest.mark.parametrize(("value", "grade"), [("51", None), ("49", 3), ("24", 4)])
def test_RAD_08_a_new_severe_grade_waits_for_a_review(course: RadarCourse, value: str, grade: int | None) -> None:
    (result_id,) = course.lab(platelets=value)
    measured = course.last
    at_once = course.found(UNREVIEWED)
    assert [row.object_id for row in at_once] == ([result_id] if grade == 4 else [])
    course.wait(hours=24)
    rows = course.found(UNREVIEWED)
    assert [row.object_id for row in rows] == ([result_id] if grade else [])
    if grade:
        baseline = course.events(course.stream)[2].envelope.id
        assert rows[0].evidence == (measured, baseline)
        assert (rows[0].rule, rows[0].severity) == ("RAD-08", "MAJOR" if grade == 4 else "MINOR")
        assert course.asking(rows[0]) == ["RAD-08"]


def test_RAD_08_before_treatment_nothing_is_new() -> None:
    course = RadarCourse()
    course.lab(platelets="20")
    course.wait(days=2)
    assert course.rows() == []


def test_RAD_08_a_review_closes_it_and_one_in_time_lets_it_never_open(course: RadarCourse) -> None:
    (one,) = course.lab(platelets="40")
    course.wait(hours=23)
    course.review(one)
    (two,) = course.lab(platelets="20")
    course.wait(hours=30)
    reviewed = course.review(two)
    row = course.the_finding(UNREVIEWED)
    assert (row.object_id, closed(row)) == (two, ("CLOSED", "CONDITION_GONE", reviewed))


def test_RAD_08_an_event_of_the_term_accounts_for_it_while_it_counts(course: RadarCourse) -> None:
    course.lab(platelets="20")
    onset = {"onset": {"precision": "UNKNOWN"}}
    event = low_platelets(course, 4, **onset)
    reported = course.last
    assert closed(course.the_finding(UNREVIEWED)) == ("CLOSED", "CONDITION_GONE", reported)
    course.void_ae(event)
    row = course.the_finding(UNREVIEWED)
    assert (row.status, row.opened_at) == ("OPEN", course.now)


def test_RAD_08_finds_what_the_alert_of_the_same_name_finds(course: RadarCourse) -> None:
    for value in ("40", "24", "60", "30", "20", "44"):
        course.lab(platelets=value)
        course.wait(hours=6)
    course.review(course.lab(platelets="23")[0])
    course.wait(days=2)
    view = course.view()
    expected = {each.result_id for each in unreviewed_findings(view, course.state(view))}
    assert {row.object_id for row in course.found(UNREVIEWED) if row.status == "OPEN"} == expected
    assert len(expected) == 4


def test_RAD_08_a_result_that_is_mended_closes_it(course: RadarCourse) -> None:
    (one,) = course.lab(platelets="20")
    corrected = course.correct_result(one, "200")
    assert closed(course.the_finding(UNREVIEWED)) == ("CLOSED", "CONDITION_GONE", corrected)
