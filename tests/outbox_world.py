"""An outbox between a desk and channels that may fail."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from hepatrail_infra.clock import SystemClock
from hepatrail_services.notifying.notice import Notice
from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.outbox import Outbox
from notifying_world import DeskOfAlerts, Hours, Teller, at_work


class World:
    """A desk, its outbox, and time."""

    def __init__(self, *tellers: Teller, hours: Hours, desk: DeskOfAlerts | None = None) -> None:
        self.hours = hours
        self.desk = desk or DeskOfAlerts()
        self.outbox = Outbox(tellers, SystemClock(), waits=hours.waits)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The outbox works."""
        async with at_work(self.outbox.run(self.desk.commons, self.desk.sender())):
            yield

    def recorded(self) -> list[tuple[int, int | None, int]]:
        """Alert, level and attempt of what the desk recorded."""
        return [(each.alert_id.int, each.level, each.attempt) for each in self.desk.recorded]


def failing(times: int, failed: Undelivered, only: int | None = None) -> Callable[[Notice], Undelivered | None]:
    """Fails so many times, for one alert or all, then takes everything."""
    left = [times]

    def answer(notice: Notice) -> Undelivered | None:
        if left[0] == 0 or only not in (None, notice.data["alertSeq"]):
            return None
        left[0] -= 1
        return failed

    return answer


AWAY = Undelivered("The server is away.", retryable=True)
