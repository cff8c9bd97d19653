"""LAB-02, LAB-04, LAB-05, OBS-01, OBS-02: what measured rows leave open, until it is mended."""

from datetime import timedelta
from typing import Any

import pytest

from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.concomitant import ProcedureKind, ProcedureVoided
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import (
    ImplausibleConfirmed,
    LabResultCorrected,
    LabResultVoided,
    ObservationCorrected,
    ObservationVoided,
    RejectReason,
)
from hepatrail_events.sessions import SessionVoided
from projection_log import SEALED
from query_course import Course, S, minute, void

ALT = {"code": "alt", "value": "30", "unit": "U/L"}


def reported(code: str, value: str, unit: str | None = None, **more: Any) -> dict[str, Any]:
    return {"code": code, "value": value, "unit": unit, **more}


def test_lab_02_a_row_that_was_not_accepted_is_asked_about_until_it_is_confirmed() -> None:
    course = Course()
    (result,) = course.labs({**ALT, "value": "99999", "accepted": False, "reject_reason": RejectReason.IMPLAUSIBLE})
    query = course.the("LAB-02")
    assert (query.query_id, query.object_kind, query.object_id) == (
        derived_id("LAB-02", S, result),
        "LAB_RESULT",
        result,
    )
    assert "correct value or unit, or let an investigator confirm it" in query.message
    course.commit(ImplausibleConfirmed(result_id=result, reason=SEALED))
    assert course.queries() == []


@pytest.mark.parametrize(
    ("fields", "reason", "says"),
    [
        ({"code": "altt"}, RejectReason.UNKNOWN_CODE, "did you mean alt"),
        ({"unit": None}, RejectReason.UNIT_MISSING, "U/L"),
        ({"unit": "furlong"}, RejectReason.UNIT_UNKNOWN, "U/L"),
        ({"value": "many"}, RejectReason.VALUE_NOT_ALLOWED, "accepted: a plain decimal number"),
        ({}, RejectReason.TIME_IN_FUTURE, "correct the time"),
        ({}, RejectReason.SOURCE_UNKNOWN, "lists Central Laboratory"),
    ],
)
def test_tim_05_dat_02_dat_04_lab_02_every_reason_says_what_would_be_accepted(
    fields: dict[str, Any], reason: str, says: str
) -> None:
    course = Course(laboratories=("Central Laboratory",))
    (result,) = course.labs({**ALT, **fields, "accepted": False, "reject_reason": reason})
    assert course.codes("LAB-02") == [reason]
    assert says in course.the("LAB-02").message
    course.commit(LabResultVoided(**void(result)))
    assert course.open("LAB-02") == []


def test_lab_02_is_asked_without_a_protocol_too() -> None:
    course = Course(effective=Course().now + timedelta(days=900))
    course.labs({**ALT, "accepted": False, "reject_reason": RejectReason.UNIT_UNKNOWN})
    query = course.the("LAB-02")
    assert query.protocol_version is None


def test_lab_02_of_a_bedside_row_names_an_observation() -> None:
    course = Course()
    (row,) = course.bedside(reported("map", "900", "mm[Hg]", accepted=False, reject_reason=RejectReason.IMPLAUSIBLE))
    assert (course.the("LAB-02").object_kind, course.the("LAB-02").object_id) == ("OBSERVATION", row)
    course.commit(
        ObservationCorrected(id=row, field="value", old_value="900", new_value="90", reason=SEALED, accepted=True)
    )
    assert course.open("LAB-02") == []


def test_dat_01_lab_04_an_impossible_visit_code_is_ignored_and_asked_about_until_it_is_corrected() -> None:
    course = Course()
    (result,) = course.labs(ALT, visit_code="W4")
    assert course.codes("LAB-04") == ["IMPOSSIBLE_VISIT"]
    course.commit(
        LabResultCorrected(id=result, field="visitCode", old_value="W4", new_value="BL", reason=SEALED, accepted=True)
    )
    assert course.open("LAB-04") == []


def test_lab_04_a_session_that_is_void_makes_a_visit_code_impossible() -> None:
    course = Course()
    begun = course.session()
    course.wait(days=2)
    course.bedside(reported("map", "90", "mm[Hg]"), visit_code="D2")
    assert course.open("LAB-04") == []
    voided = course.commit(SessionVoided(**void(begun.session_id)))
    query = course.the("LAB-04")
    assert (query.code, query.object_kind) == ("IMPOSSIBLE_VISIT", "OBSERVATION")
    assert voided in query.event_ids


def test_lab_04_a_sample_after_death_is_asked_about() -> None:
    course = Course()
    died = course.died()
    course.labs(ALT, collected_at=course.now)
    assert course.codes("LAB-04") == ["AFTER_DEATH"]
    assert died in course.the("LAB-04").event_ids


def test_lab_04_a_sample_on_the_day_of_death_is_not_certainly_after_it() -> None:
    course = Course()
    course.died()
    course.labs(ALT, collected_at=course.now.date())
    assert course.open("LAB-04") == []
    course.labs(ALT, collected_at=course.now.date() + timedelta(days=1))
    assert course.codes("LAB-04") == ["AFTER_DEATH"]


@pytest.mark.parametrize(("scope", "asked"), [("FOLLOW_UP", ["AFTER_WITHDRAWAL"]), ("TREATMENT_ONLY", [])])
def test_lab_04_a_sample_after_withdrawal_of_follow_up_is_asked_about(scope: str, asked: list[str]) -> None:
    course = Course()
    (early,) = course.labs(ALT)
    course.wait(hours=1)
    course.commit(
        ParticipantWithdrew(withdrawn_at=course.now, scope=WithdrawalScope(scope), vital_status_allowed=False)
    )
    course.wait(hours=1)
    (late,) = course.labs(ALT)
    assert course.codes("LAB-04") == asked
    assert early not in [row.object_id for row in course.open("LAB-04")]
    course.commit(LabResultVoided(**void(late)))
    assert course.open("LAB-04") == []


@pytest.mark.parametrize(
    ("dbil", "tbil", "asked"),
    [
        (reported("dbil", "20", "umol/L"), reported("tbil", "19", "umol/L"), True),
        (reported("dbil", "20", "umol/L"), reported("tbil", "20", "umol/L"), False),
        (reported("dbil", "1", "mg/dL"), reported("tbil", "17", "umol/L"), True),
        (reported("dbil", "20", "umol/L", comparator="<"), reported("tbil", "19", "umol/L"), False),
        (reported("dbil", "20", "umol/L", comparator=">"), reported("tbil", "20", "umol/L"), True),
        (reported("dbil", "20", "umol/L"), reported("tbil", "20", "umol/L", comparator="<"), True),
        (reported("dbil", "20", "umol/L"), reported("tbil", "19", "umol/L", comparator=">"), False),
        (reported("dbil", "20", "umol/L"), {"code": "tbil", "not_done": "HEMOLYSED"}, False),
    ],
)
def test_lab_05_direct_bilirubin_above_total(dbil: dict[str, Any], tbil: dict[str, Any], asked: bool) -> None:
    course = Course()
    sample = course.log.uuid()
    _, total = course.labs(dbil, tbil, sample_id=sample)
    assert course.codes("LAB-05") == ["DBIL_ABOVE_TBIL"] * asked
    if asked:
        assert (course.the("LAB-05").object_kind, course.the("LAB-05").object_id) == ("SAMPLE", sample)
    course.commit(LabResultVoided(**void(total)))
    assert course.open("LAB-05") == []


def test_lab_05_compares_one_sample_only() -> None:
    course = Course()
    course.labs(reported("dbil", "20", "umol/L"))
    course.labs(reported("tbil", "10", "umol/L"))
    assert course.open("LAB-05") == []


@pytest.mark.parametrize(
    ("inr", "pta", "asked"),
    [
        ("1.5", "71", ["INR_HIGH_PTA_NORMAL"]),
        ("1.5", "70", []),
        ("1.49", "71", []),
        ("1.1", "59", ["INR_NORMAL_PTA_LOW"]),
        ("1.1", "60", []),
        ("1.0", "131", ["PTA_ABOVE_RANGE"]),
        ("1.6", "131", ["INR_HIGH_PTA_NORMAL", "PTA_ABOVE_RANGE"]),
    ],
)
def test_lab_05_inr_and_prothrombin_activity_that_contradict_each_other(inr: str, pta: str, asked: list[str]) -> None:
    course = Course()
    _, activity = course.labs(reported("inr", inr), reported("pta", pta, "%"))
    assert course.codes("LAB-05") == asked
    course.commit(
        LabResultCorrected(id=activity, field="value", old_value=pta, new_value="65", reason=SEALED, accepted=True)
    )
    assert course.open("LAB-05") == []


def test_obs_01_a_component_that_was_not_testable_needs_its_reason() -> None:
    course = Course()
    (row, _, _) = course.bedside(
        reported("gcs_verbal", "NT"), reported("gcs_eye", "4"), reported("gcs_motor", "NT", nt_reason="PARALYSED")
    )
    assert (course.the("OBS-01").object_id, course.the("OBS-01").code) == (row, "NT_WITHOUT_REASON")
    correction = ObservationCorrected(id=row, field="ntReason", new_value="INTUBATED", reason=SEALED, accepted=True)
    course.commit(correction)
    assert course.open("OBS-01") == []


def test_obs_01_a_total_beside_components_is_ignored_and_asked_about() -> None:
    course = Course()
    at = course.now
    course.bedside(reported("gcs_eye", "4"), assessed_at=at)
    (total,) = course.bedside(reported("gcs_total", "15"), assessed_at=at)
    assert (course.the("OBS-01").object_id, course.the("OBS-01").code) == (total, "TOTAL_BESIDE_COMPONENTS")
    course.commit(ObservationVoided(**void(total)))
    assert course.open("OBS-01") == []
    course.wait(hours=1)
    course.bedside(reported("gcs_total", "15"))
    assert course.open("OBS-01") == []


def dialysed(course: Course, hours: float, kind: ProcedureKind = ProcedureKind.CVVHD) -> Any:
    """A procedure that ended an hour ago."""
    ended = course.now - timedelta(hours=1)
    return course.procedure(kind, minute(ended - timedelta(hours=hours)), minute(ended))


def test_obs_02_a_stated_number_of_dialyses_that_the_procedures_contradict() -> None:
    course = Course()
    procedure = dialysed(course, 4, ProcedureKind.HD)
    agreeing, other = course.bedside(
        reported("dialysis_sessions_7d", "1", "{count}"), reported("cvvhd_hours_7d", "20", "h")
    )
    query = course.the("OBS-02")
    assert (query.object_id, query.code) == (other, "DIALYSIS_DISAGREES")
    assert "give 0 and count" in query.message
    course.commit(ProcedureVoided(**void(procedure)))
    assert course.open("OBS-02") == []
    dialysed(course, 3, ProcedureKind.HD)
    dialysed(course, 2, ProcedureKind.HD)
    assert {row.object_id for row in course.open("OBS-02")} == {agreeing, other}


@pytest.mark.parametrize(
    ("stated", "comparator", "asked"),
    [("24", None, False), ("23.1", None, False), ("25", None, True), ("23", None, True), ("20", ">=", False)],
)
def test_obs_02_hours_agree_within_one(stated: str, comparator: str | None, asked: bool) -> None:
    course = Course()
    dialysed(course, 24)
    course.bedside(reported("cvvhd_hours_7d", stated, "h", comparator=comparator))
    assert course.codes("OBS-02") == ["DIALYSIS_DISAGREES"] * asked


def test_obs_02_counts_before_the_creatinine_sample_of_the_time_point() -> None:
    course = Course()
    course.labs(reported("creatinine", "100", "umol/L"))
    course.wait(hours=3)
    dialysed(course, 1, ProcedureKind.HD)
    course.bedside(reported("dialysis_sessions_7d", "1", "{count}"))
    assert course.open("OBS-02") == [], "no procedure lies before the sample, so the stated number stands"
    course.labs(reported("creatinine", "110", "umol/L"))
    course.bedside(reported("dialysis_sessions_7d", "2", "{count}"))
    assert len(course.open("OBS-02")) == 1
