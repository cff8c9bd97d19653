"""How the safety process is, told each second: silence must never look like peace.

The scheduler has nothing that falls due in this version; its time is the moment of the report, so that it shows red
when the process stops.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from aiokafka import TopicPartition

from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import Health, gauge
from hepatrail_projections.completeness import Completeness
from hepatrail_projections.meta import SafetyStatus
from hepatrail_services.safety.catching_up import FOLLOWED
from hepatrail_services.safety.ledger import Ledger
from hepatrail_services.safety.raising import Raiser
from hepatrail_services.safety.reactor import Reactor
from hepatrail_services.safety.tail import Tail

_EVERY = 1.0
_UNANSWERED_SECONDS = 10.0

WAITING = gauge("safety_alert_waiting_seconds", "How long the oldest alert has been waiting for the desk")
STREAMS_HELD = gauge("safety_held_streams", "Participants' streams that wait")


class Reporter:
    """Follows how far the process is and writes its row each second; `tail` is set while one is followed."""

    def __init__(
        self, ledger: Ledger, reactor: Reactor, raiser: Raiser, clock: Clock, earlier: SafetyStatus | None
    ) -> None:
        """`earlier` is the row that was written last."""
        self.tail: Tail | None = None
        self._ledger = ledger
        self._reactor = reactor
        self._raiser = raiser
        self._clock = clock
        self._completeness = Completeness(clock)
        self._processed_to = None if earlier is None else earlier.processed_to

    async def run(self) -> None:
        """Reports until cancelled; raises Unavailable when Postgres is away."""
        while True:
            self._observe()
            # Before the tail was followed for the first time there is nothing true to say.
            if self._processed_to is not None:
                await self._ledger.report(self.status(self._processed_to))
            await asyncio.sleep(_EVERY)

    def follow(self, tail: Tail) -> None:
        """A tail is followed from now on."""
        self._completeness = Completeness(self._clock)
        self.tail = tail

    @property
    def working(self) -> bool:
        """Whether the tail is followed and the desk answers."""
        return self.tail is not None and self.tail.complete and self._raiser.waiting() < _UNANSWERED_SECONDS

    def status(self, processed_to: datetime) -> SafetyStatus:
        """The row as it must be now; healthy only when nobody is held."""
        desk, held = self._reactor.commons.desk, self._reactor.held
        return SafetyStatus(
            desk_alert_seq=desk.alert_seq,
            desk_version=desk.version,
            processed_to=processed_to,
            scheduled_to=self._clock.now(),
            safety_healthy=self.working and not held,
            scheduler_healthy=True,
            parked=[each.json() for each in held.values()],
            detail=self._detail(),
        )

    def health(self) -> Health:
        """The health page: whether the process does its work; who is held is told beside it."""
        desk = self._reactor.commons.desk
        return Health(
            self.working,
            {
                "processed_to": self._processed_to,
                "held": [each.json() for each in self._reactor.held.values()],
                "desk": desk.version,
                "alert_seq": desk.alert_seq,
                "why": self._detail(),
            },
        )

    def _observe(self) -> None:
        WAITING.set(self._raiser.waiting())
        STREAMS_HELD.set(len(self._reactor.held))
        if self.tail is None:
            return
        self._completeness.observe(self.tail.seen, self._reactor.next_offsets)
        moments: Mapping[TopicPartition, datetime] = self._completeness.complete_to()
        if moments.keys() >= set(FOLLOWED):
            moment = min(moments.values())
            self._processed_to = moment if self._processed_to is None else max(self._processed_to, moment)

    def _detail(self) -> str | None:
        """Why it is not healthy, in one sentence; None when it is."""
        held = self._reactor.held
        if self.tail is None or not self.tail.complete:
            return "The log is not followed yet."
        if self._raiser.waiting() >= _UNANSWERED_SECONDS:
            return f"The desk has not answered for {self._raiser.waiting():.0f} s."
        if held:
            names = ", ".join(f"{each.stream} ({each.kind}: {each.code})" for each in held.values())
            return f"Streams wait: {names}"[:500]
        return None
