"""How the safety process is, told each second: silence must never look like peace."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from aiokafka import TopicPartition

from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import Health, gauge
from hepatrail_projections.completeness import Completeness
from hepatrail_projections.meta import SafetyStatus
from hepatrail_projections.tail import Tail
from hepatrail_services.safety.catching_up import FOLLOWED
from hepatrail_services.safety.ledger import Ledger
from hepatrail_services.safety.reactor import Reactor
from hepatrail_services.safety.scheduler import Scheduler
from hepatrail_services.safety.sending import Sender

_EVERY = 1.0
_UNANSWERED_SECONDS = 10.0
_MAX_DETAIL = 500

WAITING = gauge("safety_command_waiting_seconds", "How long the oldest command has been waiting for its answer")
STREAMS_HELD = gauge("safety_held_streams", "Participants' streams that wait")


class Reporter:
    """Follows how far the process is and writes its row each second; `tail` is set while one is followed."""

    def __init__(
        self,
        ledger: Ledger,
        reactor: Reactor,
        sender: Sender,
        scheduler: Scheduler,
        clock: Clock,
        earlier: SafetyStatus | None,
    ) -> None:
        """`earlier` is the row that was written last: what it says was done stays true until more is."""
        self.tail: Tail | None = None
        self.read_to: Mapping[TopicPartition, datetime] = {}
        """Of each partition, as far as known: until when everything recorded is worked in."""
        self._ledger = ledger
        self._reactor = reactor
        self._sender = sender
        self._scheduler = scheduler
        self._clock = clock
        self._completeness = Completeness(clock)
        self._processed_to = None if earlier is None else earlier.processed_to
        self._scheduled_to = None if earlier is None else earlier.scheduled_to

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
        self._completeness, self.read_to = Completeness(self._clock), {}
        self.tail = tail

    @property
    def working(self) -> bool:
        """Whether the tail is followed and commands are answered."""
        return self.tail is not None and self.tail.complete and self._sender.waiting() < _UNANSWERED_SECONDS

    @property
    def read_whole(self) -> bool:
        """Whether it is known of every partition until when it is read."""
        return self.read_to.keys() >= set(FOLLOWED)

    def status(self, processed_to: datetime) -> SafetyStatus:
        """The row as it must be now; healthy only when nobody is held.

        Before the first round of the scheduler nothing was done since what the earlier row says.
        """
        desk, held = self._reactor.commons.desk, self._reactor.held
        return SafetyStatus(
            desk_alert_seq=desk.alert_seq,
            desk_version=desk.version,
            processed_to=processed_to,
            scheduled_to=self._scheduled_to or processed_to,
            safety_healthy=self.working and not held,
            scheduler_healthy=self._scheduler.trouble() is None,
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
                "scheduled_to": self._scheduled_to,
                "held": [each.json() for each in self._reactor.held.values()],
                "desk": desk.version,
                "alert_seq": desk.alert_seq,
                "why": self._detail(),
            },
        )

    def _observe(self) -> None:
        WAITING.set(self._sender.waiting())
        STREAMS_HELD.set(len(self._reactor.held))
        self._scheduled_to = _later(self._scheduled_to, self._scheduler.scheduled_to)
        if self.tail is None:
            return
        self._completeness.observe(self.tail.seen, self._reactor.next_offsets)
        self.read_to = self._completeness.complete_to()
        if self.read_whole:
            self._processed_to = _later(self._processed_to, min(self.read_to.values()))

    def _detail(self) -> str | None:
        """Why it is not healthy, in one sentence; None when it is."""
        held = self._reactor.held
        if self.tail is None or not self.tail.complete:
            return "The log is not followed yet."
        if self._sender.waiting() >= _UNANSWERED_SECONDS:
            return f"A command has not been answered for {self._sender.waiting():.0f} s."
        if held:
            names = ", ".join(f"{each.stream} ({each.kind}: {each.code})" for each in held.values())
            return f"Streams wait: {names}"[:_MAX_DETAIL]
        trouble = self._scheduler.trouble()
        return None if trouble is None else trouble[:_MAX_DETAIL]


def _later(before: datetime | None, moment: datetime | None) -> datetime | None:
    if before is None or moment is None:
        return before if moment is None else moment
    return max(before, moment)
