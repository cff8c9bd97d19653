"""Device deficiencies that could have led to a serious event (`safety.md` 6.1 and 6.3, DEVICE_DEFICIENCY)."""

from builders.ids import AE, DEFICIENCY, SESSION
from builders.payloads import sealed
from builders.records import deficiency
from hepatrail_events.device_deficiencies import DeviceDeficiencyCorrected, DeviceDeficiencyVoided
from safety_world import Ward


def _corrected(field: str, value: str) -> DeviceDeficiencyCorrected:
    return DeviceDeficiencyCorrected.model_validate(
        {"id": str(DEFICIENCY), "field": field, "newValue": value, "reason": sealed()}
    )


VOIDED = DeviceDeficiencyVoided.model_validate(
    {"id": str(DEFICIENCY), "reasonCode": "DUPLICATE", "reasonText": sealed("reasonText")}
)


def test_DEVICE_DEFICIENCY_alerts_of_one_that_could_have_led_to_a_serious_event() -> None:
    alert = Ward().when(deficiency(linkedAeId=str(AE))).then_one("DEVICE_DEFICIENCY", "P2")
    assert (alert.session_id, alert.ae_id, alert.changes) == (SESSION, None, ())
    assert alert.detail == f"Device deficiency {DEFICIENCY}, lot L-7, linked to the adverse event {AE}."


def test_DEVICE_DEFICIENCY_is_not_said_of_one_that_could_not() -> None:
    ward = Ward()
    ward.when(deficiency(could_have_led_to_sade=False)).then_none()
    ward.when(_corrected("lot", "L-8")).then_none()


def test_DEVICE_DEFICIENCY_alerts_when_a_correction_makes_it_true() -> None:
    ward = Ward().given(deficiency(could_have_led_to_sade=False))
    alert = ward.when(_corrected("couldHaveLedToSADE", "true")).then_one("DEVICE_DEFICIENCY", "P2")
    assert [(each.field, each.old, each.new) for each in alert.changes] == [("couldHaveLedToSADE", "false", "true")]


def test_DEVICE_DEFICIENCY_is_said_once_however_it_is_corrected_or_void() -> None:
    ward = Ward().given(deficiency())
    ward.when(_corrected("lot", "L-8")).then_none()
    ward.when(_corrected("couldHaveLedToSADE", "false")).then_none()
    ward.when(_corrected("couldHaveLedToSADE", "true")).then_one("DEVICE_DEFICIENCY", "P2")
    ward.when(VOIDED).then_none()


def test_DEVICE_DEFICIENCY_is_not_said_of_one_that_is_void_by_the_same_commit() -> None:
    ward = Ward().given(deficiency(could_have_led_to_sade=False))
    ward.when(_corrected("couldHaveLedToSADE", "true"), VOIDED).then_none()
