"""The desk's stream folds whole: alerts, who saw them, who was told, what was hit."""

import pytest

from builders import ALERT, NOW, alert_escalated, alert_raised, at, stopping_rule_triggered
from hepatrail_events.errors import InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import AlertAcknowledged, NotificationChannel, NotificationSent
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_projections.desk_view import EMPTY_DESK, DeskView, fold_desk
from specification import By, recorded

SENT = NotificationSent(alert_id=ALERT, channel=NotificationChannel.EMAIL, attempt=1)


def _fold(*events: Event) -> DeskView:
    view = EMPTY_DESK
    for number, event in enumerate(events, start=1):
        view = fold_desk(view, recorded(SAFETY_DESK, number, By(event)))
    return view


def test_every_event_of_the_desk_is_folded() -> None:
    acknowledged = AlertAcknowledged(alert_id=ALERT, by="officer", at=at(minutes=5))
    second = alert_escalated(2, late=True)
    view = _fold(alert_raised(1), alert_escalated(1), SENT, second, acknowledged, stopping_rule_triggered())
    alert = view.alerts[ALERT]
    assert alert.escalations == (alert_escalated(1), second)
    assert [each.event for each in alert.acknowledgements] == [acknowledged]
    assert (view.version, view.alert_seq, view.recorded_at) == (6, 1, NOW)


@pytest.mark.parametrize("event", [alert_escalated(), SENT, AlertAcknowledged(alert_id=ALERT, by="u", at=NOW)])
def test_what_follows_an_alert_that_is_not_there_cannot_be_understood(event: Event) -> None:
    with pytest.raises(InvalidPayload, match="no alert"):
        _fold(event)
