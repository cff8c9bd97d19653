"""What a transaction is made from and of: commands as read, the copy of the memory they are decided on, records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision
from hepatrail_events.errors import InvalidMessage
from hepatrail_infra.kafka_admin import COMMANDS, DECISIONS, MAX_RECORD_BYTES, QUARANTINE
from hepatrail_infra.kafka_quarantine import Quarantined, encode_raw, record_bytes
from hepatrail_services.decider.memory import PartitionMemory, StreamState
from hepatrail_services.decider.rules import Rules

MAX_COMMANDS = 500
MAX_EVENTS = 500
MAX_BYTES = 4 * MAX_RECORD_BYTES
MAX_VALUE_BYTES = MAX_RECORD_BYTES - 16 * 1024
"""Leaves room for key and headers in the largest record that is ever sent."""
MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A record of the commands topic: the message in it, or why there is none."""

    partition: int
    offset: int
    value: bytes
    message: CommandMessage | None
    error: InvalidMessage | None = None

    @classmethod
    def read(cls, partition: int, offset: int, value: bytes | None) -> "Asked":
        """Reads a record's value; never fails."""
        raw = value or b""
        try:
            return cls(partition, offset, raw, CommandMessage.read(raw))
        except InvalidMessage as error:
            return cls(partition, offset, raw, None, error)
        except RecursionError:
            return cls(partition, offset, raw, None, InvalidMessage("the value is nested too deep"))


@dataclass(frozen=True, slots=True)
class Out:
    """A record to be sent."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A command whose decision failed by a bug: its stream and who sent it."""

    stream: str
    client: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same for all commands of a batch: rules, study, instant, producer.

    `doomed` are (partition, offset) of commands whose records Kafka refused even alone.
    """

    rules: Rules
    study: Any
    study_version: int
    now: datetime
    producer: str
    doomed: frozenset[tuple[int, int]] = frozenset()


class Overlay:
    """The memory as it will be once the transaction is committed; the memory itself is untouched until `merge`."""

    def __init__(self, memories: Mapping[int, PartitionMemory]) -> None:
        self._memories = memories
        self._streams: dict[str, tuple[int, StreamState]] = {}
        self._answers: dict[tuple[str, UUID], tuple[int, Decision]] = {}

    def stream(self, partition: int, name: str) -> StreamState:
        """The stream after the commands decided so far."""
        changed = self._streams.get(name)
        return self._memories[partition].stream(name) if changed is None else changed[1]

    def answer(self, partition: int, stream: str, command_id: UUID) -> Decision | None:
        """The binding decision on a command id, of this batch or before."""
        new = self._answers.get((stream, command_id))
        return self._memories[partition].answer(stream, command_id) if new is None else new[1]

    def put(self, partition: int, name: str, stream: StreamState) -> None:
        """The stream has changed."""
        self._streams[name] = partition, stream

    def remember(self, partition: int, decision: Decision) -> None:
        """A decision was taken."""
        if decision.binds:
            self._answers.setdefault((decision.stream, decision.commandid), (partition, decision))

    def merge(self) -> None:
        """Takes the changes over into the memory: only after the commit."""
        for name, (partition, stream) in self._streams.items():
            self._memories[partition].streams[name] = stream
        for partition, decision in self._answers.values():
            self._memories[partition].remember(decision)


@dataclass(slots=True)
class Plan:
    """What a transaction will hold, and how many of the commands it answers."""

    taken: int = 0
    records: list[Out] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    quarantined: list[Code] = field(default_factory=list)
    events: int = 0
    size: int = 0

    def full(self) -> bool:
        """Whether no further command should go into this transaction."""
        return self.taken >= MAX_COMMANDS or self.events >= MAX_EVENTS or self.size >= MAX_BYTES

    def add(self, out: Out) -> None:
        """One more record."""
        self.records.append(out)
        self.size += len(out.value)

    def answer(self, partition: int, decision: Decision) -> None:
        """One more decision; the body of a rejected command is left out where it would not fit."""
        raw = decision.raw()
        if len(raw) > MAX_VALUE_BYTES:
            raw = decision.model_copy(update={"input": None}).raw()
        self.decisions.append(decision)
        self.add(Out(DECISIONS, partition, decision.stream.encode(), raw))

    def quarantine(self, asked: Asked, stream: str | None, code: Code, reason: str, now: datetime) -> None:
        """The command's bytes, for those who find out what was wrong with it."""
        record = Quarantined(
            topic=COMMANDS,
            partition=asked.partition,
            offset=asked.offset,
            stream=stream,
            code=code.value,
            reason=reason[:MAX_TEXT],
            raw=encode_raw(asked.value),
            at=now,
        )
        self.quarantined.append(code)
        key = stream or f"{COMMANDS}/{asked.partition}"
        self.add(Out(QUARANTINE, 0, key.encode(), record_bytes(record)))
