"""Grade 4 without a criterion (INV-15 asks) and without causality (RAD-06 asks, or INV-20)."""

import pytest

from hepatrail_events.adverse_events import AECausalityAssessed, Assessor, Causality, CausalityTarget, Criterion
from hepatrail_projections.clinical.radar.sighting import FindingKind
from projection_log import SEALED
from radar_course import RadarCourse, closed

WITHOUT_CRITERION, WITHOUT_CAUSALITY = FindingKind.GRADE_4_WITHOUT_CRITERION, FindingKind.GRADE_4_WITHOUT_CAUSALITY
CELLS = [{"target": "CELL_PRODUCT", "value": "UNRELATED"}]


@pytest.fixture
def course() -> RadarCourse:
    return RadarCourse()


@pytest.mark.parametrize(
    ("grade", "criteria", "found"),
    [
        (4, (), True),
        (3, (), False),
        (None, (), False),
        (4, (Criterion.LIFE_THREATENING,), False),
        (4, (Criterion.HOSPITALISATION,), False),
    ],
)
def test_grade_4_has_a_criterion(
    course: RadarCourse, grade: int | None, criteria: tuple[Criterion, ...], found: bool
) -> None:
    event = course.adverse_event(grade=grade, criteria=criteria)
    rows = course.found(WITHOUT_CRITERION)
    assert [row.object_id for row in rows] == ([event.ae_id] if found else [])
    if found:
        assert (rows[0].evidence, rows[0].rule, rows[0].opened_at) == ((course.last,), "INV-15", course.now)
        assert course.asking(rows[0]) == ["INV-15"]


def test_a_grade_that_rises_to_4_is_evidence_beside_the_report(course: RadarCourse) -> None:
    event = course.adverse_event(grade=2)
    reported = course.last
    course.wait(hours=2)
    graded = course.regrade(event, 4)
    row = course.the_finding(WITHOUT_CRITERION)
    assert (row.evidence, row.opened_at) == ((reported, graded), course.now)


def test_a_criterion_closes_it_and_a_reasoned_downgrade_does_not_open_it_again(course: RadarCourse) -> None:
    event = course.adverse_event(grade=4)
    opened = course.the_finding(WITHOUT_CRITERION).opened_at
    course.wait(hours=2)
    upgraded = course.upgrade(event, Criterion.LIFE_THREATENING)
    row = course.the_finding(WITHOUT_CRITERION)
    assert closed(row) == ("CLOSED", "CONDITION_GONE", upgraded)
    assert (row.opened_at, row.closed_at) == (opened, course.now)
    course.downgrade(event)
    assert closed(course.the_finding(WITHOUT_CRITERION)) == ("CLOSED", "CONDITION_GONE", upgraded)


def test_RAD_06_asks_for_the_causality_of_grade_4_after_a_day(course: RadarCourse) -> None:
    event = course.adverse_event(grade=4, causality=CELLS)
    reported = course.last
    assert course.found(WITHOUT_CAUSALITY) == []
    course.wait(hours=24)
    row = course.the_finding(WITHOUT_CAUSALITY)
    assert (row.evidence, row.rule, row.opened_at) == ((reported,), "RAD-06", course.now)
    assert "the device" in row.words
    assert "the cell product" not in row.words
    assert course.asking(row) == ["RAD-06"]
    assessed = course.commit(
        AECausalityAssessed(
            ae_id=event.ae_id,
            ae_version=2,
            assessor=Assessor.INVESTIGATOR,
            target=CausalityTarget.DEVICE,
            value=Causality.UNLIKELY,
            rationale=SEALED,
        )
    )
    assert closed(course.the_finding(WITHOUT_CAUSALITY)) == ("CLOSED", "CONDITION_GONE", assessed)
    assert course.open("RAD-06") == []


def test_INV_20_asks_for_the_causality_of_a_serious_one_and_RAD_06_does_not(course: RadarCourse) -> None:
    course.adverse_event(grade=4, causality=(), criteria=(Criterion.LIFE_THREATENING,))
    course.wait(hours=25)
    row = course.the_finding(WITHOUT_CAUSALITY)
    assert (row.rule, course.asking(row)) == ("INV-20", ["INV-20"])
    assert course.open("RAD-06") == []


def test_an_event_that_becomes_serious_is_asked_about_by_the_other_rule(course: RadarCourse) -> None:
    event = course.adverse_event(grade=4, causality=())
    course.wait(hours=25)
    before = course.the_finding(WITHOUT_CAUSALITY)
    course.upgrade(event, Criterion.LIFE_THREATENING)
    course.wait(hours=25)
    row = course.the_finding(WITHOUT_CAUSALITY)
    assert (row.finding_id, row.opened_at) == (before.finding_id, before.opened_at)
    assert (before.rule, row.rule) == ("RAD-06", "INV-20")
    assert [each.rule for each in course.queries() if each.rule in ("RAD-06", "INV-20")] == ["INV-20"]


@pytest.mark.parametrize(("grade", "causality", "found"), [(3, (), 0), (4, None, 0), (4, (), 1)])
def test_other_grades_and_assessed_ones_are_no_finding(
    course: RadarCourse, grade: int, causality: tuple[()] | None, found: int
) -> None:
    course.adverse_event(grade=grade, **({} if causality is None else {"causality": causality}))
    course.wait(days=2)
    assert len(course.found(WITHOUT_CAUSALITY)) == found
