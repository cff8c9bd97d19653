"""What a decider remembers of a partition: its streams, folded, and what was answered to which command id.

Everything here can be had again from the log; positions and contents move together, so that reading on from the
positions is always right, whatever became of the last transaction.
"""

import logging
from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, Recorded, parse_object, read
from hepatrail_events.decisions import Decision
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidEnvelope, InvalidMessage, InvalidPayload, StartRefused
from hepatrail_events.streams import NEVER_PARKED, is_stream
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_infra.kafka_log import Record, partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_services.decider import metrics
from hepatrail_services.decider.halted import Halted
from hepatrail_services.decider.rules import Rules

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parked:
    """Where a stream became unreadable, and why."""

    place: Place
    code: str
    reason: str


_NO_EVENT = Link()


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream at the end of what was read: the rules' state, the last link of the chain, the last recordedat.

    `other_end` is a second link that the next event may follow: after a record was passed over, nobody can know
    whether the writer counted it.
    """

    state: Any
    link: Link = _NO_EVENT
    recorded_at: datetime | None = None
    other_end: Link | None = None
    parked: Parked | None = None


class Folder:
    """Folds events into stream states, under one set of rules, one clock label and the releases known so far."""

    def __init__(self, rules: Rules, clock_label: str, releases: Set[Place]) -> None:
        self._rules = rules
        self._clock_label = clock_label
        self._releases = releases

    def initial(self, stream: str) -> StreamState:
        """A stream without events."""
        return StreamState(self._rules.initial(stream))

    def released(self, place: Place) -> bool:
        """Whether a record is to be passed over."""
        return place in self._releases

    def fold(self, stream: str, before: StreamState, place: Place, value: bytes | None) -> StreamState:
        """The stream after the record at `place`; parked when it cannot be read, and then unchanged for good.

        Raises Halted instead for the two streams that are never parked, StartRefused under another clock.
        """
        if before.parked is not None:
            return before
        if self.released(place):
            return passed_over(before, stream, value)
        try:
            return self._follow(stream, before, value)
        except InvalidMessage as error:
            return park(stream, before, place, error)

    def _follow(self, stream: str, before: StreamState, value: bytes | None) -> StreamState:
        recorded = read(value or b"")
        envelope = recorded.envelope
        if envelope.stream != stream:
            raise InvalidEnvelope(f"the record's key is {stream}, its subject {envelope.stream[:80]}")
        if (envelope.streamseq, recorded.hash) == (before.link.streamseq, before.link.hash):
            return before
        self._check_clock(envelope)
        link = _next_link(before, recorded)
        try:
            state = self._rules.evolve(before.state, recorded)
        # A bug in the rules must stop this stream only.
        except Exception as error:
            raise InvalidPayload(f"{envelope.type}: folding it failed: {type(error).__name__}") from error
        return StreamState(state, link, envelope.recordedat)

    def _check_clock(self, envelope: Envelope) -> None:
        label = clock_label(envelope.producer)
        if label != self._clock_label:
            raise StartRefused(
                f"This log was written under {_clock(label)}, but the process runs under {_clock(self._clock_label)}: "
                "a log never mixes the two."
            )


def clock_label(producer: str) -> str:
    """The label of the clock that an event's `producer` names; empty for the system's."""
    return producer[producer.index("(") + 1 : -1].replace(" ", "-") if producer.endswith(")") else ""


def _clock(label: str) -> str:
    return f"the {label.replace('-', ' ')}" if label else "the system's clock"


def _next_link(before: StreamState, recorded: Recorded) -> Link:
    try:
        return before.link.follow(recorded)
    except InvalidMessage:
        if before.other_end is None:
            raise
        return before.other_end.follow(recorded)


def park(stream: str, before: StreamState, place: Place, error: InvalidMessage) -> StreamState:
    """The stream, parked at `place`; Halted when it is one without which nothing can be decided safely."""
    where = f"{place.topic}/{place.partition}@{place.offset}"
    if stream in NEVER_PARKED:
        raise Halted(f"The stream {stream} cannot be read at {where}: {error}") from error
    _log.error("stream %s parked at %s: %s", stream, where, error.code)
    return replace(before, parked=Parked(place, error.code, str(error)))


def passed_over(before: StreamState, stream: str, value: bytes | None) -> StreamState:
    """The stream after a released record.

    A record that stands in the chain (its envelope can be read and follows) was counted by its writer: the next
    event follows its hash. Anything else was not; but the other reading is accepted too.
    """
    skipped = Link(before.link.streamseq + 1, sha256_hex(value or b""))
    if _stands_in_chain(before, stream, value):
        return replace(before, link=skipped, other_end=before.link)
    return replace(before, other_end=skipped)


def _stands_in_chain(before: StreamState, stream: str, value: bytes | None) -> bool:
    try:
        envelope = Envelope.from_json(parse_object(value or b""))
    except InvalidMessage:
        return False
    return (envelope.stream, envelope.streamseq, envelope.prevhash) == (
        stream,
        before.link.streamseq + 1,
        before.link.hash,
    )


class PartitionMemory:
    """The streams and answers of one partition, and the offsets up to which its two topics were folded."""

    def __init__(self, partition: int, folder: Folder) -> None:
        self.partition = partition
        self.streams: dict[str, StreamState] = {}
        self.answers: dict[str, dict[bytes, bytes]] = {}
        self.positions: dict[TopicPartition, int | None] = {
            TopicPartition(EVENTS, partition): None,
            TopicPartition(DECISIONS, partition): None,
        }
        self._folder = folder

    def stream(self, name: str) -> StreamState:
        """The stream as far as it was read."""
        found = self.streams.get(name)
        return self._folder.initial(name) if found is None else found

    def answer(self, stream: str, command_id: UUID) -> Decision | None:
        """The binding decision on a command id, without the body of a rejected command."""
        raw = self.answers.get(stream, {}).get(command_id.bytes)
        return None if raw is None else Decision.read(raw)

    def remember(self, decision: Decision) -> None:
        """Keeps a decision when it binds and is the first for its id."""
        if decision.binds:
            kept = decision if decision.input is None else decision.model_copy(update={"input": None})
            self.answers.setdefault(decision.stream, {}).setdefault(decision.commandid.bytes, kept.raw())

    def parked(self) -> dict[str, Parked]:
        """The streams that cannot be folded."""
        return {name: stream.parked for name, stream in self.streams.items() if stream.parked is not None}

    def fold(self, record: Record) -> None:
        """Takes in one record of events or decisions."""
        place = Place(record.topic, record.partition, record.offset)
        stream = self._stream_of(record)
        if stream is None:
            # It can belong to no stream of this partition; were it missing in one, the gap would show there.
            metrics.ALIEN_RECORDS.inc()
            _log.error("record without a stream of this partition at %s", place)
        elif record.topic == EVENTS:
            self.streams[stream] = self._folder.fold(stream, self.stream(stream), place, record.value)
        else:
            self._fold_decision(stream, place, record.value)

    def _fold_decision(self, stream: str, place: Place, value: bytes | None) -> None:
        if self._folder.released(place):
            return
        try:
            decision = Decision.read(value or b"")
            if decision.stream != stream:
                raise InvalidEnvelope(f"the record's key is {stream}, its stream {decision.stream[:80]}")
        except InvalidMessage as error:
            # Without this answer a command could be decided twice.
            self.streams[stream] = park(stream, self.stream(stream), place, error)
        else:
            self.remember(decision)

    def _stream_of(self, record: Record) -> str | None:
        try:
            name = (record.key or b"").decode("ascii")
        except UnicodeDecodeError:
            return None
        foreign = record.topic == EVENTS and partition_of(name) != self.partition
        return name if is_stream(name) and not foreign else None
