"""The ledger of decisions held to the events: each commit was decided, each decision to record something was kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from hepatrail_events.codec import parse_object
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidMessage, NotJson
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, PARTITIONS
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.readable import readable_rows
from hepatrail_services.audit.source import LogSource, Row
from hepatrail_services.audit.strict_reading import CANONICAL

_SETTLING: Final = 3
_PAUSE: Final = 0.05

_Id = tuple[str, str]
"""Stream and commit, which is the id of the command."""


@dataclass(slots=True)
class _Commit:
    """The events of a commit read so far: where the first stands, their ids, the last streamseq."""

    offset: int
    streamseq: int
    size: int
    ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Decided:
    """An accepted decision that recorded something: where it stands, the ids it names, the version it leads to."""

    offset: int
    version: int
    ids: list[str]


class DecisionsCheck:
    """Events and decisions of one partition, in any turn; a pair that fits is forgotten at once.

    Of a stream with a released record nothing is said: nobody can know which commit the record was of.
    """

    def __init__(self, partition: int, released: frozenset[Place], problems: Problems) -> None:
        self._partition = partition
        self._released = frozenset((each.topic, each.offset) for each in released if each.partition == partition)
        self._problems = problems
        self._commits: dict[_Id, _Commit] = {}
        self._decided: dict[_Id, _Decided] = {}
        self._passed = set[str]()

    @property
    def waiting(self) -> bool:
        """Whether something has not found its other half."""
        return bool(self._commits or self._decided)

    def take_events(self, rows: Sequence[Row]) -> str:
        """The next records of events; the last recordedat among them."""
        at = ""
        for offset, key, value in rows:
            if (EVENTS, offset) in self._released:
                self._passed.add((key or b"").decode(errors="replace"))
                continue
            try:
                body = parse_object(value or b"")
                envelope = Envelope.from_json(body)
            except InvalidMessage:
                # It is named where the events themselves are checked.
                continue
            at = body["recordedat"]
            key_of = (envelope.stream, str(envelope.commitid))
            commit = self._commits.setdefault(key_of, _Commit(offset, envelope.streamseq, envelope.commitsize))
            commit.ids.append(str(envelope.id))
            commit.streamseq = envelope.streamseq
            self._match(key_of)
        return at

    def take_decisions(self, rows: Sequence[Row]) -> str:
        """The next records of decisions; the last recordedat among them."""
        at = ""
        for offset, key, value in rows:
            if (DECISIONS, offset) in self._released:
                self._passed.add((key or b"").decode(errors="replace"))
                continue
            try:
                decision = _read(value or b"")
            except InvalidMessage as error:
                stream = (key or b"").decode(errors="replace")[:80] or None
                self._problem("DECISION_UNREADABLE", DECISIONS, offset, stream, None, str(error))
                continue
            at = decision.payload()["recordedat"]
            if decision.verdict is Verdict.ACCEPTED and decision.eventids and not decision.repeat:
                self._take(decision, offset)
        return at

    def end(self) -> None:
        """Names what has not found its other half."""
        for (stream, commit_id), commit in self._commits.items():
            if stream not in self._passed and (stream, commit_id) not in self._decided:
                message = f"no accepted decision stands for the commit {commit_id}"
                self._problem("DECISION_MISSING", EVENTS, commit.offset, stream, commit.streamseq, message)
        for (stream, command_id), decided in self._decided.items():
            if stream not in self._passed:
                message = f"the events of command {command_id} are not those that it names, or not there"
                self._problem("DECISION_WITHOUT_EVENTS", DECISIONS, decided.offset, stream, decided.version, message)

    def _take(self, decision: Decision, offset: int) -> None:
        key = (decision.stream, str(decision.commandid))
        if key in self._decided:
            message = f"command {key[1]} was accepted twice"
            self._problem("DECISION_WITHOUT_EVENTS", DECISIONS, offset, decision.stream, decision.version, message)
            return
        self._decided[key] = _Decided(offset, decision.version, [str(each) for each in decision.eventids])
        self._match(key)

    def _match(self, key: _Id) -> None:
        commit, decided = self._commits.get(key), self._decided.get(key)
        if commit is None or decided is None or len(commit.ids) < commit.size:
            return
        if (commit.ids, commit.streamseq) == (decided.ids, decided.version):
            del self._commits[key], self._decided[key]

    def _problem(
        self, code: str, topic: str, offset: int, stream: str | None, streamseq: int | None, message: str
    ) -> None:
        self._problems.add(Problem(code, topic, self._partition, offset, stream, streamseq, message))


async def check_decisions(source: LogSource, released: frozenset[Place], problems: Problems) -> None:
    """Reads events and decisions of all partitions side by side; raises Unavailable."""
    for partition in range(PARTITIONS):
        check = DecisionsCheck(partition, released, problems)
        events = _Side(source, EVENTS, partition, problems)
        decisions = _Side(source, DECISIONS, partition, problems)
        await _side_by_side(check, events, decisions)
        for _ in range(_SETTLING):
            if not check.waiting:
                break
            # A transaction becomes visible partition by partition: the other half may have come meanwhile.
            await asyncio.sleep(_PAUSE)
            await _side_by_side(check, events, decisions)
        check.end()


class _Side:
    """One of the two topics; `at` is the last recordedat, `next` where reading goes on."""

    def __init__(self, source: LogSource, topic: str, partition: int, problems: Problems) -> None:
        self._source, self._topic, self._partition, self._problems = source, topic, partition, problems
        self._next: int | None = None
        self.at = ""

    def batches(self) -> AsyncIterator[Sequence[Row]]:
        """From where it stopped to the present end."""
        return readable_rows(self._source, self._topic, self._partition, self._problems, self._next)

    def taken(self, rows: Sequence[Row], at: str) -> None:
        """What was taken in."""
        self._next = rows[-1][0] + 1 if rows else self._next
        self.at = at or self.at


async def _side_by_side(check: DecisionsCheck, events: _Side, decisions: _Side) -> None:
    """Reads both to their ends, always the one that is behind, so that little waits at any time."""
    sides = [(events, events.batches(), check.take_events), (decisions, decisions.batches(), check.take_decisions)]
    while sides:
        side, batches, take = min(sides, key=lambda each: each[0].at)
        rows = await anext(batches, None)
        if rows is None:
            sides = [each for each in sides if each[0] is not side]
        else:
            side.taken(rows, take(rows))


def _read(value: bytes) -> Decision:
    body = parse_object(value)
    if orjson.dumps(body, None, CANONICAL) != value:
        raise NotJson("the bytes are not in canonical form")
    return Decision.read(value)
