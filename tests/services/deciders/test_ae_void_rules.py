"""Adverse events that are void: one person for what was never serious, else two (`safety.md` 4.1, INV-11, INV-21)."""

from typing import Any

import pytest

from builders.adverse_events import FATAL, ae_downgraded, ae_reported, ae_upgraded, ae_void_requested, ae_voided
from builders.commands import command
from builders.ids import AE
from builders.participant import consent, died
from builders.payloads import sealed
from builders.times import minute
from hepatrail_events.adverse_events import AEReported, AEVoided, AEVoidRequested
from hepatrail_events.roles import Role
from hepatrail_services.deciders.subject import SubjectState
from specification import By, given

OPEN = (consent(), ae_reported())
SERIOUS = (*OPEN, By(ae_upgraded()))
ONCE_SERIOUS = (*SERIOUS, ae_downgraded(version=3))
REQUESTED = (*SERIOUS, ae_void_requested(version=3))
VOID = (*OPEN, ae_voided())
OTHER = "00000000-0000-4000-8000-00000000bbbb"
DUPLICATE = {"reasonCode": "DUPLICATE", "duplicateOf": OTHER}
EVERY_COMMAND = (
    "followUpAdverseEvent",
    "changeAdverseEventGrade",
    "correctAdverseEventGrade",
    "resolveAdverseEvent",
    "reopenAdverseEvent",
    "upgradeAdverseEvent",
    "changeSeriousnessCriteria",
    "downgradeAdverseEvent",
    "assessCausality",
    "assessExpectedness",
    "codeAdverseEvent",
    "correctAdverseEvent",
    "voidAdverseEvent",
    "requestAeVoid",
    "coSignAeVoid",
)


def _voided(state: object) -> bool:
    assert isinstance(state, SubjectState)
    return state.adverse_events.events[AE].voided


def test_an_event_that_was_never_serious_is_void_by_one_person() -> None:
    outcome = given(*OPEN).when(command("voidAdverseEvent"))
    assert outcome.then_one(AEVoided).payload() == {
        "aeId": str(AE),
        "aeVersion": 2,
        "reasonCode": "NOT_AN_AE",
        "reasonText": sealed("reasonText"),
    }
    assert _voided(outcome.state)


@pytest.mark.parametrize("history", [SERIOUS, ONCE_SERIOUS, REQUESTED], ids=["serious", "once serious", "requested"])
def test_inv_21_an_event_that_was_ever_serious_is_not_void_by_one_person(history: tuple[Any, ...]) -> None:
    given(*history).when(command("voidAdverseEvent")).then_rejects("INV-21", field="aeId")


@pytest.mark.parametrize("history", [SERIOUS, ONCE_SERIOUS], ids=["serious", "once serious"])
def test_inv_21_a_request_leaves_the_event_as_it_is(history: tuple[Any, ...]) -> None:
    outcome = given(*history).when(command("requestAeVoid"))
    outcome.then_accepts(AEVoidRequested)
    assert not _voided(outcome.state)


def test_inv_21_a_request_is_for_what_was_ever_serious() -> None:
    given(*OPEN).when(command("requestAeVoid")).then_rejects("INV-21", field="aeId")


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR])
def test_inv_21_another_investigator_co_signs_and_the_reasons_are_those_of_the_request(role: Role) -> None:
    outcome = given(*REQUESTED).when(command("coSignAeVoid"), by=role, who="u-2")
    assert outcome.then_one(AEVoided).payload() == {
        "aeId": str(AE),
        "aeVersion": 4,
        "reasonCode": "ENTERED_IN_ERROR",
        "reasonText": sealed("reasonText"),
        "coSigner": "u-2",
    }
    assert _voided(outcome.state)


def test_inv_21_nobody_co_signs_the_own_request_in_whatever_role() -> None:
    for role in (Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR):
        given(*REQUESTED).when(command("coSignAeVoid"), by=role, who="u-1").then_rejects("INV-21", field="aeId")


def test_inv_21_nothing_is_co_signed_without_a_request() -> None:
    given(*SERIOUS).when(command("coSignAeVoid"), who="u-2").then_rejects("INV-21", field="aeId")


def test_a_later_request_takes_the_place_of_the_one_that_waits() -> None:
    later = given(*REQUESTED).when(command("requestAeVoid", reasonCode="WRONG_PARTICIPANT")).events[0]
    event = given(*REQUESTED, later).when(command("coSignAeVoid"), who="u-2").then_one(AEVoided)
    assert event.payload()["reasonCode"] == "WRONG_PARTICIPANT"


@pytest.mark.parametrize(
    ("name", "history"), [("voidAdverseEvent", OPEN), ("requestAeVoid", SERIOUS)], ids=["void", "request"]
)
def test_a_duplicate_names_the_event_that_it_repeats(name: str, history: tuple[Any, ...]) -> None:
    other = ae_reported(aeId=OTHER)
    asked = command(name, **DUPLICATE)
    outcome = given(*history, other).when(asked)
    assert outcome.events[0].payload()["duplicateOf"] == OTHER
    given(*history, other).when(command(name, reasonCode="DUPLICATE")).then_rejects(code="SHAPE", field="duplicateOf")
    given(*history, other).when(command(name, duplicateOf=OTHER)).then_rejects(code="SHAPE", field="duplicateOf")
    given(*history).when(asked).then_rejects(field="duplicateOf")
    given(*history, other, ae_voided(aeId=OTHER)).when(asked).then_rejects(field="duplicateOf")
    itself = command(name, **DUPLICATE | {"duplicateOf": str(AE)})
    given(*history, other).when(itself).then_rejects(field="duplicateOf")


def test_the_co_signed_void_of_a_duplicate_names_it_too() -> None:
    asked = ae_void_requested(version=3, **DUPLICATE)
    event = given(*SERIOUS, asked).when(command("coSignAeVoid"), who="u-2").then_one(AEVoided)
    assert event.payload()["duplicateOf"] == OTHER


@pytest.mark.parametrize("name", EVERY_COMMAND)
def test_inv_11_a_void_event_takes_no_further_entry(name: str) -> None:
    given(*VOID).when(command(name)).then_rejects("INV-11", field="aeId")
    co_signed = ae_voided(version=4, coSigner="u-2")
    given(*REQUESTED, co_signed).when(command(name), who="u-3").then_rejects("INV-11", field="aeId")


def test_inv_11_a_void_event_does_not_lead_to_a_death() -> None:
    asked = command("recordDeath", fatalAes=[{"aeId": str(AE)}], primaryCauseAeId=str(AE))
    given(*VOID).when(asked).then_rejects("INV-11", field="fatalAes[0].aeId")


def test_inv_11_the_event_of_a_wrong_participant_is_reported_anew_under_the_right_one() -> None:
    event = given(consent()).when(command("reportAdverseEvent", replaces=str(AE))).then_one(AEReported)
    assert event.payload()["replaces"] == str(AE)


def test_inv_09_a_void_event_feeds_nothing() -> None:
    late = ae_reported(onset=minute(hours=1), gradeAt=minute(hours=1), awareAt=minute(hours=1)["value"][:-1] + ":00Z")
    given(consent(), late).when(command("recordDeath")).then_rejects("INV-09")
    given(consent(), late, ae_voided()).when(command("recordDeath")).then_accepts(type(died()))


def test_inv_08_the_primary_cause_of_a_death_is_not_void() -> None:
    dead = (consent(), ae_reported(**FATAL, endAt=minute(days=2)), died(primaryCauseAeId=str(AE)))
    given(*dead).when(command("requestAeVoid")).then_rejects("INV-08", field="aeId")
    given(*dead, ae_void_requested()).when(command("coSignAeVoid"), who="u-2").then_rejects("INV-08", field="aeId")
    second = ae_reported(aeId=OTHER, **FATAL, endAt=minute(days=2))
    given(*dead, second).when(command("requestAeVoid", aeId=OTHER)).then_accepts(AEVoidRequested)
