"""The invariants of adverse events (`safety.md` 4.2)."""

from typing import Any

import pytest

from builders import (
    AE,
    FATAL,
    UNKNOWN,
    ae_reported,
    command,
    consent,
    day,
    died,
    iso,
    minute,
    sealed,
)
from hepatrail_events.adverse_events import AEGradeChanged, AEReported, AEResolved, AEUpgradedToSerious
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.event import Event
from hepatrail_events.ids import object_id
from hepatrail_events.roles import Role
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.ae_rules import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import By, given

OPEN = (consent(),)
WITH_AE = (consent(), ae_reported())
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
def test_grade_5_fatal_and_death_stand_together(partly: dict[str, Any]) -> None:
    given(*OPEN, died()).when(command("reportAdverseEvent", **partly)).then_rejects("INV-02")


def test_a_fatal_event_needs_the_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-02")


def test_a_fatal_event_and_the_death_are_one_commit() -> None:
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


def test_only_a_fatal_event_comes_with_a_death() -> None:
    given(*OPEN).when(command("reportAdverseEvent", death=DEATH)).then_rejects("INV-02", field="death")


def test_the_death_that_comes_with_an_event_does_not_lie_in_the_future() -> None:
    later = {"deathAt": day("2026-03-21"), "primaryCause": True}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=later)).then_rejects("INV-06", field="death.deathAt")


def test_a_death_with_a_fatal_event_has_a_primary_cause() -> None:
    second = {"deathAt": minute(days=2), "primaryCause": False}
    given(*OPEN).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL, death=second)).then_rejects("INV-08")
    given(*OPEN, died()).when(command("reportAdverseEvent", **FATAL)).then_rejects("INV-08")


def test_a_further_fatal_event_shares_the_death_on_record() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    second = {"deathAt": minute(days=2), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=second)).then_accepts(AEReported)
    history.when(command("reportAdverseEvent", **FATAL)).then_accepts(AEReported)
    other = {"deathAt": minute(days=1), "primaryCause": False}
    history.when(command("reportAdverseEvent", **FATAL, death=other)).then_rejects("INV-08", field="death.deathAt")
    history.when(command("reportAdverseEvent", **FATAL, death=DEATH)).then_rejects("VIS-02")


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
def test_the_grade_exists_for_the_term(code: str, term: str | None, grade: int, exists: bool) -> None:
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
def test_onset_knowledge_grade_and_end_are_in_order(changes: dict[str, Any], field: str) -> None:
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
def test_times_are_compared_at_the_coarser_precision(changes: dict[str, Any]) -> None:
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
def test_no_time_of_an_event_lies_in_the_future(changes: dict[str, Any]) -> None:
    given(*OPEN).when(command("reportAdverseEvent", **changes)).then_rejects("INV-06")


@pytest.mark.parametrize("outcome", ["RECOVERED", "RECOVERED_WITH_SEQUELAE"])
def test_a_recovery_has_an_end(outcome: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome)).then_rejects("INV-07", field="endAt")
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome, endAt=minute(days=1))).then_accepts(AEReported)


@pytest.mark.parametrize("outcome", ["RECOVERING", "NOT_RECOVERED", "UNKNOWN"])
def test_what_goes_on_has_no_end(outcome: str) -> None:
    given(*OPEN).when(command("reportAdverseEvent", outcome=outcome, endAt=minute(days=1))).then_rejects("INV-07")


def test_a_fatal_event_ends_with_the_death() -> None:
    asked = command("reportAdverseEvent", **FATAL, endAt=minute(days=1), death=DEATH)
    given(*OPEN).when(asked).then_rejects("INV-07", field="endAt")


def test_no_event_begins_after_the_death() -> None:
    later = {"onset": minute(days=1), "gradeAt": minute(days=1), "awareAt": iso(hours=20)}
    given(*OPEN, died()).when(command("reportAdverseEvent", **later)).then_rejects("INV-09", field="onset")
    given(*OPEN, died()).when(command("reportAdverseEvent")).then_accepts(AEReported)


def test_a_death_does_not_come_before_the_onset_of_another_event() -> None:
    history = given(*OPEN, ae_reported(aeId=OTHER_AE, onset=minute(days=1), gradeAt=minute(days=1)))
    history.when(command("reportAdverseEvent", **FATAL, death=DEATH)).then_rejects("INV-09", field="death.deathAt")


def test_a_change_of_grade_names_the_grade_before() -> None:
    given(*WITH_AE).when(command("changeAdverseEventGrade")).then(
        AEGradeChanged(
            ae_id=AE, ae_version=2, from_grade=2, to_grade=3, grade_at=PartialDate.model_validate(minute(days=3))
        )
    )


def _graded(to_grade: int, version: int, **before: float) -> AEGradeChanged:
    return AEGradeChanged(
        ae_id=AE, ae_version=version, to_grade=to_grade, grade_at=PartialDate.model_validate(minute(**before))
    )


def test_the_grade_in_force_is_the_one_of_the_latest_time_not_of_the_latest_record() -> None:
    history = given(*WITH_AE, _graded(4, 2, days=2), _graded(3, 3, days=3))
    event = history.when(command("changeAdverseEventGrade", toGrade=1, gradeAt=minute(days=1))).then_one(AEGradeChanged)
    assert event.payload()["fromGrade"] == 4


def test_of_two_grades_of_one_time_the_later_record_counts() -> None:
    history = given(*WITH_AE, _graded(3, 2, days=5))
    event = history.when(command("changeAdverseEventGrade")).then_one(AEGradeChanged)
    assert event.payload()["fromGrade"] == 3


@pytest.mark.parametrize("name", ["changeAdverseEventGrade", "upgradeAdverseEvent", "resolveAdverseEvent"])
def test_a_version_of_the_event_that_does_not_match_is_a_conflict(name: str) -> None:
    given(*WITH_AE).when(command(name, expectedAeVersion=2)).then_rejects(
        "INV-12", code="CONFLICT", field="expectedAeVersion"
    )
    assert given(*WITH_AE).when(command(name, expectedAeVersion=1)).events[0].payload()["aeVersion"] == 2


@pytest.mark.parametrize("name", ["changeAdverseEventGrade", "upgradeAdverseEvent", "resolveAdverseEvent"])
def test_only_a_known_event_changes(name: str) -> None:
    given(*OPEN).when(command(name)).then_rejects(field="aeId")


def test_a_change_from_a_grade_that_is_not_in_force_is_a_conflict() -> None:
    given(*WITH_AE).when(command("changeAdverseEventGrade", fromGrade=1)).then_rejects(
        code="CONFLICT", field="fromGrade"
    )
    given(*WITH_AE).when(command("changeAdverseEventGrade", fromGrade=2)).then_accepts(AEGradeChanged)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"toGrade": 5}, "INV-02"),
        ({"gradeAt": minute(days=6)}, "INV-05"),
        ({"gradeAt": minute(minutes=-7)}, "INV-06"),
    ],
    ids=str,
)
def test_the_invariants_hold_for_a_change_of_grade(changes: dict[str, Any], rule: str) -> None:
    given(*WITH_AE).when(command("changeAdverseEventGrade", **changes)).then_rejects(rule)


def test_palpitations_do_not_become_grade_3() -> None:
    given(*OPEN, ae_reported(code="PALPITATIONS")).when(command("changeAdverseEventGrade")).then_rejects(
        "INV-03", field="toGrade"
    )


def test_a_grade_does_not_lie_after_the_end() -> None:
    ended = ae_reported(outcome="RECOVERED", endAt=minute(days=4))
    given(*OPEN, ended).when(command("changeAdverseEventGrade")).then_rejects("INV-05", field="endAt")


def test_a_fatal_event_stays_grade_5_but_its_history_may_be_completed() -> None:
    history = given(*OPEN, ENDED_WITH_DEATH, DEAD_OF_IT)
    history.when(command("changeAdverseEventGrade", toGrade=4, gradeAt=minute(days=3))).then_accepts(AEGradeChanged)
    history.when(command("changeAdverseEventGrade", toGrade=4, gradeAt=minute(days=2))).then_rejects("INV-02")


def test_an_event_becomes_serious_by_a_criterion() -> None:
    state = given(*WITH_AE).when(command("upgradeAdverseEvent"), by=Role.INVESTIGATOR).then_accepts(AEUpgradedToSerious)
    assert _event(state).of_investigator == {"HOSPITALISATION"}
    assert not _event(state).of_sponsor


def test_each_assessor_upgrades_once_and_only_its_own_criteria() -> None:
    upgraded = given(*WITH_AE).when(command("upgradeAdverseEvent"), by=Role.SPONSOR).events[0]
    history = given(*WITH_AE, By(upgraded, Role.SPONSOR))
    history.when(command("upgradeAdverseEvent", expectedAeVersion=2), by=Role.SPONSOR).then_rejects(field="criteria")
    state = history.when(command("upgradeAdverseEvent"), by=Role.INVESTIGATOR).then_accepts(AEUpgradedToSerious)
    assert _event(state).of_investigator == _event(state).of_sponsor == {"HOSPITALISATION"}


def test_the_criteria_of_the_report_are_the_investigators() -> None:
    history = given(*OPEN, By(ae_reported(criteria=["HOSPITALISATION"]), Role.COORDINATOR))
    history.when(command("upgradeAdverseEvent"), by=Role.INVESTIGATOR).then_rejects(field="criteria")
    history.when(command("upgradeAdverseEvent"), by=Role.SPONSOR).then_accepts(AEUpgradedToSerious)


def test_the_criterion_death_comes_with_the_death_only_and_never_from_the_sponsor() -> None:
    asked = command("upgradeAdverseEvent", criteria=["DEATH"])
    given(*WITH_AE).when(asked, by=Role.SPONSOR).then_rejects("INV-14", field="criteria")
    given(*WITH_AE).when(asked, by=Role.INVESTIGATOR).then_rejects("INV-02", field="criteria")


@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"seriousSince": minute(days=6)}, "INV-05", "seriousSince"),
        ({"seriousSince": day("2026-03-21")}, "INV-06", "seriousSince"),
        ({"awareAt": iso(days=6)}, "INV-05", "awareAt"),
        ({"awareAt": iso(minutes=-6)}, "INV-05", "awareAt"),
    ],
    ids=str,
)
def test_the_times_of_an_upgrade_are_in_order(changes: dict[str, Any], rule: str, field: str) -> None:
    given(*WITH_AE).when(command("upgradeAdverseEvent", **changes)).then_rejects(rule, field=field)


def test_an_event_ends_once() -> None:
    state = given(*WITH_AE).when(command("resolveAdverseEvent")).then_accepts(AEResolved)
    assert _event(state).end_at == PartialDate.model_validate(minute(hours=5))
    ended: Event = ae_reported(outcome="RECOVERED", endAt=minute(days=4))
    given(*OPEN, ended).when(command("resolveAdverseEvent")).then_rejects(field="aeId")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"outcome": "FATAL"}, "INV-02"),
        ({"outcome": "NOT_RECOVERED"}, "INV-07"),
        ({"endAt": minute(days=6)}, "INV-05"),
        ({"endAt": minute(minutes=-7)}, "INV-06"),
    ],
    ids=str,
)
def test_the_invariants_hold_for_the_end(changes: dict[str, Any], rule: str) -> None:
    given(*WITH_AE, died()).when(command("resolveAdverseEvent", **changes)).then_rejects(rule)


def test_the_death_of_the_participant_changes_no_other_event() -> None:
    state = given(*WITH_AE).when(command("recordDeath")).then_accepts(ParticipantDied)
    assert (_event(state).outcome, _event(state).end_at) == ("NOT_RECOVERED", None)
