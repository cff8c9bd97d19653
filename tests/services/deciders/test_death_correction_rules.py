"""Correcting the record of a death: its time, and a participant who is alive (`safety.md` 4.1, INV-04, VIS-03)."""

from typing import Any
from uuid import UUID, uuid5

import pytest

from builders.adverse_events import ae_grade_changed, ae_reported
from builders.commands import command
from builders.ids import AE, SUBJECT
from builders.participant import consent, died, survival
from builders.payloads import a_sealed, sealed
from builders.times import NOW, day, iso, minute
from hepatrail_events.adverse_events import (
    AECorrected,
    AEDowngradedToNonSerious,
    AEGradeCorrected,
    AESeriousnessCriteriaChanged,
    Outcome,
)
from hepatrail_events.assessments import DeathRecordCorrected
from hepatrail_events.types import PartialDate, format_instant
from recorded_deaths import (
    ALIVE,
    CAUSE,
    DEAD,
    DEAD_OF_TWO,
    DEATH_AT,
    GOES_ON,
    IS_FATAL,
    OTHER,
    death_of,
    events_of,
    subject,
)
from specification import given


def _recorded_as(number: int) -> str:
    return str(uuid5(UUID(int=0), f"subject-{SUBJECT}@{number}"))


def test_vis_02_only_a_death_on_record_is_corrected() -> None:
    given(consent()).when(command("correctDeathRecord")).then_rejects("VIS-02")


def test_what_is_absent_keeps_its_value() -> None:
    outcome = given(*DEAD).when(command("correctDeathRecord"))
    outcome.then(DeathRecordCorrected(revived=False, autopsy_done=True, reason=a_sealed()))
    death = death_of(outcome.state)
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
    assert death_of(outcome.state).death_at == new
    for event in events_of(outcome.state).values():
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
    assert events_of(outcome.state)[OTHER].version == 1


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
    assert subject(outcome.state).assessments.death is None
    event = events_of(outcome.state)[str(AE)]
    assert (event.fatal, event.end_at, event.grades, event.ever_serious) == (False, None, (), True)


def test_an_event_whose_last_criterion_goes_is_not_serious_any_more() -> None:
    outcome = given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[GOES_ON | {"criteria": []}]))
    outcome.then_accepts(DeathRecordCorrected, AEGradeCorrected, AEDowngradedToNonSerious, AECorrected, AECorrected)
    event = events_of(outcome.state)[str(AE)]
    assert (event.serious, event.ever_serious) == (False, True)


def test_a_grade_takes_the_place_of_the_5_and_an_end_the_place_of_the_death() -> None:
    ended = {"aeId": str(AE), "grade": 4, "outcome": "RECOVERED", "endAt": minute(days=1), "criteria": []}
    outcome = given(*DEAD).when(command("correctDeathRecord", **ALIVE, aes=[ended]))
    event = events_of(outcome.state)[str(AE)]
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
    assert not any(event.fatal for event in events_of(outcome.state).values())


def test_vis_01_a_status_that_says_dead_goes_before_the_death_is_taken_back() -> None:
    status = survival("N")
    given(consent(), died(), status).when(command("correctDeathRecord", **ALIVE)).then_rejects("VIS-01")
    given(consent(), died()).when(command("correctDeathRecord", **ALIVE)).then_accepts(DeathRecordCorrected)


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
