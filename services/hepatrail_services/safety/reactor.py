"""From records to accepted commands: every participant's stream in order, all streams side by side.

A commit counts as done when the desk has accepted all that time raised before it and all that follows from it; only
then the offset moves. A stream that cannot go on, because an event is unreadable or the desk rejects a command, is held
where it stands, and the others go on.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded
from hepatrail_events.decisions import NOT_BINDING
from hepatrail_events.errors import InvalidMessage, InvalidPayload
from hepatrail_events.streams import NEVER_PARKED
from hepatrail_events.study import HoldPlaced
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_infra.telemetry import counter
from hepatrail_projections.records import Incoming, RawRecord
from hepatrail_services.command import Command
from hepatrail_services.decider.halted import Halted
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.following import Step, Stream, commits, known, work_in
from hepatrail_services.safety.holds import sessions_under_hold
from hepatrail_services.safety.identity import raising
from hepatrail_services.safety.intake import Intake
from hepatrail_services.safety.ledger import Held, HeldKind, Ledger, ReadTo, differing
from hepatrail_services.safety.passing import Around, Passage, before_commit, in_force, just_before, own_commands
from hepatrail_services.safety.react import unreadable
from hepatrail_services.safety.sending import CommandRefused, Sender
from hepatrail_services.safety.timers import TimerMemory

_log = logging.getLogger(__name__)
_MAX_REASON = 1_000

RECORDS = counter("safety_records", "Records of the log that the safety process has worked in")
ALIEN_RECORDS = counter("safety_alien_records", "Records of the log that belong to no stream of their partition")
HELD = counter("safety_held", "Times a participant's stream had to be held", ["kind"])


class Reactor:
    """Works records in, in the order of each partition. Not for two tasks at once; any error leaves it unusable."""

    def __init__(
        self,
        ledger: Ledger,
        sender: Sender,
        clock: Clock,
        commons: Commons,
        read_to: Mapping[int, ReadTo],
        held: Mapping[str, Held],
    ) -> None:
        """`read_to` and `held` are what the ledger says."""
        self.commons = commons
        self.intake = Intake(commons)
        self.timers = TimerMemory()
        self.held: dict[str, Held] = {}
        self.next_offsets: dict[TopicPartition, int] = {}
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._read_to = dict(read_to)
        self._in_table = dict(held)
        self._resume = dict(held)
        self._streams: dict[str, Stream] = {}

    async def take(self, records: Iterable[RawRecord]) -> None:
        """Works in what forms whole commits and waits until the desk has accepted all that follows.

        Raises Halted when study or desk cannot be read, and what ledger and desk raise.
        """
        admitted = self.intake.admit(records)
        by_stream: dict[str, list[Incoming]] = {}
        for event in admitted.events:
            if event.stream is None:
                ALIEN_RECORDS.inc()
                _log.error("a record without a stream of this partition stands at %s", event.place)
            elif event.stream not in NEVER_PARKED:
                by_stream.setdefault(event.stream, []).append(event)
        await side_by_side([self._follow(stream, each) for stream, each in by_stream.items()])
        await self._free(admitted.freed)
        await self._react_to_holds(admitted.events)
        if admitted.quarantine_read is not None:
            self.next_offsets[TopicPartition(QUARANTINE, 0)] = admitted.quarantine_read + 1
        await self._advance({event.place.partition: event for event in admitted.events})
        RECORDS.inc(len(admitted.events))

    @property
    def participants(self) -> Iterable[Stream]:
        """Every participant's stream as far as it was reacted to, held ones included."""
        return self._streams.values()

    async def retry_halted(self) -> None:
        """Sends the commands again that the desk rejected for a reason which may pass."""
        passing = [held.stream for held in self.held.values() if _may_pass(held)]
        await side_by_side([self._retry(stream) for stream in passing])
        await self._advance({})

    def caught_up(self) -> None:
        """The log was read past everything that was reacted to; another reader goes on from `next_offsets`.

        What waited when the process ended has been reacted to now, or is held again.
        """
        self.intake.change_source()
        for name, resumed in list(self._resume.items()):
            reached = self.next_offsets.get(TopicPartition(EVENTS, resumed.partition), 0)
            if not self._new(Place(EVENTS, resumed.partition, reached)):
                continue
            del self._resume[name]

    async def _free(self, places: frozenset[Place]) -> None:
        """Goes on with the streams that these records parked."""
        freed = [each.stream for each in self.held.values() if each.kind is HeldKind.PARKED and each.place in places]
        await side_by_side([self._retry(stream) for stream in freed])

    async def _follow(self, name: str, events: list[Incoming]) -> None:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream.begin(name)
        if name in self.held:
            stream.waiting += events
        else:
            await self._work(stream, events)

    async def _retry(self, name: str) -> None:
        """Works in what waits in a held stream."""
        stream = self._streams[name]
        self._resume[name] = self.held.pop(name)
        await self._work(stream, stream.waiting)
        if name not in self.held:
            del self._resume[name]

    async def _work(self, stream: Stream, events: list[Incoming]) -> None:
        groups = list(commits(events))
        for number, commit in enumerate(groups):
            step = work_in(stream.end, stream.name, commit, self.intake.released)
            stream.waiting = [event for group in groups[number:] for event in group]
            try:
                if step.read:
                    await self._evaluate(stream, step, unreacted=self._unreacted(stream.name, commit[0].place))
            except CommandRefused as refused:
                self._resume.pop(stream.name, None)
                self._hold(stream, HeldKind.HALTED, refused.code, str(refused))
                return
            except InvalidMessage as error:
                await self._park(stream, error)
                return
            stream.end = step.after
            if step.error is not None:
                stream.waiting = stream.waiting[len(commit) - len(step.rest) :]
                await self._park(stream, step.error)
                return
        stream.waiting = []

    def _unreacted(self, name: str, place: Place) -> bool:
        """Whether a commit was not reacted to: beyond what was read, or in a stream that waited there."""
        resumed = self._resume.get(name)
        return self._new(place) or (resumed is not None and place.offset >= resumed.kafka_offset)

    def _new(self, place: Place) -> bool:
        read_to = self._read_to.get(place.partition)
        return read_to is None or place.offset >= read_to.next_offset

    async def _evaluate(self, stream: Stream, step: Step, *, unreacted: bool) -> None:
        """Finds the version that a commit stands under; of one that was not reacted to, sends all that follows."""
        if not unreacted:
            stream.applied = in_force(self.commons.study, stream.applied, step.read)
            return
        passage, own = self._commands(stream, step)
        for each in passage.said:
            await self._sender.put(each.command, None)
        for command in own:
            await self._sender.put(command, step.read[-1].envelope)
        stream.applied = passage.applied

    def _commands(self, stream: Stream, step: Step) -> tuple[Passage, tuple[Command, ...]]:
        before, after, study = known(step.before).view, known(step.after).view, self.commons.study
        around = Around(study, self.commons.desk, self._clock.now())
        try:
            timers = self.timers.of(before, study, just_before(step.read))
            passage = before_commit(before, stream.applied, timers, step.read, around)
            assert passage.applied is not None, "a commit stands under a protocol"
            return passage, own_commands(before, after, passage.applied, step.read, around)
        except InvalidMessage:
            raise
        # A bug in a rule must stop this participant only, and an officer must hear of it.
        except Exception as error:
            raise InvalidPayload(f"reacting to the commit failed: {type(error).__name__}") from error

    async def _park(self, stream: Stream, error: InvalidMessage) -> None:
        """Holds the stream before the event that cannot be read, and tells an officer."""
        place, resumed = stream.waiting[0].place, self._resume.pop(stream.name, None)
        same = resumed if resumed is not None and (resumed.kind, resumed.place) == (HeldKind.PARKED, place) else None
        held = self._hold(stream, HeldKind.PARKED, error.code, str(error), same)
        if same is None:
            # Before the alert, so that after a crash in between a second try says the same, to the millisecond.
            await self._ledger.advance((), [held])
            self._in_table[stream.name] = held
        where = f"{place.topic}/{place.partition}@{place.offset}"
        streamseq, reason = stream.end.link.streamseq + 1, f"{error.code}: {error}"
        alert = unreadable(stream.known.view, streamseq, where, reason, held.found_at)
        try:
            await self._sender.put(raising(alert), None)
        except CommandRefused as refused:
            _log.exception("the desk does not want to know that %s is unreadable", stream.name)
            self.held[stream.name] = replace(held, reason=f"{refused}; {held.reason}"[:_MAX_REASON])

    def _hold(self, stream: Stream, kind: HeldKind, code: str, reason: str, same: Held | None = None) -> Held:
        place = stream.waiting[0].place
        held = same or Held(
            stream=stream.name,
            kind=kind,
            partition=place.partition,
            kafka_offset=place.offset,
            code=code,
            reason=reason[:_MAX_REASON],
            found_at=self._clock.now(),
        )
        self.held[stream.name] = held
        HELD.labels(kind).inc()
        _log.error("%s is %s at %s: %s", stream.name, kind, place, code)
        return held

    async def _react_to_holds(self, events: Sequence[Incoming]) -> None:
        """Finds the sessions that slipped past holds which were read after them."""
        for event in events:
            content = event.content
            if not isinstance(content, Recorded) or not isinstance(content.event, HoldPlaced):
                continue
            hold = self.commons.study.holds.get(content.event.hold_id)
            if hold is None or not self._new(event.place):
                continue
            for participant in [stream.known for stream in self._streams.values()]:
                for alert in sessions_under_hold(participant.view, participant.starts, (hold,)):
                    try:
                        await self._sender.put(raising(alert), content.envelope)
                    except CommandRefused as refused:
                        raise Halted(f"The study cannot be read on: {refused}") from refused

    async def _advance(self, last: Mapping[int, Incoming]) -> None:
        changes = []
        for partition, event in last.items():
            self.next_offsets[TopicPartition(EVENTS, partition)] = event.place.offset + 1
            stored = self._read_to.get(partition)
            begin = 0 if stored is None else stored.next_offset
            if event.place.offset >= begin:
                changes.append((begin, ReadTo(partition, event.place.offset + 1, sha256_hex(event.raw))))
        now_held = {**self._resume, **self.held}
        put, free = differing(self._in_table, now_held)
        if changes or put or free:
            await self._ledger.advance(changes, put, free)
        self._read_to.update((moved.partition, moved) for _, moved in changes)
        self._in_table = now_held


def _may_pass(held: Held) -> bool:
    return held.kind is HeldKind.HALTED and held.code in NOT_BINDING


async def side_by_side(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Runs all; the first error ends the others and is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
