"""The outbox: delivers what the desk does not hold as delivered, and has the desk record it.

Whoever starts from nothing reads the same stream and finds the same left to do. At least once: who is cut off between
delivery and record delivers again, under the same id.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from hepatrail_infra.clock import Clock
from hepatrail_services.notifying.channel import Channel
from hepatrail_services.notifying.notifier import Notifier
from hepatrail_services.notifying.pacing import Pacing, Waits
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.sending import Sender


class Outbox:
    """Delivers what is due; outlives the runs of the safety process, and knows what it has delivered."""

    def __init__(
        self,
        notifiers: Sequence[Notifier],
        clock: Clock,
        *,
        link: str | None = None,
        pacing: Pacing | None = None,
        waits: Waits | None = None,
    ) -> None:
        """`link` stands in every notice: where people look."""
        self._channels = [Channel(each, clock, link, pacing or Pacing(), waits or Waits()) for each in notifiers]

    async def run(self, commons: Commons, sender: Sender) -> None:
        """Works until cancelled; begins with a desk that is read to its end. No channel waits for another."""
        work = [part for each in self._channels for part in (each.deliver(commons), each.record(sender))]
        if not work:
            await asyncio.Event().wait()
        tasks = [asyncio.create_task(part) for part in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def detail(self) -> dict[str, Any]:
        """For the health page: of each channel how many notices wait, and why the last try failed, if it did."""
        return {each.notifier.channel.value: each.detail() for each in self._channels}
