"""The first report of an adverse event, a fatal one with the death, and the invariants it keeps (`safety.md` 4)."""

from typing import Any

import pytest

from builders import (
    AE,
    FATAL,
    UNKNOWN,
    a_sealed,
    ae_reported,
    command,
    consent,
    day,
    died,
    enrolled,
    iso,
    minute,
    sealed,
)
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.errors import CommandRejected
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionStarted
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import given

OPEN = (consent(),)
OTHER_AE = "00000000-0000-4000-8000-00000000bbbb"
DEATH = {"deathAt": minute(days=2), "primaryCause": True}
ENDED_WITH_DEATH = ae_reported(**FATAL, endAt=minute(days=2))
DEAD_OF_IT = died(primaryCauseAeId=str(AE))


def _event(state: object) -> AdverseEvent:
    assert isinstance(state, SubjectState)
    (event,) = state.adverse_events.events.values()
    return event


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
    "partly",
    [
        {"grade": 5},
        {"outcome": "FATAL"},
        {"criteria": ["DEATH"]},
        {"grade": 5, "outcome": "FATAL"},
        {"grade": 5, "criteria": ["DEATH"]},
        {"outcome": "FATAL", "criteria": ["DEATH"]},
    ],
    ids=str,
)
def test_inv_02_grade_5_fatal_and_death_stand_together(partly: dict[str, Any]) -> None:
    given(*OPEN, died()).when(command("reportAdverseEvent", **partly)).then_rejects("INV-02")


def test_inv_02_a_fatal_event_needs_the_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-02")


def test_inv_02_a_fatal_event_and_the_death_are_one_commit() -> None:
    asked = command("reportAdverseEvent", **FATAL, death=DEATH | {"autopsyDone": False})
    state = given(*OPEN).when(asked).then_accepts(AEReported, ParticipantDied)
    assert isinstance(state, SubjectState)
    death = state.assessments.death
    assert death is not None
    assert death.payload() == {
        "deathAt": minute(days=2),
        "awareAt": iso(days=4),
        "primaryCauseAeId": str(object_id(asked.command_id, "ae")),
        "autopsyDone": False,
    }
    assert _event(state).end_at == death.death_at, "a fatal event ends with the death"


def test_inv_02_only_a_fatal_event_comes_with_a_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", death=DEATH)).then_rejects("INV-02", field="death")


def test_inv_06_the_death_that_comes_with_an_event_does_not_lie_in_the_future() -> None:
    later = {"deathAt": day("2026-03-21"), "primaryCause": True}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=later)).then_rejects("INV-06", field="death.deathAt")


def test_inv_08_a_death_with_a_fatal_event_has_a_primary_cause() -> None:
    second = {"deathAt": minute(days=2), "primaryCause": False}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-08")


def test_inv_08_a_further_fatal_event_shares_the_death_on_record() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    second = {"deathAt": minute(days=2), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=second)).then_accepts(AEReported)
    history.when(command("reportAdverseEvent", **FATAL)).then_accepts(AEReported)
    other = {"deathAt": minute(days=1), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=other)).then_rejects("INV-08", field="death.deathAt")


def test_inv_08_a_further_fatal_event_may_become_the_primary_cause_of_the_death_on_record() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    asked = command("reportAdverseEvent", **FATAL, death=DEATH | {"autopsyDone": True})
    outcome = history.when(asked, by=Role.INVESTIGATOR)
    state = outcome.then_accepts(AEReported, DeathRecordCorrected)
    assert outcome.events[1] == DeathRecordCorrected(
        revived=False,
        primary_cause_ae_id=object_id(asked.command_id, "ae"),
        autopsy_done=True,
        reason=a_sealed("verbatim"),
    )
    assert isinstance(state, SubjectState)
    assert state.assessments.death is not None
    assert state.assessments.death.primary_cause_ae_id == object_id(asked.command_id, "ae")


def test_a_coordinator_names_the_first_primary_cause_and_replaces_none() -> None:
    asked = command("reportAdverseEvent", **FATAL, death=DEATH)
    given(*OPEN, died()).when(asked, by=Role.COORDINATOR).then_accepts(AEReported, DeathRecordCorrected)
    given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT).when(asked, by=Role.COORDINATOR).then_rejects(
        code="FORBIDDEN", field="death.primaryCause"
    )


def test_vis_02_an_autopsy_is_added_to_the_death_on_record_by_its_correction() -> None:
    stated = {"deathAt": minute(days=2), "primaryCause": False, "autopsyDone": True}
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    history.when(command("reportAdverseEvent", **FATAL, death=stated)).then_rejects("VIS-02", field="death.autopsyDone")


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


def test_inv_07_a_fatal_event_ends_with_the_death() -> None:
    asked = command("reportAdverseEvent", **FATAL, endAt=minute(days=1), death=DEATH)
    given(*OPEN).when(asked).then_rejects("INV-07", field="endAt")


def test_inv_09_no_event_begins_after_the_death() -> None:
    later = {"onset": minute(days=1), "gradeAt": minute(days=1), "awareAt": iso(hours=20)}
    given(*OPEN, died()).when(command("reportAdverseEvent", **later)).then_rejects("INV-09", field="onset")
    given(*OPEN, died()).when(command("reportAdverseEvent")).then_accepts(AEReported)


def test_inv_09_a_death_does_not_come_before_the_onset_of_another_event() -> None:
    history = given(*OPEN, ae_reported(aeId=OTHER_AE, onset=minute(days=1), gradeAt=minute(days=1)))
    history.when(command("reportAdverseEvent", **FATAL, death=DEATH)).then_rejects("INV-09", field="death.deathAt")


@pytest.mark.parametrize("criteria", [[], ["LIFE_THREATENING"]], ids=str)
def test_inv_01_an_event_is_serious_by_its_criteria_and_by_nothing_else(criteria: list[str]) -> None:
    state = given(*OPEN).when(command("reportAdverseEvent", criteria=criteria)).then_accepts(AEReported)
    assert _event(state).serious is _event(state).ever_serious is bool(criteria)


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
