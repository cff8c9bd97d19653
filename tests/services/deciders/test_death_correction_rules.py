"""Correcting the record of a death with the adverse events that it concerns (`safety.md` 4.1, INV-04, VIS-03)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from builders import (
    AE,
    FATAL,
    NOW,
    SUBJECT,
    a_sealed,
    ae_grade_changed,
    ae_reported,
    ae_resolved,
    ae_upgraded,
    command,
    consent,
    day,
    died,
    iso,
    minute,
    sealed,
    survival,
)
from hepatrail_events.adverse_events import (
    AECorrected,
    AEDowngradedToNonSerious,
    AEGradeChanged,
    AEGradeCorrected,
    AEResolved,
    AESeriousnessCriteriaChanged,
    AEUpgradedToSerious,
    Criterion,
    Outcome,
)
from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.types import PartialDate, format_instant
from hepatrail_services.deciders.ae_state import AdverseEvent
from hepatrail_services.deciders.subject import SubjectState
from specification import By, given

OTHER = "00000000-0000-4000-8000-00000000bbbb"
DEATH_AT = minute(days=2)
CAUSE = {"primaryCauseAeId": str(AE)}
FATAL_AE = ae_reported(**FATAL | {"criteria": ["DEATH", "HOSPITALISATION"]}, endAt=DEATH_AT)
DEAD = (consent(), FATAL_AE, died(**CAUSE))
DEAD_OF_TWO = (*DEAD, ae_reported(aeId=OTHER, **FATAL, endAt=DEATH_AT))
DEAD_OF_NOTHING_KNOWN = (consent(), ae_reported(), died())
ALIVE: dict[str, Any] = {"revived": True, "autopsyDone": None}
GOES_ON = {"aeId": str(AE), "outcome": "RECOVERING", "criteria": ["HOSPITALISATION"]}
IS_FATAL = {"aeId": str(AE), "grade": 5, "outcome": "FATAL", "criteria": ["DEATH"]}


def _subject(state: object) -> SubjectState:
    assert isinstance(state, SubjectState)
    return state


def _events(state: object) -> dict[str, AdverseEvent]:
    return {str(ae_id): event for ae_id, event in _subject(state).adverse_events.events.items()}


def _death(state: object) -> ParticipantDied:
    death = _subject(state).assessments.death
    assert death is not None
    return death


def _recorded_as(number: int) -> str:
    return str(uuid5(UUID(int=0), f"subject-{SUBJECT}@{number}"))


def test_vis_02_only_a_death_on_record_is_corrected() -> None:
    given(consent()).when(command("correctDeathRecord")).then_rejects("VIS-02")


def test_what_is_absent_keeps_its_value() -> None:
    outcome = given(*DEAD).when(command("correctDeathRecord"))
    outcome.then(DeathRecordCorrected(revived=False, autopsy_done=True, reason=a_sealed()))
    death = _death(outcome.state)
    assert (death.autopsy_done, str(death.primary_cause_ae_id)) == (True, str(AE))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"autopsyDone": None}, "deathAt"),
        ({"revived": True}, "autopsyDone"),
        (ALIVE | {"deathAt": DEATH_AT}, "deathAt"),
        (ALIVE | CAUSE, "primaryCauseAeId"),
        (ALIVE | {"aes": [GOES_ON, GOES_ON]}, "aes[1].aeId"),
    ],
    ids=["nothing", "alive with autopsy", "alive with a time", "alive with a cause", "twice"],
)
def test_a_correction_of_the_death_has_a_shape(changes: dict[str, Any], field: str) -> None:
    given(*DEAD).when(command("correctDeathRecord", **changes)).then_rejects(code="SHAPE", field=field)


def test_inv_07_inv_08_a_new_time_of_death_moves_the_end_and_the_grade_of_every_fatal_event() -> None:
    outcome = given(*DEAD_OF_TWO).when(command("correctDeathRecord", deathAt=minute(days=1)))
    outcome.then_accepts(DeathRecordCorrected, AEGradeCorrected, AECorrected, AEGradeCorrected, AECorrected)
    new = PartialDate.model_validate(minute(days=1))
    assert _death(outcome.state).death_at == new
    for event in _events(outcome.state).values():
        assert (event.end_at, event.grades[0].grade_at, event.max_grade, event.version) == (new, new, 5, 3)
    own = {"aeId": str(AE), "reason": sealed()}
    assert [event.payload() for event in outcome.events[1:3]] == [
        {**own, "aeVersion": 2, "gradeEventId": _recorded_as(2), "grade": 5, "gradeAt": minute(days=1)},
        {
            **own,
            "aeVersion": 3,
            "field": "endAt",
            "oldValue": DEATH_AT["value"],
            "newValue": minute(days=1)["value"],
        },
    ]


def test_inv_10_a_new_time_of_death_changes_no_event_that_is_not_fatal() -> None:
    other = ae_reported(aeId=OTHER)
    outcome = given(*DEAD, other).when(command("correctDeathRecord", deathAt=minute(days=1)))
    assert _events(outcome.state)[OTHER].version == 1


@pytest.mark.parametrize(
    ("death_at", "rule", "field"),
    [
        (minute(days=6), "INV-09", "deathAt"),
        (day("2026-03-21"), "INV-06", "deathAt"),
        (minute(days=4), "INV-05", "deathAt"),
    ],
    ids=["before the onset", "in the future", "before a lower grade"],
)
def test_the_invariants_hold_for_a_new_time_of_death(death_at: dict[str, str], rule: str, field: str) -> None:
    graded = ae_grade_changed(4, gradeAt=minute(days=3))
    given(*DEAD, graded).when(command("correctDeathRecord", deathAt=death_at)).then_rejects(rule, field=field)


def test_inv_06_nobody_knows_of_the_correction_in_the_future() -> None:
    given(*DEAD).when(command("correctDeathRecord", awareAt=iso(minutes=-6))).then_rejects("INV-06", field="awareAt")


def test_inv_04_a_participant_who_is_alive_leaves_no_fatal_event() -> None:
    outcome = given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[GOES_ON]))
    outcome.then_accepts(DeathRecordCorrected, AEGradeCorrected, AESeriousnessCriteriaChanged, AECorrected, AECorrected)
    own = {"aeId": str(AE), "reason": sealed()}
    assert [event.payload() for event in outcome.events] == [
        {"revived": True, "reason": sealed()},
        {**own, "aeVersion": 2, "gradeEventId": _recorded_as(2)},
        {
            **own,
            "aeVersion": 3,
            "assessor": "INVESTIGATOR",
            "added": [],
            "removed": ["DEATH"],
            "awareAt": format_instant(NOW),
        },
        {**own, "aeVersion": 4, "field": "outcome", "oldValue": "FATAL", "newValue": "RECOVERING"},
        {**own, "aeVersion": 5, "field": "endAt", "oldValue": DEATH_AT["value"]},
    ]
    assert _subject(outcome.state).assessments.death is None
    event = _events(outcome.state)[str(AE)]
    assert (event.fatal, event.end_at, event.grades, event.ever_serious) == (False, None, (), True)


def test_an_event_whose_last_criterion_goes_is_not_serious_any_more() -> None:
    outcome = given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[GOES_ON | {"criteria": []}]))
    outcome.then_accepts(DeathRecordCorrected, AEGradeCorrected, AEDowngradedToNonSerious, AECorrected, AECorrected)
    event = _events(outcome.state)[str(AE)]
    assert (event.serious, event.ever_serious) == (False, True)


def test_a_grade_takes_the_place_of_the_5_and_an_end_the_place_of_the_death() -> None:
    ended = {"aeId": str(AE), "grade": 4, "outcome": "RECOVERED", "endAt": minute(days=1), "criteria": []}
    outcome = given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[ended]))
    event = _events(outcome.state)[str(AE)]
    assert (event.outcome, event.end_at) == (Outcome.RECOVERED, PartialDate.model_validate(minute(days=1)))
    assert [(point.grade, point.grade_at) for point in event.grades] == [(4, PartialDate.model_validate(DEATH_AT))]


@pytest.mark.parametrize(
    ("listed", "rule", "field"),
    [
        ([], "VIS-03", "aes"),
        ([IS_FATAL], "VIS-03", "aes[0].outcome"),
        ([GOES_ON | {"criteria": ["DEATH"]}], "INV-02", "aes[0].outcome"),
        ([GOES_ON | {"grade": 5}], "INV-02", "aes[0].outcome"),
        ([GOES_ON | {"grade": 2}], "INV-03", "aes[0].grade"),
        ([GOES_ON | {"outcome": "RECOVERED"}], "INV-07", "aes[0].endAt"),
        ([GOES_ON | {"endAt": minute(days=1)}], "INV-07", "aes[0].endAt"),
        ([GOES_ON | {"outcome": "RECOVERED", "endAt": minute(days=6)}], "INV-05", "aes[0].endAt"),
    ],
    ids=str,
)
def test_vis_03_inv_02_a_participant_who_is_alive_has_no_sign_of_death_left(
    listed: list[Any], rule: str, field: str
) -> None:
    given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=listed)).then_rejects(rule, field=field)


def test_vis_03_every_fatal_event_is_listed_when_the_participant_is_alive() -> None:
    given(*DEAD_OF_TWO).when(command("correctDeathRecord", **ALIVE, aes=[GOES_ON])).then_rejects("VIS-03", field="aes")
    both = [GOES_ON, GOES_ON | {"aeId": OTHER}]
    outcome = given(*DEAD_OF_TWO).when(command("correctDeathRecord", **ALIVE, aes=both))
    assert not any(event.fatal for event in _events(outcome.state).values())


def test_vis_01_a_status_that_says_dead_goes_before_the_death_is_taken_back() -> None:
    status = survival("N")
    given(consent(), died(), status).when(command("correctDeathRecord", **ALIVE)).then_rejects("VIS-01")
    given(consent(), died()).when(command("correctDeathRecord", **ALIVE)).then_accepts(DeathRecordCorrected)


def test_inv_02_an_event_becomes_fatal_after_the_death_by_its_correction() -> None:
    asked = command("correctDeathRecord", aes=[IS_FATAL], **CAUSE, awareAt=iso(hours=5))
    outcome = given(*DEAD_OF_NOTHING_KNOWN).when(asked)
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    own = {"aeId": str(AE)}
    assert [event.payload() for event in outcome.events[1:]] == [
        {**own, "aeVersion": 2, "fromGrade": 2, "toGrade": 5, "gradeAt": DEATH_AT},
        {**own, "aeVersion": 3, "criteria": ["DEATH"], "seriousSince": DEATH_AT, "awareAt": iso(hours=5)},
        {**own, "aeVersion": 4, "outcome": "FATAL", "endAt": DEATH_AT},
    ]
    assert str(_death(outcome.state).primary_cause_ae_id) == str(AE)


def test_a_serious_event_becomes_fatal_with_exactly_the_criteria_stated() -> None:
    history = given(consent(), ae_reported(), By(ae_upgraded("HOSPITALISATION", "DISABILITY")), died())
    listed = IS_FATAL | {"criteria": ["DEATH", "DISABILITY"]}
    outcome = history.when(command("correctDeathRecord", aes=[listed], **CAUSE))
    assert outcome.events[2].payload()["removed"] == ["HOSPITALISATION"]
    assert _events(outcome.state)[str(AE)].investigator.criteria == {Criterion.DEATH, Criterion.DISABILITY}


def test_an_event_that_ended_otherwise_becomes_fatal_by_a_correction_of_its_end() -> None:
    history = given(consent(), ae_reported(), ae_resolved(endAt=minute(days=3)), died())
    outcome = history.when(command("correctDeathRecord", aes=[IS_FATAL], **CAUSE))
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AECorrected, AECorrected)
    event = _events(outcome.state)[str(AE)]
    assert (event.fatal, event.end_at) == (True, PartialDate.model_validate(DEATH_AT))


def test_an_event_becomes_fatal_at_the_corrected_time_of_death() -> None:
    asked = command("correctDeathRecord", deathAt=minute(days=1), aes=[IS_FATAL], **CAUSE)
    outcome = given(*DEAD_OF_NOTHING_KNOWN).when(asked)
    outcome.then_accepts(DeathRecordCorrected, AEGradeChanged, AEUpgradedToSerious, AEResolved)
    assert _events(outcome.state)[str(AE)].end_at == _death(outcome.state).death_at


def test_inv_03_an_event_becomes_fatal_only_under_a_term_that_may_be() -> None:
    history = given(consent(), ae_reported(code="PALPITATIONS"), died())
    history.when(command("correctDeathRecord", aes=[IS_FATAL], **CAUSE)).then_rejects("INV-03", field="aes[0]")


@pytest.mark.parametrize(
    "listed",
    [IS_FATAL | {"grade": 4}, IS_FATAL | {"grade": None}, IS_FATAL | {"criteria": ["HOSPITALISATION"]}],
    ids=str,
)
def test_inv_02_an_event_becomes_fatal_whole(listed: dict[str, Any]) -> None:
    whole = {name: value for name, value in listed.items() if value is not None}
    given(*DEAD_OF_NOTHING_KNOWN).when(command("correctDeathRecord", aes=[whole], **CAUSE)).then_rejects(
        "INV-02", field="aes[0]"
    )


def test_inv_08_the_primary_cause_is_named_once_an_event_is_fatal() -> None:
    given(*DEAD_OF_NOTHING_KNOWN).when(command("correctDeathRecord", aes=[IS_FATAL])).then_rejects(
        "INV-08", field="primaryCauseAeId"
    )


def test_vis_03_the_primary_cause_stays_a_fatal_event() -> None:
    given(*DEAD).when(command("correctDeathRecord", primaryCauseAeId=OTHER)).then_rejects("VIS-03")
    given(*DEAD).when(command("correctDeathRecord", aes=[GOES_ON])).then_rejects("VIS-03", field="primaryCauseAeId")
    other = {"aes": [GOES_ON], "primaryCauseAeId": OTHER}
    outcome = given(*DEAD_OF_TWO).when(command("correctDeathRecord", **other))
    assert str(_death(outcome.state).primary_cause_ae_id) == OTHER
    assert not _events(outcome.state)[str(AE)].fatal


def test_an_event_that_is_and_stays_otherwise_is_no_matter_of_the_death() -> None:
    asked = command("correctDeathRecord", aes=[GOES_ON | {"criteria": []}])
    given(*DEAD_OF_NOTHING_KNOWN).when(asked).then_rejects(field="aes[0].aeId")


def test_a_fatal_event_may_get_other_criteria_and_stay_fatal() -> None:
    listed = IS_FATAL | {"criteria": ["DEATH", "LIFE_THREATENING"]}
    outcome = given(*DEAD).when(command("correctDeathRecord", aes=[listed]))
    outcome.then_accepts(DeathRecordCorrected, AESeriousnessCriteriaChanged)


@pytest.mark.parametrize(
    ("listed", "rule", "code", "field"),
    [
        (GOES_ON | {"aeId": OTHER}, None, "RULE", "aes[0].aeId"),
        (GOES_ON | {"expectedAeVersion": 2}, "INV-12", "CONFLICT", "aes[0].expectedAeVersion"),
    ],
    ids=["unknown", "another version"],
)
def test_inv_12_each_event_listed_is_known_in_its_version(
    listed: dict[str, Any], rule: str | None, code: str, field: str
) -> None:
    given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[listed])).then_rejects(rule, code=code, field=field)
