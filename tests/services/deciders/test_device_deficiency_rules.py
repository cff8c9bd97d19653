"""The rules of device deficiencies (`events.md` 3.9)."""

import pytest

from builders.adverse_events import ae_reported, ae_voided
from builders.commands import command
from builders.ids import AE, DEFICIENCY, SESSION
from builders.participant import consent, enrolled, session_started
from builders.payloads import a_sealed, sealed
from builders.records import deficiency
from hepatrail_events.device_deficiencies import (
    DeviceDeficiencyCorrected,
    DeviceDeficiencyReported,
    DeviceDeficiencyVoided,
)
from hepatrail_events.ids import object_id
from hepatrail_events.sessions import SessionVoided
from hepatrail_events.voiding import VoidReason
from hepatrail_services.deciders.device_deficiencies import CORRECTABLE
from specification import given

OPEN = (consent(), enrolled())
TREATED = (*OPEN, session_started())
VOID_SESSION = SessionVoided(id=SESSION, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed("reasonText"))
VOID = DeviceDeficiencyVoided(id=DEFICIENCY, reason_code=VoidReason.DUPLICATE, reason_text=a_sealed("reasonText"))
NOWHERE = "00000000-0000-4000-8000-00000000ffff"


def test_a_deficiency_is_reported_also_when_no_harm_followed() -> None:
    asked = command("reportDeviceDeficiency", couldHaveLedToSADE=True)
    event = given(*TREATED).when(asked).then_one(DeviceDeficiencyReported)
    assert event == DeviceDeficiencyReported(
        deficiency_id=object_id(asked.command_id, "deficiency"),
        description=a_sealed("description"),
        session_id=SESSION,
        lot="L-7",
        could_have_led_to_sade=True,
    )
    assert event.payload()["couldHaveLedToSADE"] is True


def test_the_session_is_one_of_the_participant_and_not_void() -> None:
    given(*OPEN).when(command("reportDeviceDeficiency")).then_rejects(field="sessionId")
    given(*TREATED, VOID_SESSION).when(command("reportDeviceDeficiency")).then_rejects(field="sessionId")
    moved = command("correctDeviceDeficiency", field="sessionId", newValue=NOWHERE)
    given(*TREATED, deficiency()).when(moved).then_rejects(field="newValue")


def test_a_linked_adverse_event_is_one_of_the_participant_and_not_void() -> None:
    """INV-11: a void adverse event takes nothing more."""
    linked = command("reportDeviceDeficiency", linkedAeId=str(AE))
    given(*TREATED).when(linked).then_rejects(field="linkedAeId")
    given(*TREATED, ae_reported(), ae_voided()).when(linked).then_rejects("INV-11", field="linkedAeId")
    given(*TREATED, ae_reported()).when(linked).then_accepts(DeviceDeficiencyReported)
    later = command("correctDeviceDeficiency", field="linkedAeId", newValue=str(AE))
    given(*TREATED, deficiency()).when(later).then_rejects(field="newValue")
    given(*TREATED, deficiency(), ae_reported()).when(later).then_accepts(DeviceDeficiencyCorrected)


def test_what_does_not_name_the_session_is_corrected_though_that_is_void_by_now() -> None:
    given(*TREATED, deficiency(), VOID_SESSION).when(command("correctDeviceDeficiency")).then_accepts(
        DeviceDeficiencyCorrected
    )


def test_every_listed_field_of_a_deficiency_can_be_corrected() -> None:
    values = {"sessionId": str(SESSION), "lot": "L-8", "couldHaveLedToSADE": "true", "linkedAeId": str(AE)}
    assert values.keys() | {"description"} == CORRECTABLE.keys()
    other = session_started(sessionId=NOWHERE)
    history = given(*TREATED, other, deficiency(False, sessionId=NOWHERE), ae_reported())
    for field, value in values.items():
        asked = command("correctDeviceDeficiency", field=field, newValue=value)
        assert history.when(asked).then_one(DeviceDeficiencyCorrected).payload()["newValue"] == value, field
    described = command("correctDeviceDeficiency", field="description", newValue=None, newText=sealed("newText"))
    history.when(described).then(
        DeviceDeficiencyCorrected(id=DEFICIENCY, field="description", new_text=a_sealed("newText"), reason=a_sealed())
    )


def test_a_deficiency_is_void_with_a_code_and_an_explanation() -> None:
    given(*TREATED, deficiency()).when(command("voidDeviceDeficiency")).then(VOID)


@pytest.mark.parametrize("name", ["correctDeviceDeficiency", "voidDeviceDeficiency"])
def test_only_a_known_deficiency_that_is_not_void_is_corrected_or_void(name: str) -> None:
    given(*TREATED).when(command(name)).then_rejects(field="id")
    given(*TREATED, deficiency(), VOID).when(command(name)).then_rejects(field="id")
