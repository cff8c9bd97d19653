"""The desk's stream folds whole: alerts, who saw them, who was told, what was hit."""

from uuid import UUID

import pytest

from builders.ids import ALERT
from builders.safety_desk import alert_escalated, alert_raised, stopping_rule_triggered
from builders.times import NOW, at, iso
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import AlertAcknowledged, NotificationChannel, NotificationSent
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from specification import By, recorded
from stopping import facts_recorded

SENT = NotificationSent(alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=1)


def _fold(*events: Event | By) -> DeskView:
    view = EMPTY_DESK
    for number, event in enumerate(events, start=1):
        view = fold_desk(view, recorded(SAFETY_DESK, number, event if isinstance(event, By) else By(event)))
    return view


def _id(streamseq: int) -> UUID:
    return recorded(SAFETY_DESK, streamseq, By(SENT)).envelope.id


def test_every_event_of_the_desk_is_folded() -> None:
    acknowledged = AlertAcknowledged(alert_id=ALERT, by="officer", at=at(minutes=5))
    first, second, hit = alert_escalated(1), alert_escalated(2, late=True), stopping_rule_triggered()
    of_level = SENT.model_copy(update={"level": 2})
    view = _fold(alert_raised(1), first, SENT, second, of_level, acknowledged, facts_recorded("S-001"), hit)
    alert = view.alerts[ALERT]
    assert [(each.event, each.event_id) for each in alert.escalations] == [(first, _id(2)), (second, _id(4))]
    assert [each.event for each in alert.acknowledgements] == [acknowledged]
    assert alert.deliveries == {(NotificationChannel.EMAIL, None), (NotificationChannel.EMAIL, 2)}
    assert view.hits[hit.hit_id].event == hit
    assert (view.version, view.alert_seq, view.recorded_at) == (8, 1, NOW)


def test_an_escalation_shows_when_it_fired_and_whether_late() -> None:
    alert = _fold(alert_raised(1), alert_escalated(1, late=True)).alerts[ALERT]
    assert [each.json() for each in alert.escalations] == [
        {"level": 1, "late": True, "recordedAt": iso(), "eventId": str(_id(2))}
    ]


def test_the_first_acknowledgement_by_another_than_the_reporter_stops_escalation() -> None:
    own = AlertAcknowledged(alert_id=ALERT, by="reporter", at=NOW)
    officer = AlertAcknowledged(alert_id=ALERT, by="officer", at=NOW)
    view = _fold(alert_raised(1), By(own, recorded_at=at(hours=2)), By(officer, recorded_at=at(hours=1)))
    assert view.alerts[ALERT].stopped_at(self_ack=False) == at(hours=1)
    assert view.alerts[ALERT].stopped_at(self_ack=True) == at(hours=2)
    assert _fold(alert_raised(1), own).alerts[ALERT].stopped_at(self_ack=False) is None


def test_a_hit_names_the_holds_that_it_causes() -> None:
    hit = stopping_rule_triggered(actions=["HOLD_SESSIONS", "HOLD_ENROLMENT"])
    known = _fold(hit).hits[hit.hit_id]
    assert known.hold_ids == (derived_id(hit.hit_id, "HOLD_SESSIONS"), derived_id(hit.hit_id, "HOLD_ENROLMENT"))


def test_alerts_are_in_the_order_of_their_numbers_whatever_happened_to_them_since() -> None:
    ids = [UUID(int=number) for number in range(300, 0, -1)]
    raised = [alert_raised(number, alertId=str(one)) for number, one in enumerate(ids, start=1)]
    view = _fold(*raised, *(alert_escalated(1, alert_id=one) for one in reversed(ids)))
    assert list(view.alerts) == ids
    assert [alert.raised.alert_seq for alert in view.alerts.values()] == list(range(1, 301))


@pytest.mark.parametrize("event", [alert_escalated(), SENT, AlertAcknowledged(alert_id=ALERT, by="u", at=NOW)])
def test_what_follows_an_alert_that_is_not_there_cannot_be_understood(event: Event) -> None:
    with pytest.raises(InvalidPayload, match="no alert"):
        _fold(event)
