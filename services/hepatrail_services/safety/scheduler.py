"""The scheduler: each second asks what passing time has made due, and sends it; it holds no timers of its own.

- Escalations and the holds of stopping rules need only desk and study to be read. They go on whatever becomes of
  participants' streams.
- A participant's timers need that participant's partition and the study's to be read past the due instant: nothing is
  raised on a state that is read half. A held stream's timers go on from what was read of it; a protocol version that
  takes effect waits for the stream, because its place among the commits is not known.
- What is overdue after an outage is sent one after the other in the order of the due instants: of all levels of
  escalation, and of all participants' timers.

Decided here: a command that is rejected does not stop the others. It shows, is sent again after a while if the decision
did not bind, else at the next start; and no commit passes it, because what is due is said before a commit is reacted
to. The hold of a hit needs no offset to wait for it: desk and study are read whole at every start, and a hit whose hold
was never seen is found again from the two, so that a rejected hold shows and stops nobody.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from aiokafka import TopicPartition

from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.due import holds_due
from hepatrail_services.safety.following import Stream
from hepatrail_services.safety.passing import Around, Passage, at_the_end
from hepatrail_services.safety.rounds import Outcome, Rounds
from hepatrail_services.safety.sending import Sender
from hepatrail_services.safety.timers import LevelMemory, TimerMemory

EVERY = 1.0
"""Seconds between two rounds."""
_HOLDS_EVERY = 0.1
_RETRY_SECONDS = 30.0


class Scheduler:
    """Its three duties. `tick_participants` is called by the task that owns the streams, each second."""

    def __init__(
        self,
        commons: Commons,
        sender: Sender,
        clock: Clock,
        timers: TimerMemory,
        *,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        self._commons = commons
        self._clock = clock
        self._timers = timers
        self._levels = Rounds(sender, retry_seconds)
        self._participants = Rounds(sender, retry_seconds)
        self._holds = Rounds(sender, retry_seconds)
        self._settled: set[tuple[UUID, int]] = set()
        self._ahead = LevelMemory()

    @property
    def scheduled_to(self) -> datetime | None:
        """The instant until which everything that fell due was sent; None before the first rounds."""
        levels, participants = self._levels.done_to, self._participants.done_to
        return None if levels is None or participants is None else min(levels, participants)

    def trouble(self) -> str | None:
        """Why it is not healthy, in a sentence; None when it is."""
        duties = {"escalations": self._levels, "participants' timers": self._participants, "holds": self._holds}
        found = ((name, rounds.trouble()) for name, rounds in duties.items())
        return next((f"The scheduler's {name}: {why}" for name, why in found if why is not None), None)

    async def escalate(self) -> None:
        """Escalates each second until cancelled; begins when desk and study are read."""
        await self._commons.read.wait()
        while True:
            await self.tick_levels()
            await asyncio.sleep(EVERY)

    async def place_holds(self) -> None:
        """Places the holds of hits until cancelled; begins when desk and study are read."""
        await self._commons.read.wait()
        while True:
            await self.tick_holds()
            await asyncio.sleep(_HOLDS_EVERY)

    async def tick_levels(self) -> None:
        """Sends the levels whose time has come; a level of an alert waits for the one before.

        One that the desk rules out was acknowledged in time (DSK-03): it is settled.
        """
        now, stopped = self._clock.now(), set[UUID]()
        with self._levels.round(now):
            for level in self._ahead.due(self._commons.desk, self._commons.study, now, self._settled):
                if level.alert_id in stopped:
                    continue
                match await self._levels.send(level.command(now)):
                    case Outcome.RULED_OUT:
                        self._settled.add((level.alert_id, level.level))
                    case Outcome.REFUSED:
                        stopped.add(level.alert_id)
                    case Outcome.DONE:
                        pass

    async def tick_participants(self, streams: Iterable[Stream], read_to: Mapping[TopicPartition, datetime]) -> None:
        """Sends what time has raised of participants, across all of them in the order of time.

        `read_to` says of every partition until when all that was recorded is read. A protocol version counts as
        applied when everything that follows from it is accepted.
        """
        now = self._clock.now()
        around = Around(self._commons.study, self._commons.desk, now)
        with self._participants.round(min(now, *read_to.values())):
            passages = [
                (stream, passage)
                for stream in streams
                if (passage := self._passage(stream, _reached(stream.name, read_to, now), around)) is not None
            ]
            said = [(each.at, stream.name, each.command) for stream, passage in passages for each in passage.said]
            refused = set[str]()
            for _, name, command in sorted(said, key=itemgetter(0)):
                if await self._participants.send(command) is not Outcome.DONE:
                    refused.add(name)
            for stream, passage in passages:
                if stream.name not in refused:
                    stream.applied = passage.applied

    async def tick_holds(self) -> None:
        """Places the holds that hits of stopping rules demand."""
        with self._holds.round(self._clock.now()):
            for command in holds_due(self._commons.desk, self._commons.study):
                await self._holds.send(command)

    def _passage(self, stream: Stream, until: datetime, around: Around) -> Passage | None:
        """What passed at the end of a stream; None, and it shows, when working it out failed by a bug."""
        view = stream.known.view
        try:
            timers = self._timers.of(view, around.study, until)
            return at_the_end(view, stream.applied, timers, until, around, held=bool(stream.waiting))
        # A bug in a rule must stop this participant's timers only.
        except Exception as error:  # noqa: BLE001
            self._participants.fail(stream.name, f"{stream.name}: {type(error).__name__} in its timers")
            return None


def _reached(stream: str, read_to: Mapping[TopicPartition, datetime], now: datetime) -> datetime:
    """Until when everything recorded of a participant and of the study is read."""
    return min(now, *(read_to[TopicPartition(EVENTS, partition_of(each))] for each in (stream, STUDY)))
