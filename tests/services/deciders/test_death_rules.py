"""The death of a participant and the adverse events that led to it, in one commit (`safety.md` 4.1, VIS-02, VIS-03)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_grade_changed, ae_reported, ae_resolved, ae_upgraded
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, death_corrected, died, enrolled, session_started
from builders.payloads import sealed
from builders.times import at, day, iso, minute
from hepatrail_events.adverse_events import (
    AECorrected,
    AEGradeChanged,
    AEReported,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Criterion,
    Outcome,
)
from hepatrail_events.assessments import ParticipantDied
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_events.sessions import SessionEnded
from hepatrail_events.types import PartialDate
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import By, given

OPEN = (consent(), enrolled())
WITH_AE = (consent(), ae_reported())
OTHER = "00000000-0000-4000-8000-00000000bbbb"
CAUSE = {"primaryCauseAeId": str(AE)}
FATAL_AE = {"fatalAes": [{"aeId": str(AE)}], **CAUSE}
DEATH_AT = minute(hours=3)


def _events(state: object) -> dict[str, AdverseEvent]:
    assert isinstance(state, SubjectState)
    return {str(ae_id): event for ae_id, event in state.adverse_events.events.items()}


def _versions(events: tuple[Event, ...]) -> list[int]:
    return [event.payload()["aeVersion"] for event in events if "aeVersion" in event.payload()]


def test_a_death_is_recorded_as_far_as_its_time_is_known() -> None:
    given(*OPEN).when(command("recordDeath", deathAt={"value": "2026-03", "precision": "MONTH"})).then(
        ParticipantDied(
            death_at=PartialDate.model_validate({"value": "2026-03", "precision": "MONTH"}), aware_at=at(hours=2)
        )
    )


def test_vis_02_a_death_is_recorded_once() -> None:
    given(*OPEN, died()).when(command("recordDeath")).then_rejects("VIS-02", field="deathAt")


def test_vis_02_after_a_death_was_taken_back_the_true_one_is_recorded() -> None:
    revived = death_corrected(revived=True)
    given(*OPEN, died(), revived).when(command("recordDeath")).then_accepts(ParticipantDied)


@pytest.mark.parametrize(
    ("field", "value"),
    [("deathAt", minute(minutes=-6)), ("deathAt", day("2026-03-21")), ("awareAt", iso(minutes=-6))],
)
def test_tim_05_inv_06_a_death_does_not_lie_in_the_future(field: str, value: object) -> None:
    given(*OPEN).when(command("recordDeath", **{field: value})).then_rejects("INV-06", field=field)


def test_a_death_leaves_a_running_session_to_be_ended() -> None:
    given(*OPEN, session_started(), died()).when(command("endSession")).then_accepts(SessionEnded)


def test_inv_18_a_death_without_a_fatal_event_asks_and_is_not_refused() -> None:
    given(*WITH_AE).when(command("recordDeath")).then_accepts(ParticipantDied)


def test_inv_10_the_death_changes_no_other_event() -> None:
    outcome = given(*WITH_AE, ae_reported(aeId=OTHER)).when(command("recordDeath", **FATAL_AE))
    other = _events(outcome.state)[OTHER]
    assert (other.outcome, other.end_at, other.version, other.serious) == (Outcome.NOT_RECOVERED, None, 1, False)
    assert not any(event.payload().get("aeId") == OTHER for event in outcome.events)


def test_inv_02_an_event_on_record_becomes_fatal_in_the_commit_of_the_death() -> None:
    outcome = given(*WITH_AE).when(command("recordDeath", **FATAL_AE, autopsyDone=True))
    state = outcome.then_accepts(ParticipantDied, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    own = {"aeId": str(AE)}
    assert [event.payload() for event in outcome.events] == [
        {"deathAt": DEATH_AT, "awareAt": iso(hours=2), "autopsyDone": True, **CAUSE},
        {**own, "aeVersion": 2, "fromGrade": 2, "toGrade": 5, "gradeAt": DEATH_AT},
        {**own, "aeVersion": 3, "criteria": ["DEATH"], "seriousSince": DEATH_AT, "awareAt": iso(hours=2)},
        {**own, "aeVersion": 4, "outcome": "FATAL", "endAt": DEATH_AT},
    ]
    event = _events(state)[str(AE)]
    assert (event.fatal, event.serious, event.version, event.max_grade) == (True, True, 4, 5)


def test_a_serious_event_gets_the_criterion_death_beside_its_own() -> None:
    outcome = given(*WITH_AE, By(ae_upgraded())).when(command("recordDeath", **FATAL_AE))
    outcome.then_accepts(ParticipantDied, AEGradeChanged, AESeriousnessCriteriaChanged, AEResolved)
    assert outcome.events[2].payload() == {
        "aeId": str(AE),
        "aeVersion": 4,
        "assessor": "INVESTIGATOR",
        "added": ["DEATH"],
        "removed": [],
        "awareAt": iso(hours=2),
    }
    assert _versions(outcome.events) == [3, 4, 5]


def test_inv_14_the_criterion_death_is_the_investigators_where_only_the_sponsor_found_it_serious() -> None:
    outcome = given(*WITH_AE, By(ae_upgraded(), Role.SPONSOR)).when(command("recordDeath", **FATAL_AE))
    event = _events(outcome.then_accepts(ParticipantDied, AEGradeChanged, AEUpgradedToSerious, AEResolved))[str(AE)]
    assert event.investigator.criteria == {Criterion.DEATH}
    assert event.sponsor.criteria == {Criterion.HOSPITALISATION}


def test_a_coordinator_may_record_a_death_with_its_events() -> None:
    state = given(*WITH_AE).when(command("recordDeath", **FATAL_AE), by=Role.COORDINATOR).state
    assert _events(state)[str(AE)].fatal


def test_inv_03_palpitations_are_fatal_under_another_term_only() -> None:
    history = given(consent(), ae_reported(code="PALPITATIONS"))
    history.when(command("recordDeath", **FATAL_AE)).then_rejects("INV-03", field="fatalAes[0].aeId")
    renamed = {"aeId": str(AE), "code": "OTHER", "ctcaeTerm": "Cardiac arrest"}
    outcome = history.when(command("recordDeath", fatalAes=[renamed], **CAUSE))
    outcome.then_accepts(ParticipantDied, AECorrected, AECorrected, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    own = {"aeId": str(AE), "reason": sealed("verbatim")}
    assert [event.payload() for event in outcome.events[1:3]] == [
        {**own, "aeVersion": 2, "field": "code", "oldValue": "PALPITATIONS", "newValue": "OTHER"},
        {**own, "aeVersion": 3, "field": "ctcaeTerm", "newValue": "Cardiac arrest"},
    ]
    assert _versions(outcome.events) == [2, 3, 4, 5, 6]


def test_inv_13_a_new_term_has_the_reason_that_is_given_for_it() -> None:
    renamed = {"aeId": str(AE), "code": "SEPSIS", "reason": sealed("fatalAes[0].reason")}
    outcome = given(*WITH_AE).when(command("recordDeath", fatalAes=[renamed], **CAUSE))
    assert outcome.events[1].payload()["reason"] == sealed("fatalAes[0].reason")


def test_a_code_that_the_event_has_already_is_no_correction() -> None:
    same = {"aeId": str(AE), "code": "FEVER"}
    given(*WITH_AE).when(command("recordDeath", fatalAes=[same], **CAUSE)).then_accepts(
        ParticipantDied, AEGradeChanged, AEUpgradedToSerious, AEResolved
    )


def test_a_death_of_which_only_the_day_is_known_lies_after_the_grades_of_that_day() -> None:
    worse = ae_grade_changed(4, gradeAt=minute(hours=3))
    outcome = given(*WITH_AE, worse).when(command("recordDeath", deathAt=day("2026-03-20"), **FATAL_AE))
    outcome.then_accepts(ParticipantDied, AEGradeChanged, AEUpgradedToSerious, AEResolved)


def test_inv_08_a_death_with_fatal_events_has_one_of_them_as_its_primary_cause() -> None:
    two = [{"aeId": str(AE)}, {"aeId": OTHER}]
    history = given(*WITH_AE, ae_reported(aeId=OTHER))
    history.when(command("recordDeath", fatalAes=two)).then_rejects("INV-08", field="primaryCauseAeId")
    outcome = history.when(command("recordDeath", fatalAes=two, **CAUSE))
    events = _events(outcome.state)
    assert all(event.fatal and event.end_at == PartialDate.model_validate(DEATH_AT) for event in events.values())


def test_vis_03_the_primary_cause_is_a_fatal_event_of_the_participant() -> None:
    given(*OPEN).when(command("recordDeath", **CAUSE)).then_rejects("VIS-03", field="primaryCauseAeId")
    given(*WITH_AE).when(command("recordDeath", **CAUSE)).then_rejects("VIS-03", field="primaryCauseAeId")
    other = {"fatalAes": [{"aeId": str(AE)}], "primaryCauseAeId": OTHER}
    given(*WITH_AE, ae_reported(aeId=OTHER)).when(command("recordDeath", **other)).then_rejects("VIS-03")


def test_inv_09_no_event_began_after_the_death() -> None:
    late = ae_reported(aeId=OTHER, onset=minute(hours=2))
    given(*WITH_AE, late).when(command("recordDeath")).then_rejects("INV-09", field="deathAt")
    given(*WITH_AE, late).when(command("recordDeath", **FATAL_AE)).then_rejects("INV-09", field="deathAt")


def test_inv_05_no_grade_lies_after_the_death() -> None:
    later = ae_grade_changed(3, gradeAt=minute(hours=2))
    given(*WITH_AE, later).when(command("recordDeath", **FATAL_AE)).then_rejects("INV-05", field="fatalAes[0].aeId")


@pytest.mark.parametrize(
    ("listed", "code", "field"),
    [
        ([{"aeId": OTHER}], "RULE", "fatalAes[0].aeId"),
        ([{"aeId": str(AE)}, {"aeId": str(AE)}], "SHAPE", "fatalAes[1].aeId"),
    ],
    ids=["unknown", "twice"],
)
def test_each_fatal_event_is_known_and_listed_once(listed: list[Any], code: str, field: str) -> None:
    given(*WITH_AE).when(command("recordDeath", fatalAes=listed, **CAUSE)).then_rejects(code=code, field=field)


def test_inv_12_another_version_of_a_fatal_event_is_a_conflict() -> None:
    seen = [{"aeId": str(AE), "expectedAeVersion": 2}]
    given(*WITH_AE).when(command("recordDeath", fatalAes=seen, **CAUSE)).then_rejects(
        "INV-12", code="CONFLICT", field="fatalAes[0].expectedAeVersion"
    )


def test_an_event_that_has_ended_is_reopened_before_it_can_be_fatal() -> None:
    ended = ae_resolved(endAt=minute(days=2))
    given(*WITH_AE, ended).when(command("recordDeath", **FATAL_AE)).then_rejects(field="fatalAes[0].aeId")


def test_inv_08_a_fatal_event_reported_after_the_death_may_be_its_primary_cause() -> None:
    reported = ae_reported(**FATAL, endAt=minute(days=2))
    known = given(consent(), reported, died(**CAUSE))
    death = {"deathAt": day("2026-03-18"), "primaryCause": False}
    known.when(command("reportAdverseEvent", **FATAL, death=death)).then_accepts(AEReported)


def test_the_death_may_come_with_a_survival_status() -> None:
    death = {"deathAt": DEATH_AT, "awareAt": iso(hours=2), **FATAL_AE}
    stated = {"alive": "N", "transplant": "NONE", "source": "PHONE", "at": iso(hours=1), "death": death}
    outcome = given(*WITH_AE).when(command("recordSurvivalStatus", **stated))
    assert [type(event).__name__ for event in outcome.events] == [
        "ParticipantDied",
        "AEGradeChanged",
        "AEUpgradedToSerious",
        "AEResolved",
        "SurvivalStatusRecorded",
    ]
    unnamed = death | {"primaryCauseAeId": None}
    without = {name: value for name, value in unnamed.items() if value is not None}
    given(*WITH_AE).when(command("recordSurvivalStatus", **stated | {"death": without})).then_rejects(
        "INV-08", field="death.primaryCauseAeId"
    )
