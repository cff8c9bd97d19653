"""The first report of an adverse event, and the invariants it keeps (`safety.md` 4)."""

from typing import Any

import pytest

from builders.adverse_events import ae_reported
from builders.commands import command
from builders.participant import enrolled
from builders.payloads import sealed
from builders.times import UNKNOWN, day, iso, minute
from first_reports import OPEN, OTHER_AE, only_event
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionStarted
from specification import given


def test_a_report_is_kept_as_it_was_made() -> None:
    asked = command(
        "reportAdverseEvent",
        ctcaeTerm="Fever",
        criteria=["HOSPITALISATION", "HOSPITALISATION", "MEDICALLY_IMPORTANT"],
        causality=[{"target": "DEVICE", "value": "POSSIBLE", "rationale": sealed("causality[0].rationale")}],
        ageYears=44,
        recurrenceOf=OTHER_AE,
        replaces=OTHER_AE,
        baselineConditionId=OTHER_AE,
        onsetBeforeFirstSession=False,
        frequencyWorsenedAt=day("2026-03-16"),
    )
    event = given(*OPEN).when(asked).then_one(AEReported)
    stated = asked.payload() | {
        "aeId": str(object_id(asked.command_id, "ae")),
        "aeVersion": 1,
        "criteria": ["HOSPITALISATION", "MEDICALLY_IMPORTANT"],
    }
    assert event.payload() == {name: part for name, part in stated.items() if name not in ("commandId", "subjectId")}


def test_a_grade_may_be_unknown_at_first() -> None:
    event = given(*OPEN).when(command("reportAdverseEvent", grade=None, gradeAt=None)).then_one(AEReported)
    assert "grade" not in event.payload()


@pytest.mark.parametrize("lacking", ["grade", "gradeAt"])
def test_a_grade_comes_with_its_time(lacking: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **{lacking: None})).then_rejects(code="SHAPE", field=lacking)


def test_a_coordinator_reports_without_judging_causality() -> None:
    judged = command("reportAdverseEvent", causality=[{"target": "DEVICE", "value": "POSSIBLE"}])
    given(*OPEN).when(judged, by=Role.COORDINATOR).then_rejects(code="FORBIDDEN", field="causality")
    given(*OPEN).when(judged, by=Role.INVESTIGATOR).then_accepts(AEReported)
    given(*OPEN).when(command("reportAdverseEvent"), by=Role.COORDINATOR).then_accepts(AEReported)


@pytest.mark.parametrize(
    ("code", "term", "grade", "exists"),
    [
        ("PALPITATIONS", None, 2, True),
        ("PALPITATIONS", None, 3, False),
        ("RASH", None, 4, False),
        ("SEPSIS", None, 2, False),
        ("SEPSIS", None, 3, True),
        ("INFECTION_CATHETER", None, 1, False),
        ("THROMBOSIS_ARTERIAL", None, 2, False),
        ("LAB_ABNORMALITY", "INR increased", 3, True),
        ("LAB_ABNORMALITY", "INR increased", 4, False),
        ("LAB_ABNORMALITY", "acidosis", 2, False),
        ("OTHER", "Palpitations", 3, False),
        ("OTHER", "Pruritus of the moon", 4, True),
    ],
)
def test_inv_03_the_grade_exists_for_the_term(code: str, term: str | None, grade: int, exists: bool) -> None:
    outcome = given(*OPEN).when(command("reportAdverseEvent", code=code, ctcaeTerm=term, grade=grade))
    if exists:
        outcome.then_accepts(AEReported)
    else:
        outcome.then_rejects("INV-03", field="grade")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"onset": minute(days=3)}, "gradeAt"),
        ({"onset": minute(days=3), "gradeAt": minute(days=3)}, "awareAt"),
        ({"onset": day("2026-03-17"), "gradeAt": day("2026-03-17")}, "awareAt"),
        ({"awareAt": iso(minutes=-6)}, "awareAt"),
        ({"gradeAt": minute(days=6)}, "gradeAt"),
        ({"outcome": "RECOVERED", "endAt": minute(days=6)}, "endAt"),
        ({"outcome": "RECOVERED", "endAt": minute(days=5), "gradeAt": minute(days=4)}, "endAt"),
    ],
    ids=str,
)
def test_inv_05_onset_knowledge_grade_and_end_are_in_order(changes: dict[str, Any], field: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **changes)).then_rejects("INV-05", field=field)


@pytest.mark.parametrize(
    "changes",
    [
        {"onset": day("2026-03-15")},
        {"onset": day("2026-03-16"), "gradeAt": day("2026-03-16")},
        {"onset": {"value": "2026-03", "precision": "MONTH"}},
        {"onset": {"value": "2026", "precision": "YEAR"}},
        {"onset": UNKNOWN},
        {"gradeAt": day("2026-03-15")},
    ],
    ids=str,
)
def test_inv_05_times_are_compared_at_the_coarser_precision(changes: dict[str, Any]) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **changes)).then_accepts(AEReported)


@pytest.mark.parametrize(
    "changes",
    [
        {"onset": day("2026-03-21")},
        {"frequencyWorsenedAt": minute(minutes=-7)},
        {"outcome": "RECOVERED", "endAt": {"value": "2027", "precision": "YEAR"}},
    ],
    ids=str,
)
def test_tim_05_inv_06_no_time_of_an_event_lies_in_the_future(changes: dict[str, Any]) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **changes)).then_rejects("INV-06")


@pytest.mark.parametrize("outcome", ["RECOVERED", "RECOVERED_WITH_SEQUELAE"])
def test_inv_07_a_recovery_has_an_end(outcome: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome)).then_rejects("INV-07", field="endAt")
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome, endAt=minute(days=1))).then_accepts(AEReported)


@pytest.mark.parametrize("outcome", ["RECOVERING", "NOT_RECOVERED", "UNKNOWN"])
def test_inv_07_what_goes_on_has_no_end(outcome: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome, endAt=minute(days=1))).then_rejects("INV-07")


@pytest.mark.parametrize("criteria", [[], ["LIFE_THREATENING"]], ids=str)
def test_inv_01_an_event_is_serious_by_its_criteria_and_by_nothing_else(criteria: list[str]) -> None:
    state = given(*OPEN).when(command("reportAdverseEvent", criteria=criteria)).then_accepts(AEReported)
    assert only_event(state).serious is only_event(state).ever_serious is bool(criteria)


@pytest.mark.parametrize("unknown", ["serious", "aeVersion", "aeId"])
def test_inv_01_inv_12_what_is_derived_is_no_field_of_a_report(unknown: str) -> None:
    with pytest.raises(CommandRejected) as refusal:
        command("reportAdverseEvent", **{unknown: 1})
    assert (refusal.value.code, refusal.value.field) == ("SHAPE", unknown)


SOFT: dict[str, dict[str, Any]] = {
    "INV-15 grade 4 without LIFE_THREATENING": {"grade": 4},
    "INV-15 LIFE_THREATENING with grade 2": {"criteria": ["LIFE_THREATENING"]},
    "INV-15 grade 3 and not serious": {"grade": 3},
    "INV-17 infusion reaction far from any session": {"code": "INFUSION_REACTION"},
    "INV-20 serious without causality": {"criteria": ["HOSPITALISATION"]},
    "INV-20 grade unknown": {"grade": None, "gradeAt": None},
}


@pytest.mark.parametrize("changes", SOFT.values(), ids=SOFT)
def test_inv_15_inv_17_inv_20_ask_and_do_not_refuse(changes: dict[str, Any]) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **changes)).then_accepts(AEReported)


def test_inv_16_a_session_after_the_treatment_was_discontinued_asks_and_is_not_refused() -> None:
    stopped = ae_reported(actionTaken="TREATMENT_DISCONTINUED")
    given(*OPEN, enrolled(), stopped).when(command("startSession")).then_accepts(SessionStarted)
