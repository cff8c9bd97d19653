"""One channel of the outbox at work: what it tries next, how long it waits, what it has delivered."""

import logging
import math
from dataclasses import dataclass
from typing import Any

from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import counter, gauge
from hepatrail_services.notifying.deliveries import Delivery, Key, deliveries_due
from hepatrail_services.notifying.notice import alert_notice
from hepatrail_services.notifying.notifier import Notifier, Undelivered
from hepatrail_services.notifying.pacing import Pacing, Waits
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.sending import CommandRefused, Sender

_log = logging.getLogger(__name__)
_PAUSE = 0.2
_LOOK_EVERY = 0.1
"""Seconds in which what is due is worked out at most once, however fast the desk grows."""

NOTICES = counter("notices", "Tries to deliver a notice, and what became of them", ["channel", "outcome"])
WAITING = gauge("notices_waiting", "Notices that are due and not delivered", ["channel"])


@dataclass(slots=True)
class _Setback:
    """What went wrong with a notice.

    `failures` are those since the channel last worked, `suspicions` how often it was the first to fail on a channel
    that did: it may be the notice on which the other side breaks.
    """

    tries: int = 0
    failures: int = 0
    suspicions: int = 0
    again_at: float = -math.inf
    why: str | None = None


_PATIENCE = 2
"""So many suspicions cast no doubt on a notice: whoever was on the way when the other side went away has one."""


@dataclass(slots=True)
class _Made:
    """A delivery that the desk has not recorded yet."""

    delivery: Delivery
    attempt: int
    again_at: float = -math.inf


class Channel:
    """One channel at work: one notice at a time, the most urgent first.

    While the other side is away one after the other knocks, so that none on which it breaks keeps out the rest.
    """

    def __init__(self, notifier: Notifier, clock: Clock, link: str | None, pacing: Pacing, waits: Waits) -> None:
        self.notifier = notifier
        self._clock = clock
        self._link = link
        self._pacing = pacing
        self._waits = waits
        self._basis: tuple[object, ...] = ()
        self._looked_at = -math.inf
        self._due: dict[Key, Delivery] = {}
        self._setbacks: dict[Key, _Setback] = {}
        self._closed_until = -math.inf
        self._failed_in_a_row = 0
        self._why: str | None = None
        self._delivered: set[Key] = set()
        self._unrecorded: dict[Key, _Made] = {}

    async def deliver(self, commons: Commons) -> None:
        """Sends whatever is due, until cancelled."""
        while True:
            delivery = self._next(commons)
            if delivery is None:
                await self._waits.sleep(_PAUSE)
            else:
                await self._try(delivery)

    async def record(self, sender: Sender) -> None:
        """Has the desk record what was delivered, until cancelled; a desk that is away does not hold up deliveries."""
        while True:
            for key, made in list(self._unrecorded.items()):
                if made.again_at > self._waits.now():
                    continue
                try:
                    await sender.put(made.delivery.command(made.attempt), made.delivery.alert.envelope)
                except CommandRefused as refused:
                    # It is delivered all the same, and not again by this process: what is missing is the fact.
                    _log.error("a delivery could not be recorded: %s", refused)
                    made.again_at = self._waits.now() + self._pacing.refused
                else:
                    del self._unrecorded[key]
            await self._waits.sleep(_PAUSE)

    def detail(self) -> dict[str, Any]:
        """How many notices wait to be delivered and how many deliveries to be recorded; why one waits."""
        why = self._why or next((each.why for each in self._setbacks.values()), None)
        return {"waiting": len(self._due), "unrecorded": len(self._unrecorded), "why": why if self._due else None}

    def _next(self, commons: Commons) -> Delivery | None:
        """What to try now; None while there is nothing, or it must wait."""
        now = self._waits.now()
        self._look(commons, now)
        if now < self._closed_until:
            return None
        ready = (key for key in self._due if key not in self._setbacks or self._setbacks[key].again_at <= now)
        key = min(ready, key=self._doubts, default=None)
        return None if key is None else self._due[key]

    def _doubts(self, key: Key) -> tuple[int, int]:
        """How far a notice comes behind more urgent and less urgent ones; usually not at all."""
        setback = self._setbacks.get(key)
        return (0, 0) if setback is None else (setback.failures, max(0, setback.suspicions - _PATIENCE))

    def _look(self, commons: Commons, now: float) -> None:
        """Works out again what is due, where something changed."""
        published = commons.study.published_at(self._clock.now())
        self_ack = published is not None and published.protocol.self_ack
        basis = (commons.desk.version, self_ack)
        if basis == self._basis or now - self._looked_at < _LOOK_EVERY:
            return
        self._basis, self._looked_at = basis, now
        due = deliveries_due(commons.desk, self.notifier.channel, self.notifier.tells, self_ack=self_ack)
        # The desk shows a record a moment after it was made.
        self._due = {each.key: each for each in due if each.key not in self._delivered}
        self._setbacks = {key: setback for key, setback in self._setbacks.items() if key in self._due}
        self._count()

    async def _try(self, delivery: Delivery) -> None:
        try:
            await self.notifier.send(alert_notice(delivery.alert, delivery.level, self._link))
        except Undelivered as failed:
            self._put_off(delivery, failed)
        else:
            self._take_note(delivery)

    def _take_note(self, delivery: Delivery) -> None:
        """It is delivered, and the channel works."""
        key = delivery.key
        setback = self._setbacks.pop(key, None)
        self._unrecorded[key] = _Made(delivery, 1 if setback is None else setback.tries + 1)
        self._delivered.add(key)
        self._due.pop(key, None)
        self._failed_in_a_row, self._why = 0, None
        for each in self._setbacks.values():
            each.failures = 0
        NOTICES.labels(self.notifier.channel, "delivered").inc()
        self._count()

    def _put_off(self, delivery: Delivery, failed: Undelivered) -> None:
        """One notice waits, or all of the channel."""
        setback = self._setbacks.setdefault(delivery.key, _Setback())
        setback.tries, setback.why = setback.tries + 1, str(failed)
        if failed.whole:
            setback.failures += 1
            setback.suspicions += self._failed_in_a_row == 0
            self._failed_in_a_row, self._why = self._failed_in_a_row + 1, str(failed)
            pause = self._pacing.pause(self._failed_in_a_row, failed, self._waits.chance())
            self._closed_until = self._waits.now() + pause
        else:
            pause = self._pacing.pause(setback.tries, failed, self._waits.chance())
            setback.again_at = self._waits.now() + pause
        self._tell(delivery, failed, pause)

    def _tell(self, delivery: Delivery, failed: Undelivered, pause: float) -> None:
        channel, seq = self.notifier.channel, delivery.alert.raised.alert_seq
        NOTICES.labels(channel, "failed" if failed.retryable else "refused").inc()
        urgency = logging.WARNING if failed.retryable else logging.ERROR
        _log.log(urgency, "alert %d was not told by %s, again in %.0f s: %s", seq, channel, pause, failed)

    def _count(self) -> None:
        WAITING.labels(self.notifier.channel).set(len(self._due))
