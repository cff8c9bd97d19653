"""Follow-up, severity, end and going on again: the states OPEN, RESOLVED and FATAL (`safety.md` 4.1, 4.2)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_followed_up, ae_grade_changed, ae_reopened, ae_reported, ae_resolved
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, died
from builders.payloads import sealed
from builders.times import day, iso, minute
from hepatrail_events.adverse_events import (
    AEFollowedUp,
    AEGradeChanged,
    AEReopened,
    AEResolved,
    Outcome,
)
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import given

OPEN = (consent(), ae_reported())
RESOLVED = (*OPEN, ae_resolved(endAt=minute(days=2)))
DEAD = (consent(), ae_reported(**FATAL, endAt=minute(days=2)), died(primaryCauseAeId=str(AE)))
EVERY_CHANGE = (
    "followUpAdverseEvent",
    "changeAdverseEventGrade",
    "resolveAdverseEvent",
    "upgradeAdverseEvent",
    "assessCausality",
    "assessExpectedness",
    "codeAdverseEvent",
    "correctAdverseEvent",
    "correctAdverseEventGrade",
    "voidAdverseEvent",
)


def _event(state: object) -> AdverseEvent:
    assert isinstance(state, SubjectState)
    (event,) = state.adverse_events.events.values()
    return event


@pytest.mark.parametrize("name", EVERY_CHANGE)
def test_inv_12_each_event_raises_the_version_by_one_and_another_version_is_a_conflict(name: str) -> None:
    given(*OPEN).when(command(name, expectedAeVersion=2)).then_rejects(
        "INV-12", code="CONFLICT", field="expectedAeVersion"
    )
    outcome = given(*OPEN).when(command(name, expectedAeVersion=1))
    assert [event.payload()["aeVersion"] for event in outcome.events] == [2]
    assert _event(outcome.state).version == 2


@pytest.mark.parametrize(
    "name",
    [*EVERY_CHANGE, "reopenAdverseEvent", "changeSeriousnessCriteria", "downgradeAdverseEvent", "requestAeVoid"],
)
def test_only_a_known_event_changes(name: str) -> None:
    given(consent()).when(command(name)).then_rejects(field="aeId")


def test_a_follow_up_is_kept_as_it_was_told() -> None:
    asked = command(
        "followUpAdverseEvent",
        outcome="RECOVERING",
        actionTaken="DOSE_REDUCED",
        frequencyWorsenedAt=day("2026-03-17"),
        attachments=["culture report 7"],
    )
    outcome = given(*OPEN).when(asked)
    state = outcome.then_accepts(AEFollowedUp)
    assert outcome.events[0].payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "infoReceivedAt": iso(days=1),
        "text": sealed("text"),
        "outcome": "RECOVERING",
        "actionTaken": "DOSE_REDUCED",
        "frequencyWorsenedAt": day("2026-03-17"),
        "attachments": ["culture report 7"],
    }
    report = _event(state).report
    assert (report.outcome, report.action_taken) == ("RECOVERING", "DOSE_REDUCED")
    assert report.frequency_worsened_at == PartialDate.model_validate(day("2026-03-17"))


def test_a_follow_up_that_says_nothing_of_the_outcome_leaves_it() -> None:
    state = given(*OPEN).when(command("followUpAdverseEvent")).then_accepts(AEFollowedUp)
    assert _event(state).report == ae_reported()


@pytest.mark.parametrize("outcome", ["RECOVERED", "RECOVERED_WITH_SEQUELAE", "FATAL"])
def test_inv_07_a_follow_up_does_not_end_an_event(outcome: str) -> None:
    given(*OPEN).when(command("followUpAdverseEvent", outcome=outcome)).then_rejects("INV-07", field="outcome")


def test_inv_07_a_follow_up_does_not_reopen_an_event_that_has_ended() -> None:
    given(*RESOLVED).when(command("followUpAdverseEvent", outcome="RECOVERING")).then_rejects("INV-07", field="outcome")
    given(*RESOLVED).when(command("followUpAdverseEvent")).then_accepts(AEFollowedUp)


def test_inv_09_information_may_come_after_the_death_but_changes_no_fatal_outcome() -> None:
    given(*DEAD).when(command("followUpAdverseEvent", infoReceivedAt=iso(hours=1))).then_accepts(AEFollowedUp)
    given(*DEAD).when(command("followUpAdverseEvent", outcome="UNKNOWN")).then_rejects("INV-02", field="outcome")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"infoReceivedAt": iso(minutes=-6)}, "infoReceivedAt"), ({"frequencyWorsenedAt": day("2026-03-21")}, None)],
)
def test_inv_06_a_follow_up_does_not_lie_in_the_future(changes: dict[str, Any], field: str | None) -> None:
    given(*OPEN).when(command("followUpAdverseEvent", **changes)).then_rejects("INV-06", field=field)


def test_a_change_of_grade_names_the_grade_before() -> None:
    given(*OPEN).when(command("changeAdverseEventGrade")).then(
        AEGradeChanged(
            ae_id=AE, ae_version=2, from_grade=2, to_grade=3, grade_at=PartialDate.model_validate(minute(days=3))
        )
    )


def test_an_unknown_grade_becomes_known() -> None:
    unknown = ae_reported(grade=None, gradeAt=None)
    event = given(consent(), unknown).when(command("changeAdverseEventGrade")).then_one(AEGradeChanged)
    assert "fromGrade" not in event.payload()


def test_the_grade_in_force_is_the_one_of_the_latest_time_not_of_the_latest_record() -> None:
    history = given(
        *OPEN, ae_grade_changed(4, gradeAt=minute(days=2)), ae_grade_changed(3, version=3, gradeAt=minute(days=3))
    )
    outcome = history.when(command("changeAdverseEventGrade", toGrade=1, gradeAt=minute(days=1)))
    assert outcome.then_one(AEGradeChanged).payload()["fromGrade"] == 4
    assert _event(outcome.state).max_grade == 4


def test_of_two_grades_of_one_time_the_later_record_counts() -> None:
    history = given(*OPEN, ae_grade_changed(3, gradeAt=minute(days=5)))
    event = history.when(command("changeAdverseEventGrade")).then_one(AEGradeChanged)
    assert event.payload()["fromGrade"] == 3


def test_a_back_dated_grade_changes_the_greatest_and_not_the_one_in_force() -> None:
    history = given(consent(), ae_reported(onset=minute(days=6)))
    state = history.when(command("changeAdverseEventGrade", toGrade=4, gradeAt=minute(days=6))).state
    assert isinstance(state, SubjectState)
    event = state.adverse_events.events[AE]
    assert event.max_grade == 4
    after = given(consent(), ae_reported(onset=minute(days=6)), ae_grade_changed(4, gradeAt=minute(days=6)))
    assert after.when(command("changeAdverseEventGrade")).events[0].payload()["fromGrade"] == 2


def test_a_change_from_a_grade_that_is_not_in_force_is_a_conflict() -> None:
    given(*OPEN).when(command("changeAdverseEventGrade", fromGrade=1)).then_rejects(code="CONFLICT", field="fromGrade")
    given(*OPEN).when(command("changeAdverseEventGrade", fromGrade=2)).then_accepts(AEGradeChanged)


@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"toGrade": 5}, "INV-02", "toGrade"),
        ({"gradeAt": minute(days=6)}, "INV-05", "gradeAt"),
        ({"gradeAt": minute(minutes=-7)}, "INV-06", "gradeAt"),
    ],
    ids=str,
)
def test_the_invariants_hold_for_a_change_of_grade(changes: dict[str, Any], rule: str, field: str) -> None:
    given(*OPEN).when(command("changeAdverseEventGrade", **changes)).then_rejects(rule, field=field)


def test_inv_03_palpitations_do_not_become_grade_3() -> None:
    given(consent(), ae_reported(code="PALPITATIONS")).when(command("changeAdverseEventGrade")).then_rejects(
        "INV-03", field="toGrade"
    )


def test_inv_03_a_grade_before_the_one_in_force_must_exist_too() -> None:
    sepsis = ae_reported(code="SEPSIS", grade=4)
    asked = command("changeAdverseEventGrade", toGrade=2, gradeAt=minute(days=5))
    given(consent(), sepsis).when(asked).then_rejects("INV-03", field="toGrade")


def test_inv_05_a_grade_does_not_lie_after_the_end() -> None:
    given(*RESOLVED).when(command("changeAdverseEventGrade", gradeAt=minute(days=1))).then_rejects(
        "INV-05", field="gradeAt"
    )
    given(*RESOLVED).when(command("changeAdverseEventGrade", gradeAt=minute(days=3))).then_accepts(AEGradeChanged)


def test_inv_02_a_fatal_event_stays_grade_5_but_its_history_may_be_completed() -> None:
    history = given(*DEAD)
    history.when(command("changeAdverseEventGrade", toGrade=4, gradeAt=minute(days=3))).then_accepts(AEGradeChanged)
    history.when(command("changeAdverseEventGrade", toGrade=4, gradeAt=minute(days=2))).then_rejects("INV-02")


def test_an_event_ends_once() -> None:
    state = given(*OPEN).when(command("resolveAdverseEvent")).then_accepts(AEResolved)
    assert _event(state).end_at == PartialDate.model_validate(minute(hours=5))
    given(*RESOLVED).when(command("resolveAdverseEvent")).then_rejects(field="aeId")
    reported_as_ended = ae_reported(outcome="RECOVERED", endAt=minute(days=4))
    given(consent(), reported_as_ended).when(command("resolveAdverseEvent")).then_rejects(field="aeId")
    given(*DEAD).when(command("resolveAdverseEvent")).then_rejects(field="aeId")


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
    given(*OPEN, died()).when(command("resolveAdverseEvent", **changes)).then_rejects(rule)


def test_an_event_that_had_ended_goes_on_without_an_end_and_may_end_again() -> None:
    outcome = given(*RESOLVED).when(command("reopenAdverseEvent"))
    event = _event(outcome.then_accepts(AEReopened))
    assert (event.outcome, event.end_at, event.version) == (Outcome.NOT_RECOVERED, None, 3)
    given(*RESOLVED, ae_reopened(version=3)).when(command("resolveAdverseEvent")).then_accepts(AEResolved)


def test_only_what_has_ended_is_reopened() -> None:
    given(*OPEN).when(command("reopenAdverseEvent")).then_rejects(field="aeId")
    given(*OPEN, ae_followed_up(outcome="RECOVERING")).when(command("reopenAdverseEvent")).then_rejects(field="aeId")


def test_inv_04_a_fatal_event_is_not_reopened() -> None:
    given(*DEAD).when(command("reopenAdverseEvent")).then_rejects("INV-04", field="aeId")


def test_inv_19_a_late_worsening_asks_and_is_not_refused() -> None:
    history = given(consent(), ae_reported(outcome="RECOVERED", endAt=minute(days=4)))
    history.when(command("reopenAdverseEvent")).then_accepts(AEReopened)
