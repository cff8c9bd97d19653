"""RAD-03: an intervention that began while adverse events were going of which none is serious."""

from datetime import timedelta
from typing import Any

import pytest

from hepatrail_events.adverse_events import Criterion
from hepatrail_events.assessments import TransplantDone
from hepatrail_events.concomitant import MedicationRecorded, ProcedureKind, ProcedureVoided
from hepatrail_projections.clinical.radar.sighting import FindingKind
from projection_log import SEALED
from query_course import minute, void
from radar_course import RadarCourse, closed

INTERVENTION = FindingKind.INTERVENTION_WITHOUT_SERIOUS_EVENT


@pytest.fixture
def course() -> RadarCourse:
    return RadarCourse()


def going(course: RadarCourse, **changes: Any) -> Any:
    """An adverse event of grade 2 since an hour ago."""
    event = course.adverse_event(**changes)
    course.wait(hours=1)
    return event


@pytest.mark.parametrize(
    ("kind", "sort"),
    [
        (ProcedureKind.HD, "dialysis"),
        (ProcedureKind.CVVHD, "dialysis"),
        (ProcedureKind.CVVHDF, "dialysis"),
        (ProcedureKind.CVVH, "dialysis"),
        (ProcedureKind.PLASMA_EXCHANGE, None),
        (ProcedureKind.ALBUMIN_DIALYSIS, None),
        (ProcedureKind.OTHER, None),
    ],
)
def test_a_procedure_during_an_event_that_is_not_serious(
    course: RadarCourse, kind: ProcedureKind, sort: str | None
) -> None:
    going(course)
    reported = course.last
    procedure_id = course.procedure(kind, minute(course.now))
    rows = course.found(INTERVENTION)
    assert [row.object_id for row in rows] == ([procedure_id] if sort else [])
    if sort:
        assert (rows[0].evidence, rows[0].rule, rows[0].severity) == ((course.last, reported), "RAD-03", "MAJOR")
        assert rows[0].words.startswith(f"A {sort} began on ")
        assert course.asking(rows[0]) == ["RAD-03"]


@pytest.mark.parametrize(
    ("atc", "sort"),
    [("B05AX01", "transfusion"), ("C01CA03", "vasopressor"), ("B05AA01", None), ("J01", None), (None, None)],
)
def test_a_transfusion_or_a_vasopressor_is_a_medication(course: RadarCourse, atc: str | None, sort: str | None) -> None:
    going(course)
    medication_id, started = course.log.uuid(), minute(course.now)
    given = MedicationRecorded(
        medication_id=medication_id, verbatim=SEALED, atc=atc, started_at=started, therapeutic_anticoagulant=False
    )
    course.commit(given)
    rows = course.found(INTERVENTION)
    assert [(row.object_kind, row.object_id) for row in rows] == ([("MEDICATION", medication_id)] if sort else [])
    assert all(f"A {sort} began" in row.words for row in rows)


@pytest.mark.parametrize(
    ("row", "sort"),
    [
        ({"code": "respiratory_support", "value": "imv"}, "ventilation"),
        ({"code": "respiratory_support", "value": "niv"}, "ventilation"),
        ({"code": "respiratory_support", "value": "mask"}, None),
        ({"code": "gcs_verbal", "value": "NT", "nt_reason": "INTUBATED"}, "ventilation"),
        ({"code": "gcs_verbal", "value": "NT", "nt_reason": "SEDATED"}, None),
        ({"code": "vasoactive_given", "value": "yes"}, "vasopressor"),
        ({"code": "vasoactive_given", "value": "no"}, None),
        ({"code": "norepinephrine_dose", "value": "0.1", "unit": "ug/kg/min"}, "vasopressor"),
        ({"code": "norepinephrine_dose", "value": "0", "unit": "ug/kg/min"}, None),
        ({"code": "other_vasoactive", "value": "terlipressin"}, "vasopressor"),
    ],
)
def test_what_the_bedside_shows(course: RadarCourse, row: dict[str, str], sort: str | None) -> None:
    going(course)
    (result_id,) = course.bedside(row)
    rows = course.found(INTERVENTION)
    assert [(each.object_kind, each.object_id) for each in rows] == ([("OBSERVATION", result_id)] if sort else [])
    assert all(f"A {sort} began" in each.words for each in rows)


def test_a_transplantation(course: RadarCourse) -> None:
    going(course)
    event_id = course.commit(TransplantDone(transplant_at=minute(course.now)))
    row = course.the_finding(INTERVENTION)
    assert (row.object_kind, row.object_id) == ("ASSESSMENT", event_id)


def test_it_is_asked_once_for_all_events_that_were_going(course: RadarCourse) -> None:
    going(course)
    one = course.last
    going(course, code="SEPSIS", grade=3)
    two = course.last
    going(course, code="RASH", grade=1)
    course.procedure(ProcedureKind.HD, minute(course.now))
    row = course.the_finding(INTERVENTION)
    assert row.evidence == (course.last, one, two)
    assert "FEVER (grade 2), SEPSIS (grade 3)" in row.words


def test_a_serious_event_that_was_going_accounts_for_it(course: RadarCourse) -> None:
    event = going(course)
    serious = going(course, grade=3, criteria=(Criterion.HOSPITALISATION,))
    course.procedure(ProcedureKind.HD, minute(course.now))
    assert course.found(INTERVENTION) == []
    course.void_ae(serious)
    assert course.the_finding(INTERVENTION).opened_at == course.now
    upgraded = course.upgrade(event)
    assert closed(course.the_finding(INTERVENTION)) == ("CLOSED", "CONDITION_GONE", upgraded)


def test_a_serious_event_that_is_reported_later_closes_it(course: RadarCourse) -> None:
    going(course)
    course.procedure(ProcedureKind.HD, minute(course.now))
    onset = minute(course.now)
    course.wait(days=1)
    course.adverse_event(onset=onset, grade_at=onset, criteria=(Criterion.HOSPITALISATION,))
    assert closed(course.the_finding(INTERVENTION)) == ("CLOSED", "CONDITION_GONE", course.last)


def test_without_an_event_that_is_going_nothing_is_found(course: RadarCourse) -> None:
    course.procedure(ProcedureKind.HD, minute(course.now))
    course.wait(days=8)
    event = going(course)
    course.resolve(event)
    course.wait(hours=1)
    course.procedure(ProcedureKind.HD, minute(course.now))
    going(course, grade=1)
    course.wait(days=8)
    course.procedure(ProcedureKind.HD, minute(course.now))
    assert course.found(INTERVENTION) == []


@pytest.mark.parametrize(("days", "found"), [(7, 0), (7.1, 1)])
def test_the_next_dialysis_of_a_course_is_no_new_intervention(course: RadarCourse, days: float, found: int) -> None:
    started = course.now
    course.procedure(ProcedureKind.CVVHD, minute(started))
    course.wait(minutes=5)
    going(course)
    again = started + timedelta(days=days)
    course.wait(days=days)
    course.procedure(ProcedureKind.HD, minute(again))
    assert len(course.found(INTERVENTION)) == found


def test_a_procedure_that_is_void_closes_it(course: RadarCourse) -> None:
    going(course)
    procedure_id = course.procedure(ProcedureKind.HD, minute(course.now))
    gone = course.commit(ProcedureVoided(**void(procedure_id)))
    assert closed(course.the_finding(INTERVENTION)) == ("CLOSED", "CONDITION_GONE", gone)
