"""The events of the log, each held to its stream, its bytes to themselves, and each partition's tree to its marks.

One pass, partition by partition; what is kept grows with streams and checkpoints, not with events.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NotRequired, TypedDict

import msgspec
import orjson

from hepatrail_events.envelope import Envelope
from hepatrail_events.streams import is_stream
from hepatrail_events.transparency.merkle import Frontier
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_services.audit.marks import Mark, Marks
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.source import Row
from hepatrail_services.audit.stream_head import StreamHead
from hepatrail_services.audit.strict_reading import CANONICAL, Fault, keys_are_ascii, read_strictly, refuse_float

_SHOWN: Final = 8


class _Body(TypedDict):
    """An event as JSON: every attribute with its kind, so that the decoder itself refuses another."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    datacontenttype: str
    streamseq: int
    commitid: str
    commitindex: int
    commitsize: int
    prevhash: str
    receivedat: str
    recordedat: str
    actorid: str
    actorrole: str
    actororg: str
    producer: str
    studyseq: int
    data: dict[str, Any]
    protocolversion: NotRequired[str]
    causationid: NotRequired[str]
    correlationid: NotRequired[str]
    traceparent: NotRequired[str]


_DECODER: Final = msgspec.json.Decoder(_Body, float_hook=refuse_float)


class EventsCheck:
    """Call `begin`, `take` and `end` for each partition; then read `heads`, `trees`, `events` and the span.

    `released` are places to be passed over, `marks` what checkpoints say of the tree of a partition. Everything
    that is wrong goes to `problems`, at most one for each event.
    """

    def __init__(self, released: Iterable[Place], marks: Mapping[int, Marks], problems: Problems | None = None) -> None:
        self.problems = Problems() if problems is None else problems
        self.heads: dict[str, tuple[int, str]] = {}
        self.trees: dict[int, Frontier] = {}
        self.events = 0
        self.first_at: str | None = None
        self.last_at: str | None = None
        self._all_released = frozenset((each.partition, each.offset) for each in released if each.topic == EVENTS)
        self._all_marks = marks
        self.begin(0)

    def begin(self, partition: int) -> None:
        """Stands before the first record of a partition."""
        self._partition = partition
        self._heads: dict[bytes | None, StreamHead] = {}
        self._tree = Frontier()
        self._released = frozenset(offset for place, offset in self._all_released if place == partition)
        self._marks = self._all_marks.get(partition) or Marks()
        self._marks_seen = 0
        self._agreed: tuple[Mark, int] | None = None
        self._between: set[bytes | None] = set()
        self._end = 0
        self._mark = self._next_mark(0)

    def take(self, rows: Sequence[Row]) -> None:
        """Goes through the next records of the partition."""
        # Everything an event needs is a local here: the pace of a verification is the pace of this loop.
        heads, released, between, tree = self._heads, self._released, self._between, self._tree
        hashes, size, mark = tree.hashes, tree.size, self._mark
        decode, dumps, hashed, canonical = _DECODER.decode, orjson.dumps, sha256, CANONICAL
        for offset, key, raw in rows:
            value = raw or b""
            node, rest = hashed(b"\x00" + value).digest(), size
            while rest & 1:
                node = hashed(b"\x01" + hashes.pop() + node).digest()
                rest >>= 1
            hashes.append(node)
            size += 1
            between.add(key)
            digest = hashed(value).hexdigest()
            head = heads.get(key)
            try:
                body = decode(value)
                index, of, at, commit = body["commitindex"], body["commitsize"], body["recordedat"], body["commitid"]
                if (
                    head is not None
                    and body["prevhash"] == head.hash
                    and body["streamseq"] == head.seq + 1
                    and index == head.due
                    and index < of
                    and (commit == head.commit) is (index > 0)
                    and (index == 0 or of == head.size)
                    and at >= head.at
                    and body["subject"] == head.name
                    and offset not in released
                    and dumps(body, None, canonical) == value
                    and (value.isascii() or keys_are_ascii(body))
                ):
                    head.seq += 1
                    head.hash, head.at, head.commit = digest, at, commit
                    if index + 1 == of:
                        head.due = 0
                    else:
                        head.due, head.size, head.offset = index + 1, of, offset
                else:
                    self._look(offset, key, value, digest)
            except (ValueError, TypeError, RecursionError):
                self._look(offset, key, value, digest)
            if size == mark:
                tree.size = size
                mark = self._mark = self._next_mark(offset)
        tree.size = size
        if rows:
            self._end = rows[-1][0] + 1

    def end(self) -> None:
        """Stands behind the last record of the partition: what is unfinished, what is missing."""
        for head in self._heads.values():
            if head.due > 0:
                message = f"the stream ends after {head.due} of {head.size} events of commit {head.commit}"
                self._problem(Fault("COMMIT_INCOMPLETE", message), head.offset, head.name, head.end[0])
            if partition_of(head.name) == self._partition:
                self.heads[head.name] = head.end
            if head.at:
                self.first_at = min(self.first_at or head.first, head.first)
                self.last_at = max(self.last_at or head.at, head.at)
        self.events += self._tree.size
        self.trees[self._partition] = self._tree
        if len(self._marks) and (last := self._marks[len(self._marks) - 1]).size > self._tree.size:
            message = f"it holds {self._tree.size} events, but {last.whose()} has {last.size}: "
            self._problem(Fault("LOG_SHORTER", f"{message}{last.size - self._tree.size} are missing"), self._end)

    def _next_mark(self, offset: int) -> int:
        """Holds the tree as it is, ending with the record at `offset`, to its marks; the size of the next one, or 0."""
        while self._marks_seen < len(self._marks):
            mark = self._marks[self._marks_seen]
            if mark.size > self._tree.size:
                return mark.size
            self._marks_seen += 1
            if mark.root != self._tree.root():
                self._mismatch(mark, offset)
                # Every later root is another one too.
                self._marks_seen = len(self._marks)
            else:
                self._agreed = (mark, offset)
                self._between.clear()
        return 0

    def _mismatch(self, mark: Mark, offset: int) -> None:
        streams = sorted((key or b"").decode(errors="replace") for key in self._between)
        shown = ", ".join(streams[:_SHOWN]) + (f" and {len(streams) - _SHOWN} more" if len(streams) > _SHOWN else "")
        begin = "from the first event"
        if self._agreed is not None:
            good, last = self._agreed
            begin = f"after offset {last}, where {good.whose()} still agrees ({good.size} events),"
        message = (
            f"the first {mark.size} events are not those of {mark.whose()}; "
            f"what differs lies {begin} to offset {offset}, in {shown}"
        )
        self._problem(Fault("ROOT_MISMATCH", message), offset, streams[0] if len(streams) == 1 else None)

    def _look(self, offset: int, key: bytes | None, value: bytes, digest: str) -> None:
        """An event that does not simply follow: the first of its stream, a released one, or a fault."""
        name, misplaced = self._placed(key)
        envelope, unreadable = read_strictly(value)
        if offset in self._released:
            if name is not None:
                self._head(name).pass_released(envelope, digest)
            return
        fault = misplaced
        if envelope is not None and envelope.stream != name:
            here = self._lives_here(envelope.stream)
            if here or fault is None:
                fault = Fault("WRONG_KEY", f"the key is {name or key!r}, the subject {envelope.stream[:80]}")
            name = envelope.stream if here else None
        fault = fault or unreadable
        if name is not None:
            fault = self._go_on(self._head(name), envelope, digest, offset, fault)
        if fault is not None:
            self._problem(fault, offset, name, None if envelope is None else envelope.streamseq)

    def _go_on(
        self, head: StreamHead, envelope: Envelope | None, digest: str, offset: int, fault: Fault | None
    ) -> Fault | None:
        if envelope is None:
            head.pass_unreadable(digest)
            return fault
        next_fault = head.follow(envelope, digest, offset)
        return fault or next_fault

    def _placed(self, key: bytes | None) -> tuple[str | None, Fault | None]:
        name = (key or b"").decode(errors="replace")
        if not is_stream(name):
            return None, Fault("WRONG_KEY", f"the key {name[:80]!r} is no stream")
        if partition_of(name) != self._partition:
            return name, Fault("WRONG_PARTITION", f"{name} lives in partition {partition_of(name)}")
        return name, None

    def _lives_here(self, stream: str) -> bool:
        return is_stream(stream) and partition_of(stream) == self._partition

    def _head(self, name: str) -> StreamHead:
        return self._heads.setdefault(name.encode(), StreamHead(name))

    def _problem(self, fault: Fault, offset: int, stream: str | None = None, streamseq: int | None = None) -> None:
        self.problems.add(Problem(fault.code, EVENTS, self._partition, offset, stream, streamseq, fault.message))
