"""What is to be told, from the desk's stream alone: a notice is due while its alert is open and nobody recorded it.

Decided here, because the reference leaves room:

- An alert that nobody needs to see any more, because somebody acknowledged it, is not told. So a channel that is
  switched on tells of the open alerts only, never of the past.
- `attempt` counts the tries of one process.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_events.safety_desk import NotificationChannel
from hepatrail_projections.desk_view import AlertFact, DeskView
from hepatrail_services.deciders.safety_desk import RecordNotification
from hepatrail_services.notifying.notice import Audience, audience_of

Key: TypeAlias = tuple[UUID, int | None]
"""An alert, and the level of it that is told; None: the alert itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice that is due on a channel; `level` None: of the alert itself."""

    channel: NotificationChannel
    alert: AlertFact
    level: int | None

    @property
    def key(self) -> Key:
        """What it is known by on its channel."""
        return self.alert.raised.alert_id, self.level

    def command(self, attempt: int) -> RecordNotification:
        """Records it at the desk; `attempt` is the try that succeeded."""
        alert_id = self.alert.raised.alert_id
        return RecordNotification(
            command_id=derived_id(alert_id, "notification", self.channel, self.level or 0),
            alert_id=alert_id,
            channel=self.channel,
            attempt=attempt,
            level=self.level,
        )


def deliveries_due(
    desk: DeskView, channel: NotificationChannel, tells: Callable[[Audience], bool], *, self_ack: bool
) -> tuple[Delivery, ...]:
    """What the desk does not hold as delivered on a channel, the most urgent first.

    `tells` says who is reached on it. An alert is open until an acknowledgement stops its escalation (`self_ack`: the
    reporter's own does too).
    """
    found = (each for alert in desk.alerts.values() for each in _of_alert(alert, channel, tells))
    due = [each for each in found if each.alert.stopped_at(self_ack) is None]
    return tuple(sorted(due, key=attrgetter("alert.raised.priority", "alert.raised.alert_seq")))


def _of_alert(alert: AlertFact, channel: NotificationChannel, tells: Callable[[Audience], bool]) -> Iterator[Delivery]:
    for level in (None, *(each.event.level for each in alert.escalations)):
        if (channel, level) not in alert.deliveries and tells(audience_of(level)):
            yield Delivery(channel, alert, level)
