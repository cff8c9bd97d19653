"""When safety itself does not work, another process says so on the same channels: silence must never look like peace.

Decided here, because the reference leaves room:

- An episode begins when safety has not been healthy for 30 s without a break, and ends when it has been for 30 s. Each
  channel is told of its begin, each hour that it goes on, and of its end if it was told of its begin.
- Of several processes one tells, by `turn.py`. Nothing is kept: a process that starts in the middle of an episode, or
  takes the turn over, tells of it anew.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence

from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import counter, gauge
from hepatrail_services.notifying.episode import Course, Episode, Kind, Told, observed, outage_notice, owed
from hepatrail_services.notifying.notice import Audience
from hepatrail_services.notifying.notifier import Notifier, Undelivered
from hepatrail_services.notifying.pacing import Pacing, Waits

_log = logging.getLogger(__name__)
_LOOK_EVERY = 1.0
_PATIENCE = 5.0
_NO_ANSWER = "Nobody can say how it is: the question is not answered."

TOLD = counter("outage_notices", "Tries to say how safety is, and what became of them", ["channel", "outcome"])
OUTAGE = gauge("outage", "1 while safety has not worked for half a minute, as this process sees it")

Check = Callable[[], Awaitable[str | None]]
"""Why safety does not work, in a sentence without identifying text; None when it works."""


class OutageWatch:
    """Looks each second whether safety works, and tells who must know when it does not."""

    def __init__(
        self,
        check: Check,
        notifiers: Sequence[Notifier],
        turn: Callable[[], Awaitable[bool]],
        clock: Clock,
        *,
        link: str | None = None,
        pacing: Pacing | None = None,
        waits: Waits | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        """`turn` says whether it is this process that tells; `patience` are the seconds that `check` may take."""
        self._check = check
        self._turn = turn
        self._clock = clock
        self._waits = waits or Waits()
        self._patience = patience
        self._course = Course()
        self._asked: asyncio.Task[str | None] | None = None
        pace = pacing or Pacing()
        self._tellers = [_Teller(each, link, pace, self._waits) for each in notifiers if each.tells(Audience.OUTAGE)]

    async def run(self) -> None:
        """Works until cancelled, whatever is away."""
        work = [self._look(), *(self._tell(each) for each in self._tellers)]
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            # A question that hangs would hang on being cancelled too.
            if self._asked is not None:
                self._asked.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _look(self) -> None:
        while True:
            trouble = await self._ask()
            before, self._course = self._course, observed(self._course, trouble, self._clock.now(), self._waits.now())
            if (before.episode is None) != (self._course.episode is None):
                _log.error("safety: %s", trouble or "it works again")
            OUTAGE.set(self._course.episode is not None)
            await self._waits.sleep(_LOOK_EVERY)

    async def _ask(self) -> str | None:
        """What the check says; one that hangs is not asked again beside it, and is no good sign."""
        asked = self._asked = self._asked or asyncio.ensure_future(self._check())
        await asyncio.wait([asked], timeout=self._patience)
        if not asked.done():
            return _NO_ANSWER
        self._asked = None
        return asked.result()

    async def _tell(self, teller: "_Teller") -> None:
        while True:
            due = teller.owes(self._course.episode)
            # Who told that it began tells of its end too, whoever's turn it is by then.
            if due is not None and (due[0] is Kind.OVER or await self._turn()):
                await teller.tell(*due, self._clock)
            await self._waits.sleep(_LOOK_EVERY)


class _Teller:
    """One channel: what it was told, and how it goes."""

    def __init__(self, notifier: Notifier, link: str | None, pacing: Pacing, waits: Waits) -> None:
        self._notifier = notifier
        self._link = link
        self._pacing = pacing
        self._waits = waits
        self._told: Told | None = None
        self._failures = 0
        self._again_at = -math.inf

    def owes(self, episode: Episode | None) -> tuple[Kind, Episode] | None:
        """What is to be told now; None also while a try that failed is too recent."""
        now = self._waits.now()
        return None if now < self._again_at else owed(episode, self._told, now)

    async def tell(self, kind: Kind, episode: Episode, clock: Clock) -> None:
        """One try."""
        times = 0 if self._told is None or self._told.episode.id != episode.id else self._told.times
        try:
            await self._notifier.send(outage_notice(kind, episode, times, clock.now(), self._link))
        except Undelivered as failed:
            self._failures += 1
            self._again_at = self._waits.now() + self._pacing.pause(self._failures, failed, self._waits.chance())
            TOLD.labels(self._notifier.channel, "failed").inc()
            _log.error("%s was not told of the outage (%s): %s", self._notifier.channel, kind, failed)
            return
        TOLD.labels(self._notifier.channel, "delivered").inc()
        self._failures = 0
        self._told = None if kind is Kind.OVER else Told(episode, self._waits.now(), times + 1)
