"""The items that feed scores, by their sub-inputs: MELD_CTX, GCS, SOFA_IN, APACHE_IN (visits.md section 1.2)."""

from datetime import datetime, timedelta

import pytest

from clinical_builders import A, hours
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.concomitant import ProcedureKind, ProcedureRecorded, ProcedureVoided
from hepatrail_events.measurements import NotDone, NotTestable
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED
from visit_course import VisitCourse, partial
from visit_items import D2, D7, bedside, lacking, one_session

W2 = A + timedelta(days=14)
BLOOD_GAS = ("pao2", "fio2", "ph_arterial")
WAIVED = dict.fromkeys(BLOOD_GAS, NotDone.OUTPATIENT_NO_ABG)


@pytest.fixture
def course() -> VisitCourse:
    return one_session()


def test_meld_ctx_needs_both_counts_and_zero_must_be_stated(course: VisitCourse) -> None:
    bedside(course, without=["cvvhd_hours_7d"])
    assert lacking(course, "MELD_CTX") == [("cvvhd_hours_7d", None)]
    course.bedside(D2)
    assert lacking(course, "MELD_CTX") == []


@pytest.mark.parametrize(
    ("kind", "began", "satisfied"),
    [
        (ProcedureKind.HD, D2 - hours(167), True),
        (ProcedureKind.HD, D2 - hours(169), False),
        (ProcedureKind.CVVHDF, D2 - hours(20), True),
        (ProcedureKind.PLASMA_EXCHANGE, D2 - hours(20), False),
    ],
)
def test_meld_ctx_is_satisfied_by_recorded_procedures_of_the_7_days(
    course: VisitCourse, kind: ProcedureKind, began: datetime, satisfied: bool
) -> None:
    bedside(course, without=["dialysis_sessions_7d", "cvvhd_hours_7d"])
    procedure = ProcedureRecorded(
        procedure_id=course.log.uuid(), kind=kind, started_at=partial(began), ended_at=partial(began + hours(0.5))
    )
    recorded = course.record(procedure, D2)
    assert (lacking(course, "MELD_CTX") == []) is satisfied
    assert (recorded in course.rows()["D2"].event_ids) is satisfied
    if satisfied:
        inputs = course.rows()["D2"].done["MELD_CTX"]["inputs"]
        assert {each["basis"] for each in inputs} == {"PROCEDURES"}
    void = ProcedureVoided(id=procedure.procedure_id, reason_code=VoidReason.DUPLICATE, reason_text=SEALED)
    course.record(void, D2)
    assert [code for code, _ in lacking(course, "MELD_CTX")] == ["dialysis_sessions_7d", "cvvhd_hours_7d"]


def test_procedures_are_counted_for_a_creatinine_sample(course: VisitCourse) -> None:
    course.bedside(D2, without=["dialysis_sessions_7d", "cvvhd_hours_7d"])
    procedure = ProcedureRecorded(
        procedure_id=course.log.uuid(), kind=ProcedureKind.HD, started_at=partial(D2 - hours(5))
    )
    course.record(procedure, D2)
    assert [code for code, _ in lacking(course, "MELD_CTX")] == ["dialysis_sessions_7d", "cvvhd_hours_7d"]


def test_gcs_needs_its_three_components_and_a_total_does_not_do(course: VisitCourse) -> None:
    bedside(course, without=["gcs_motor"], gcs_total="15")
    assert lacking(course, "GCS") == [("gcs_motor", None)]


@pytest.mark.parametrize("component", ["gcs_verbal", "gcs_eye", "gcs_motor"])
def test_a_component_that_is_not_testable_with_a_reason_satisfies_the_item(course: VisitCourse, component: str) -> None:
    changes = {component: "NT", "nt_reason": NotTestable.INTUBATED}
    bedside(course, D2, **changes)
    assert course.status("D2").status == "complete_in_window"


def test_a_component_that_is_not_testable_without_reason_does_not(course: VisitCourse) -> None:
    bedside(course, gcs_verbal="NT")
    expected = [("gcs_verbal", "NOT_TESTABLE_WITHOUT_REASON")]
    assert lacking(course, "GCS") == lacking(course, "SOFA_IN") == lacking(course, "APACHE_IN") == expected


@pytest.mark.parametrize("code", ["pao2", "fio2", "respiratory_support", "map", "vasoactive_given"])
def test_sofa_in_needs_each_of_its_own_inputs(course: VisitCourse, code: str) -> None:
    bedside(course, without=[code])
    assert lacking(course, "SOFA_IN") == [(code, None)]


@pytest.mark.parametrize("code", ["platelets", "tbil", "creatinine"])
def test_sofa_in_shares_three_labs_and_the_coma_scale(course: VisitCourse, code: str) -> None:
    course.labs(D2, [lab for lab in SEED_LABS if lab != code])
    course.labs(D2, [code], not_done=NotDone.HEMOLYSED)
    course.bedside(D2, without=["gcs_eye"])
    assert lacking(course, "SOFA_IN") == [(code, "HEMOLYSED"), ("gcs_eye", None)]


def test_urine_is_taken_but_not_needed_for_completeness(course: VisitCourse) -> None:
    bedside(course)
    assert "urine_output_24h" not in {each["code"] for each in course.rows()["D2"].done["SOFA_IN"]["inputs"]}
    assert lacking(course, "SOFA_IN") == []


def test_every_agent_has_a_dose_and_a_duration(course: VisitCourse) -> None:
    bedside(course, vasoactive_given="yes", norepinephrine_dose="0.1", dopamine_duration_min="60")
    assert lacking(course, "SOFA_IN") == [("dopamine_dose", None), ("norepinephrine_duration_min", None)]
    course.bedside(D2, vasoactive_given="yes", norepinephrine_duration_min="90", dopamine_dose="4")
    assert lacking(course, "SOFA_IN") == []


def test_an_agent_with_a_dose_of_zero_needs_no_duration(course: VisitCourse) -> None:
    bedside(course, vasoactive_given="yes", epinephrine_dose="0")
    assert lacking(course, "SOFA_IN") == []


def test_a_vasoactive_agent_must_be_named(course: VisitCourse) -> None:
    bedside(course, vasoactive_given="yes")
    assert lacking(course, "SOFA_IN") == [("vasoactive_dose", None)]
    course.bedside(D2, vasoactive_given="yes", other_vasoactive="terlipressin")
    assert lacking(course, "SOFA_IN") == []


def test_both_cuff_pressures_of_one_moment_stand_for_the_mean_pressure(course: VisitCourse) -> None:
    bedside(course, without=["map"], sbp="120", dbp="80")
    assert course.status("D2").status == "complete_in_window"
    inputs = course.rows()["D2"].done["SOFA_IN"]["inputs"]
    assert [each["basis"] for each in inputs if each["code"] == "map"] == ["CUFF"]


def test_cuff_pressures_of_different_moments_do_not(course: VisitCourse) -> None:
    bedside(course, without=["map"], sbp="120")
    course.bedside(D2 + hours(1), without=["map"], dbp="80")
    assert lacking(course, "SOFA_IN") == lacking(course, "APACHE_IN") == [("map", None)]


@pytest.mark.parametrize(
    "code",
    [
        "temperature",
        "temperature_site",
        "map",
        "heart_rate",
        "resp_rate",
        "fio2",
        "pao2",
        "sodium",
        "potassium",
        "hematocrit",
        "acute_renal_failure",
    ],
)
def test_apache_in_needs_each_of_its_own_inputs(course: VisitCourse, code: str) -> None:
    bedside(course, without=[code])
    assert lacking(course, "APACHE_IN") == [(code, None)]


@pytest.mark.parametrize("code", ["wbc", "creatinine"])
def test_apache_in_shares_two_labs_and_the_coma_scale(course: VisitCourse, code: str) -> None:
    course.labs(D2, [lab for lab in SEED_LABS if lab != code])
    course.bedside(D2, without=["gcs_motor"])
    assert lacking(course, "APACHE_IN") == [(code, None), ("gcs_motor", None)]


@pytest.mark.parametrize(("fio2", "needed"), [("0.499", False), ("0.5", True), ("0.8", True)])
def test_paco2_is_needed_from_an_fio2_of_one_half(course: VisitCourse, fio2: str, needed: bool) -> None:
    bedside(course, fio2=fio2)
    assert lacking(course, "APACHE_IN") == ([("paco2", None)] if needed else [])
    course.bedside(D2, fio2=fio2, paco2="40")
    assert lacking(course, "APACHE_IN") == []


def test_arterial_ph_or_serum_bicarbonate(course: VisitCourse) -> None:
    bedside(course, without=["ph_arterial"], not_done={"ph_arterial": NotDone.CLOTTED})
    assert lacking(course, "APACHE_IN") == [("ph_arterial|hco3_serum", "CLOTTED")]
    course.bedside(D2, without=["ph_arterial"], hco3_serum="24")
    assert lacking(course, "APACHE_IN") == []


def test_age_chronic_health_and_admission_come_from_enrolment(course: VisitCourse) -> None:
    course.everything(D2)
    codes = {each["code"] for each in course.rows()["D2"].done["APACHE_IN"]["inputs"]}
    assert not codes & {"age", "chronic_health", "admission_type"}


def test_the_blood_gas_of_an_outpatient_is_waived_from_week_2_on(course: VisitCourse) -> None:
    bedside(course, W2, without=BLOOD_GAS, not_done=WAIVED)
    assert course.status("W2").status == "complete_in_window"
    inputs = course.rows()["W2"].done["SOFA_IN"]["inputs"]
    assert {each["code"] for each in inputs if each["basis"] == "WAIVER"} == {"pao2", "fio2"}


def test_it_is_not_waived_before_week_2(course: VisitCourse) -> None:
    bedside(course, D7, without=BLOOD_GAS, not_done=WAIVED)
    assert lacking(course, "SOFA_IN", "D7") == [("pao2", "OUTPATIENT_NO_ABG"), ("fio2", "OUTPATIENT_NO_ABG")]


def test_it_is_not_waived_for_a_participant_on_oxygen(course: VisitCourse) -> None:
    bedside(course, W2, without=BLOOD_GAS, not_done=WAIVED, respiratory_support="nasal_cannula")
    assert [code for code, _ in lacking(course, "SOFA_IN", "W2")] == ["pao2", "fio2"]


def test_no_other_reason_and_no_other_input_is_waived(course: VisitCourse) -> None:
    reasons = {"pao2": NotDone.NOT_DONE, "sodium": NotDone.OUTPATIENT_NO_ABG}
    bedside(course, W2, without=["pao2", "sodium"], not_done=reasons)
    assert lacking(course, "APACHE_IN", "W2") == [("pao2", "NOT_DONE"), ("sodium", "OUTPATIENT_NO_ABG")]


def test_from_when_a_blood_gas_is_waived_is_the_protocols() -> None:
    course = VisitCourse(visits={"no_abg_from": "D7"})
    course.session()
    bedside(course, D7, without=BLOOD_GAS, not_done=WAIVED)
    assert lacking(course, "SOFA_IN", "D7") == []
