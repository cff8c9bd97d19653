"""Corrections of a report and of its grade timeline (`safety.md` 4.1, INV-02 to INV-09, INV-12, INV-13)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from builders.adverse_events import FATAL, ae_followed_up, ae_grade_changed, ae_reported, ae_resolved, ae_upgraded
from builders.commands import command
from builders.ids import AE, SUBJECT
from builders.participant import consent, died
from builders.payloads import sealed
from builders.times import day, iso, minute
from hepatrail_events.adverse_events import AECorrected, AEGradeCorrected
from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import By, given

OPEN = (consent(), ae_reported())
RESOLVED = (*OPEN, ae_resolved(endAt=minute(days=2)))
DEAD = (consent(), ae_reported(**FATAL, endAt=minute(days=2)), died(primaryCauseAeId=str(AE)))
OTHER = "00000000-0000-4000-8000-00000000bbbb"


def _recorded_as(number: int) -> str:
    """The id of the event of this number in the participant's stream."""
    return str(uuid5(UUID(int=0), f"subject-{SUBJECT}@{number}"))


def _event(state: object) -> AdverseEvent:
    assert isinstance(state, SubjectState)
    (event,) = state.adverse_events.events.values()
    return event


@pytest.mark.parametrize(
    ("field", "old", "new", "log"),
    [
        ("code", "FEVER", "SEPSIS", "SEPSIS"),
        ("ctcaeTerm", None, "Fever", "Fever"),
        ("onset", "2026-03-15T02:00Z", "2026-03", "2026-03"),
        ("onset", "2026-03-15T02:00Z", "UNKNOWN", "UNKNOWN"),
        ("awareAt", iso(days=4), "2026-03-17T10:00:00+08:00", "2026-03-17T02:00:00.000Z"),
        ("outcome", "NOT_RECOVERED", "RECOVERING", "RECOVERING"),
        ("actionTaken", "NO_CHANGE", "DOSE_REDUCED", "DOSE_REDUCED"),
        ("reporter", "ward physician", "study nurse", "study nurse"),
        ("ageYears", None, "44", "44"),
        ("baselineConditionId", None, OTHER, OTHER),
        ("recurrenceOf", None, OTHER, OTHER),
        ("replaces", None, OTHER, OTHER),
        ("onsetBeforeFirstSession", None, "TRUE", "true"),
        ("frequencyWorsenedAt", None, "2026-03-16", "2026-03-16"),
    ],
)
def test_a_field_of_the_report_is_corrected_and_the_original_stays(
    field: str, old: str | None, new: str, log: str
) -> None:
    history = given(consent(), ae_reported(grade=3))
    outcome = history.when(command("correctAdverseEvent", field=field, oldValue=old, newValue=new))
    event = outcome.then_one(AECorrected)
    stated = {"field": field, "oldValue": old, "newValue": log, "reason": sealed()}
    expected = {"aeId": str(AE), "aeVersion": 2} | {name: value for name, value in stated.items() if value is not None}
    assert event.payload() == expected
    payload = _event(outcome.state).report.payload()[field]
    assert log in (payload, str(payload).lower(), isinstance(payload, dict) and payload.get("value", "UNKNOWN"))


def test_a_field_that_may_be_absent_is_emptied() -> None:
    history = given(consent(), ae_reported(ageYears=44))
    state = history.when(command("correctAdverseEvent", field="ageYears", newValue=None)).then_accepts(AECorrected)
    assert _event(state).report.age_years is None
    given(*OPEN).when(command("correctAdverseEvent", field="onset", newValue=None)).then_rejects(
        code="SHAPE", field="newValue"
    )


def test_the_verbatim_is_corrected_sealed() -> None:
    asked = command("correctAdverseEvent", field="verbatim", newValue=None, newText=sealed("newText"))
    outcome = given(*OPEN).when(asked)
    assert outcome.then_one(AECorrected).payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "field": "verbatim",
        "newText": sealed("newText"),
        "reason": sealed(),
    }
    assert _event(outcome.state).report.verbatim.path == "newText"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"field": "verbatim", "newValue": "plain words"}, "newValue"),
        ({"field": "verbatim", "newValue": None}, "newText"),
        ({"field": "verbatim", "newValue": None, "newText": sealed("newText"), "oldValue": "x"}, "oldValue"),
        ({"field": "reporter", "newText": sealed("newText")}, "newText"),
        ({"field": "grade", "newValue": "3"}, "field"),
        ({"field": "gradeAt", "newValue": "2026-03-16"}, "field"),
        ({"field": "criteria", "newValue": "DEATH"}, "field"),
        ({"field": "causality", "newValue": "POSSIBLE"}, "field"),
        ({"field": "death", "newValue": "2026-03-16"}, "field"),
        ({"field": "aeId", "newValue": OTHER}, "field"),
        ({"field": "code", "newValue": "HEADACHE"}, "newValue"),
        ({"field": "onset", "newValue": "15 March"}, "newValue"),
        ({"field": "ageYears", "newValue": "121"}, "newValue"),
        ({"field": "reporter", "newValue": "ward physician"}, "newValue"),
    ],
    ids=str,
)
def test_a_correction_has_a_shape(changes: dict[str, Any], field: str) -> None:
    given(*OPEN).when(command("correctAdverseEvent", **changes)).then_rejects(code="SHAPE", field=field)


def test_another_old_value_is_a_conflict() -> None:
    asked = command("correctAdverseEvent", oldValue="head nurse")
    given(*OPEN).when(asked).then_rejects(code="CONFLICT", field="oldValue")


def test_what_later_events_changed_is_compared_with_its_value_now() -> None:
    end = {"field": "endAt", "newValue": "2026-03-17"}
    given(*RESOLVED).when(command("correctAdverseEvent", **end, oldValue="2026-03-18T02:00Z")).then_accepts(AECorrected)
    given(*RESOLVED).when(command("correctAdverseEvent", **end, oldValue="2026-03-16")).then_rejects(
        code="CONFLICT", field="oldValue"
    )
    followed = given(*OPEN, ae_followed_up(outcome="RECOVERING", actionTaken="DOSE_REDUCED"))
    followed.when(
        command("correctAdverseEvent", field="actionTaken", oldValue="NO_CHANGE", newValue="UNKNOWN")
    ).then_rejects(code="CONFLICT", field="oldValue")
    followed.when(
        command("correctAdverseEvent", field="outcome", oldValue="RECOVERING", newValue="UNKNOWN")
    ).then_accepts(AECorrected)


def test_inv_13_no_correction_without_a_reason() -> None:
    for name in ("correctAdverseEvent", "correctAdverseEventGrade", "reopenAdverseEvent", "correctDeathRecord"):
        with pytest.raises(CommandRejected) as refusal:
            command(name, reason=None)
        assert refusal.value.field == "reason"
    for name in ("voidAdverseEvent", "requestAeVoid", "downgradeAdverseEvent"):
        for field in ("reasonCode", "reasonText"):
            with pytest.raises(CommandRejected) as refusal:
                command(name, **{field: None})
            assert refusal.value.field == field


@pytest.mark.parametrize(
    ("history", "changes", "rule"),
    [
        (OPEN, {"field": "outcome", "newValue": "FATAL"}, "INV-02"),
        (DEAD, {"field": "outcome", "newValue": "UNKNOWN"}, "INV-02"),
        (OPEN, {"field": "code", "newValue": "SEPSIS"}, "INV-03"),
        (OPEN, {"field": "ctcaeTerm", "newValue": "Sepsis"}, "INV-03"),
        (OPEN, {"field": "onset", "newValue": "2026-03-16T03:00Z"}, "INV-05"),
        (OPEN, {"field": "onset", "newValue": "2026-03-17"}, "INV-05"),
        (OPEN, {"field": "awareAt", "newValue": iso(days=6)}, "INV-05"),
        (OPEN, {"field": "awareAt", "newValue": iso(minutes=-6)}, "INV-05"),
        (RESOLVED, {"field": "endAt", "newValue": "2026-03-14"}, "INV-05"),
        (OPEN, {"field": "frequencyWorsenedAt", "newValue": "2026-03-21"}, "INV-06"),
        (RESOLVED, {"field": "endAt", "newValue": "2026-03-21"}, "INV-06"),
        (OPEN, {"field": "outcome", "newValue": "RECOVERED"}, "INV-07"),
        (OPEN, {"field": "endAt", "newValue": "2026-03-19"}, "INV-07"),
        (RESOLVED, {"field": "outcome", "newValue": "UNKNOWN"}, "INV-07"),
        (RESOLVED, {"field": "endAt", "newValue": None}, "INV-07"),
        (DEAD, {"field": "endAt", "newValue": "2026-03-19"}, "INV-07"),
        (
            (consent(), ae_reported(grade=None, gradeAt=None, awareAt=iso(hours=1)), died()),
            {"field": "onset", "newValue": "2026-03-19"},
            "INV-09",
        ),
    ],
    ids=str,
)
def test_the_invariants_hold_after_a_correction(history: tuple[Any, ...], changes: dict[str, Any], rule: str) -> None:
    given(*history).when(command("correctAdverseEvent", **changes)).then_rejects(rule, field="newValue")


def test_inv_05_an_onset_does_not_move_behind_the_seriousness() -> None:
    unknown = ae_reported(grade=None, gradeAt=None, awareAt=iso(days=1))
    serious = By(ae_upgraded(seriousSince=minute(days=3), awareAt=iso(days=2)))
    asked = command("correctAdverseEvent", field="onset", newValue="2026-03-17T03:00Z")
    given(consent(), unknown, serious).when(asked).then_rejects("INV-05", field="newValue")
    aware_early = By(ae_upgraded(seriousSince=day("2026-03-17"), awareAt=iso(days=3)))
    given(consent(), unknown, aware_early).when(asked).then_rejects("INV-05", field="newValue")


def test_inv_03_earlier_lower_grades_may_stand_under_an_earlier_term() -> None:
    worse = ae_grade_changed(4, gradeAt=minute(days=2))
    asked = command("correctAdverseEvent", field="code", newValue="SEPSIS")
    given(*OPEN, worse).when(asked).then_accepts(AECorrected)
    better = ae_grade_changed(1, version=3, gradeAt=minute(days=1))
    given(*OPEN, worse, better).when(asked).then_rejects("INV-03")
    palpitations = command("correctAdverseEvent", field="code", newValue="PALPITATIONS")
    given(*OPEN, worse, better).when(palpitations).then_rejects("INV-03")


def test_a_point_of_the_grade_timeline_is_replaced() -> None:
    asked = command("correctAdverseEventGrade", grade=3, gradeAt=day("2026-03-16"))
    outcome = given(*OPEN).when(asked)
    assert outcome.then_one(AEGradeCorrected).payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "gradeEventId": _recorded_as(2),
        "grade": 3,
        "gradeAt": day("2026-03-16"),
        "reason": sealed(),
    }
    (point,) = _event(outcome.state).grades
    assert (point.grade, point.grade_at) == (3, PartialDate.model_validate(day("2026-03-16")))


def test_a_corrected_grade_keeps_the_time_that_is_not_stated() -> None:
    event = given(*OPEN).when(command("correctAdverseEventGrade")).then_one(AEGradeCorrected)
    assert event.payload()["gradeAt"] == minute(days=5)


def test_a_mistyped_grade_leaves_the_timeline_and_the_greatest_grade_with_it() -> None:
    history = given(*OPEN, ae_grade_changed(4))
    outcome = history.when(command("correctAdverseEventGrade", gradeEventId=_recorded_as(3), grade=None))
    event = outcome.then_one(AEGradeCorrected)
    assert event.payload() == {"aeId": str(AE), "aeVersion": 3, "gradeEventId": _recorded_as(3), "reason": sealed()}
    assert _event(outcome.state).max_grade == 2


def test_a_corrected_point_is_corrected_again_by_the_same_id_and_a_removed_one_is_not() -> None:
    corrected = given(*OPEN).when(command("correctAdverseEventGrade")).events[0]
    again = command("correctAdverseEventGrade", grade=1)
    given(*OPEN, corrected).when(again).then_accepts(AEGradeCorrected)
    removed = given(*OPEN).when(command("correctAdverseEventGrade", grade=None)).events[0]
    given(*OPEN, removed).when(again).then_rejects(field="gradeEventId")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"gradeEventId": _recorded_as(1)}, "RULE", "gradeEventId"),
        ({"grade": None, "gradeAt": day("2026-03-16")}, "SHAPE", "gradeAt"),
        ({"grade": 2}, "SHAPE", "grade"),
    ],
    ids=["no such point", "a removed point has no time", "nothing changes"],
)
def test_a_correction_of_a_grade_changes_one_known_point(changes: dict[str, Any], code: str, field: str) -> None:
    given(*OPEN).when(command("correctAdverseEventGrade", **changes)).then_rejects(code=code, field=field)


@pytest.mark.parametrize(
    ("history", "changes", "rule", "field"),
    [
        (OPEN, {"grade": 5}, "INV-02", "grade"),
        (DEAD, {"grade": 4}, "INV-02", "grade"),
        (DEAD, {"grade": None}, "INV-02", "grade"),
        ((consent(), ae_reported(code="PALPITATIONS")), {}, "INV-03", "grade"),
        (OPEN, {"gradeAt": minute(days=6)}, "INV-05", "gradeAt"),
        (RESOLVED, {"gradeAt": minute(days=1)}, "INV-05", "gradeAt"),
        (OPEN, {"gradeAt": day("2026-03-21")}, "INV-06", "gradeAt"),
    ],
    ids=str,
)
def test_the_invariants_hold_after_a_correction_of_a_grade(
    history: tuple[Any, ...], changes: dict[str, Any], rule: str, field: str
) -> None:
    given(*history).when(command("correctAdverseEventGrade", **changes)).then_rejects(rule, field=field)
