"""What is due follows from the desk's stream alone."""

from uuid import UUID

from hepatrail_events.safety_desk import NotificationChannel, NotificationSent
from hepatrail_services.notifying.deliveries import Delivery, deliveries_due
from hepatrail_services.notifying.notice import Audience
from notifying_world import DeskOfAlerts

EMAIL, WEBHOOK = NotificationChannel.EMAIL, NotificationChannel.WEBHOOK


def due(
    desk: DeskOfAlerts, channel: NotificationChannel = EMAIL, *, without: Audience | None = None, self_ack: bool = False
) -> list[tuple[int, int | None]]:
    found = deliveries_due(desk.commons.desk, channel, lambda audience: audience is not without, self_ack=self_ack)
    return [(each.alert.raised.alert_seq, each.level) for each in found]


def sent(desk: DeskOfAlerts, alert_id: UUID, level: int | None = None) -> None:
    desk.put(NotificationSent(alert_id=alert_id, channel=EMAIL, attempt=1, level=level))


def test_an_alert_is_due_until_its_delivery_is_recorded() -> None:
    desk = DeskOfAlerts()
    alert = desk.raise_alert(1)
    assert due(desk) == due(desk, WEBHOOK) == [(1, None)]
    sent(desk, alert)
    assert due(desk) == []
    assert due(desk, WEBHOOK) == [(1, None)]


def test_each_level_that_fired_is_due_once() -> None:
    desk = DeskOfAlerts()
    alert = desk.raise_alert(1)
    desk.escalate(alert, 1)
    desk.escalate(alert, 2)
    assert due(desk) == [(1, None), (1, 1), (1, 2)]
    sent(desk, alert, 1)
    assert due(desk) == [(1, None), (1, 2)]


def test_nothing_is_due_of_an_alert_that_somebody_acknowledged() -> None:
    desk = DeskOfAlerts()
    alert = desk.raise_alert(1)
    desk.escalate(alert, 1)
    desk.acknowledge(alert)
    assert due(desk) == []


def test_the_reporters_own_acknowledgement_ends_it_only_where_the_protocol_says_so() -> None:
    desk = DeskOfAlerts()
    desk.acknowledge(desk.raise_alert(1, reporterId="reporter"), by="reporter")
    assert due(desk) == [(1, None)]
    assert due(desk, self_ack=True) == []


def test_a_channel_that_is_switched_on_tells_of_the_open_alerts_only() -> None:
    desk = DeskOfAlerts()
    for number in range(1, 9):
        alert = desk.raise_alert(number)
        if number % 4:
            desk.acknowledge(alert)
    assert due(desk, WEBHOOK) == [(4, None), (8, None)]


def test_the_most_urgent_comes_first_then_the_oldest() -> None:
    desk = DeskOfAlerts()
    for number, priority in enumerate(("P3", "P1", "P2", "P1"), 1):
        desk.raise_alert(number, priority)
    assert due(desk) == [(2, None), (4, None), (3, None), (1, None)]


def test_a_level_that_reaches_nobody_on_a_channel_is_not_due_there() -> None:
    desk = DeskOfAlerts()
    alert = desk.raise_alert(1)
    desk.escalate(alert, 1)
    desk.escalate(alert, 2)
    assert due(desk, without=Audience.LEVEL_1) == [(1, None), (1, 2)]


def test_the_command_that_records_a_delivery_is_the_same_however_often_it_is_made() -> None:
    desk = DeskOfAlerts()
    alert = desk.raise_alert(1)
    fact = desk.commons.desk.alerts[alert]
    command = Delivery(EMAIL, fact, 2).command(7)
    assert (command.alert_id, command.channel, command.level, command.attempt) == (alert, EMAIL, 2, 7)
    ids = {
        Delivery(channel, fact, level).command(1).command_id
        for channel in NotificationChannel
        for level in (None, 1, 2, 3)
    }
    assert len(ids) == 8
    assert command.command_id == Delivery(EMAIL, fact, 2).command(1).command_id
