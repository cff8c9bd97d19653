"""The rules of the safety desk (`events.md` 3.11)."""

from uuid import UUID, uuid4

from builders import ALERT, NOW, a_sealed, alert_content, alert_raised, at, command, sealed
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertAcknowledged, AlertRaised
from hepatrail_services.deciders.safety_desk import DeskState, RaiseAlert
from specification import Given, given

SECOND = "00000000-0000-4000-8000-0000000000a2"


def _raise(**changes: object) -> RaiseAlert:
    return RaiseAlert(command_id=uuid4(), alert=alert_content(**changes))


def _raised(history: Given, **changes: object) -> AlertRaised:
    event = history.when(_raise(**changes)).then_one(AlertRaised)
    assert isinstance(event, AlertRaised)
    return event


def test_alerts_are_numbered_without_a_gap() -> None:
    acknowledged = AlertAcknowledged(alert_id=ALERT, by="u-1", at=NOW)
    assert _raised(given()).alert_seq == 1
    assert _raised(given(alert_raised(1), acknowledged, acknowledged), alertId=SECOND).alert_seq == 2


def test_an_alert_says_all_that_was_found() -> None:
    event = _raised(given(), verbatim=sealed("verbatim"), grade=4, criteria=["LIFE_THREATENING"], reasons=["AESI"])
    content = alert_content(verbatim=sealed("verbatim"), grade=4, criteria=["LIFE_THREATENING"], reasons=["AESI"])
    assert event.payload() == content.payload() | {"alertSeq": 1}


def test_a_known_alert_is_accepted_without_event_whatever_its_body() -> None:
    given(alert_raised(1)).when(_raise(priority="P1", grade=5)).then()


def test_an_alert_names_the_one_before_of_the_same_adverse_event() -> None:
    other = str(uuid4())
    history = given(alert_raised(1), alert_raised(2, alertId=SECOND, aeId=other))
    assert _raised(history, alertId=str(uuid4())).previous_alert_id == ALERT
    assert _raised(history, alertId=str(uuid4()), aeId=other).previous_alert_id == UUID(SECOND)
    assert _raised(history, alertId=str(uuid4()), aeId=None).previous_alert_id is None


def test_only_a_known_alert_is_acknowledged() -> None:
    given().when(command("acknowledgeSaeAlert")).then_rejects("DSK-02", field="alertId")


def test_an_acknowledgement_names_who_and_when() -> None:
    asked = command("acknowledgeSaeAlert", comment=sealed("comment"))
    given(alert_raised()).when(asked, who="officer").then(
        AlertAcknowledged(alert_id=ALERT, by="officer", at=NOW, comment=a_sealed("comment"))
    )


def test_a_repeat_of_the_same_person_yields_no_event_and_another_person_is_recorded_too() -> None:
    history = given(alert_raised(), AlertAcknowledged(alert_id=ALERT, by="officer", at=at(minutes=5)))
    history.when(command("acknowledgeSaeAlert"), who="officer").then()
    history.when(command("acknowledgeSaeAlert"), who="second officer").then_accepts(AlertAcknowledged)


def test_the_reporters_own_acknowledgement_is_recorded() -> None:
    given(alert_raised()).when(command("acknowledgeSaeAlert"), who="reporter").then_accepts(AlertAcknowledged)


def test_an_alert_of_another_site_is_out_of_reach() -> None:
    given(alert_raised()).when(command("acknowledgeSaeAlert"), sites=("OTHER",)).then_rejects(code="FORBIDDEN")
    trial_wide = alert_raised(siteId=None, subjectId=None, aeId=None)
    given(trial_wide).when(command("acknowledgeSaeAlert"), sites=("OTHER",)).then_accepts(AlertAcknowledged)


def test_a_comment_is_sealed_with_the_key_of_the_alerts_participant() -> None:
    other = command("acknowledgeSaeAlert", comment=sealed("comment", "S-002"))
    given(alert_raised()).when(other).then_rejects(code="SHAPE", field="comment")
    of_nobody = alert_raised(siteId=None, subjectId=None, aeId=None)
    asked = command("acknowledgeSaeAlert", comment=sealed("comment", "@safety-desk"))
    given(of_nobody).when(asked).then_accepts(AlertAcknowledged)


def test_an_alert_is_raised_by_the_system_only() -> None:
    given().when(_raise(), by=Role.PRINCIPAL_INVESTIGATOR).then_rejects(code="FORBIDDEN")


def test_the_desk_remembers_its_last_number_after_a_repeat() -> None:
    outcome = given(alert_raised(1)).when(_raise())
    assert isinstance(outcome.state, DeskState)
    assert (outcome.state.version, outcome.state.last_alert_seq) == (1, 1)
