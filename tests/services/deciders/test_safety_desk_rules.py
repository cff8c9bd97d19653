"""The rules of the safety desk (`events.md` 3.11)."""

from uuid import UUID, uuid4

import pytest

from builders.commands import command
from builders.ids import ALERT
from builders.payloads import a_sealed, sealed
from builders.safety_desk import alert_content, alert_escalated, alert_raised
from builders.study import protocol_published, site_activated
from builders.times import NOW, at, iso
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
)
from hepatrail_services.deciders.desk_state import DeskState
from hepatrail_services.deciders.safety_desk import EscalateAlert, RaiseAlert, RecordNotification
from specification import By, Given, given
from stopping import facts_of, reaction_of

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


def test_aud_08_an_acknowledgement_names_who_and_when() -> None:
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


RAISED = alert_raised(priority="P1", raisedAt=iso(hours=1))
"""Its levels fall at 30 minutes before NOW, at NOW, and in an hour."""


def _escalate(level: int = 1, late: bool = False, alert_id: UUID = ALERT) -> EscalateAlert:
    return EscalateAlert(command_id=uuid4(), alert_id=alert_id, level=level, late=late)


def _acknowledged(minutes: float, by: str = "officer") -> By:
    moment = at(minutes=minutes)
    return By(AlertAcknowledged(alert_id=ALERT, by=by, at=moment), Role.SAFETY_OFFICER, moment)


def test_aud_08_an_alert_that_nobody_acknowledged_is_escalated_level_by_level() -> None:
    given(RAISED).when(_escalate(1)).then(AlertEscalated(alert_id=ALERT, level=1, late=False))
    given(RAISED, alert_escalated(1)).when(_escalate(2, late=True)).then(
        AlertEscalated(alert_id=ALERT, level=2, late=True)
    )


def test_a_level_fires_once_whatever_the_body_says() -> None:
    given(RAISED, alert_escalated(1)).when(_escalate(1, late=True)).then()
    given(RAISED, alert_escalated(1), _acknowledged(5)).when(_escalate(1)).then()


@pytest.mark.parametrize(("minutes_before_now", "fires"), [(30.5, False), (30, False), (29.999, True)])
def test_an_acknowledgement_recorded_at_or_before_its_time_stops_a_level(
    minutes_before_now: float, fires: bool
) -> None:
    outcome = given(RAISED, _acknowledged(minutes_before_now)).when(_escalate(1))
    if fires:
        outcome.then_accepts(AlertEscalated)
    else:
        outcome.then_rejects("DSK-03", field="level")


def test_an_acknowledgement_stops_all_later_levels() -> None:
    history = given(RAISED, alert_escalated(1), _acknowledged(10))
    history.when(_escalate(2)).then_rejects("DSK-03")
    history.when(_escalate(3)).then_rejects("DSK-03")


def test_the_reporters_own_acknowledgement_stops_escalation_only_where_the_protocol_says_so() -> None:
    own = given(RAISED, _acknowledged(40, by="reporter"))
    own.when(_escalate(1)).then_accepts(AlertEscalated)
    own.in_study(protocol_published(self_ack=True), site_activated()).when(_escalate(1)).then_rejects("DSK-03")
    given(RAISED, _acknowledged(40, by="reporter"), _acknowledged(35)).when(_escalate(1)).then_rejects("DSK-03")


def test_an_acknowledgement_is_of_one_alert_only() -> None:
    other = alert_raised(2, alertId=SECOND, priority="P1", raisedAt=iso(hours=1))
    given(RAISED, other, _acknowledged(40)).when(_escalate(1, alert_id=UUID(SECOND))).then_accepts(AlertEscalated)


def test_levels_are_those_of_the_priority() -> None:
    routine = given(alert_raised(priority="P3", raisedAt=iso(days=4)))
    routine.when(_escalate(2)).then_accepts(AlertEscalated)
    routine.when(_escalate(3)).then_rejects(code="SHAPE", field="level")


@pytest.mark.parametrize(
    ("priority", "level", "minutes"),
    [
        ("P1", 1, 30), ("P1", 2, 60), ("P1", 3, 120),
        ("P2", 1, 4 * 60), ("P2", 2, 12 * 60), ("P2", 3, 20 * 60),
        ("P3", 1, 24 * 60), ("P3", 2, 72 * 60),
    ],
)  # fmt: skip
def test_the_times_of_the_levels_are_those_of_the_reference(priority: str, level: int, minutes: int) -> None:
    """An acknowledgement of 10 minutes ago comes in time where the level's time is then, and too late a minute on."""
    for ago, fires in ((minutes + 10, False), (minutes + 11, True)):
        raised = alert_raised(priority=priority, raisedAt=iso(minutes=ago))
        outcome = given(raised, _acknowledged(10)).when(_escalate(level))
        assert (outcome.rejection is None) == fires


def _delivered(attempt: int = 1, level: int | None = None, channel: str = "EMAIL") -> RecordNotification:
    return RecordNotification(
        command_id=uuid4(), alert_id=ALERT, channel=NotificationChannel(channel), attempt=attempt, level=level
    )


def test_a_delivery_is_recorded_once_whichever_try_succeeded() -> None:
    first = NotificationSent(alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=2)
    given(RAISED).when(_delivered(attempt=2)).then(first)
    given(RAISED, first).when(_delivered(attempt=2)).then()
    given(RAISED, first).when(_delivered(attempt=3)).then()


def test_the_other_channel_and_every_level_are_deliveries_of_their_own() -> None:
    first = NotificationSent(alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=1)
    of_level = NotificationSent(alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=1, level=1)
    history = given(RAISED, first, alert_escalated(1))
    history.when(_delivered(channel="WEBHOOK")).then_accepts(NotificationSent)
    history.when(_delivered(level=1)).then(of_level)
    given(RAISED, first, of_level).when(_delivered(level=1)).then()
    given(RAISED, first, of_level).when(_delivered(level=2)).then_accepts(NotificationSent)


def test_only_a_known_alert_is_escalated_or_sent() -> None:
    given().when(_escalate()).then_rejects("DSK-02", field="alertId")
    asked = RecordNotification(command_id=uuid4(), alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=1)
    given().when(asked).then_rejects("DSK-02", field="alertId")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM}))
def test_what_the_system_tells_itself_is_nobody_elses_to_say(role: Role) -> None:
    for asked in (_escalate(), _delivered(), facts_of("S-001"), reaction_of("S-001")):
        given(RAISED).when(asked, by=role).then_rejects(code="FORBIDDEN")
