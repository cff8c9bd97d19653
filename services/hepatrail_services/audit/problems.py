"""What a verification found: problems with their places, and the report on the whole log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_infra.kafka_admin import CHECKPOINTS, DECISIONS, EVENTS, QUARANTINE

KEPT: Final = 100
"""So many problems are kept, the first of the log; all are counted."""

_RANK: Final = {EVENTS: 0, CHECKPOINTS: 1, DECISIONS: 2, QUARANTINE: 3}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was written, and where: offset, stream and streamseq as far as they are known."""

    code: str
    topic: str
    partition: int
    offset: int | None
    stream: str | None
    streamseq: int | None
    message: str

    def line(self) -> str:
        """`BROKEN_CHAIN at hepatrail.events/7@1532, subject-BFH-003@41: prevhash is not ...`."""
        place = f"{self.topic}/{self.partition}"
        if self.offset is not None:
            place += f"@{self.offset}"
        if self.stream is not None:
            place += f", {self.stream}"
            if self.streamseq is not None:
                place += f"@{self.streamseq}"
        return f"{self.code} at {place}: {self.message}"

    @property
    def rank(self) -> tuple[int, int, int]:
        """What comes first: the events, then the seals, then all else; in a topic the place."""
        offset = -1 if self.offset is None else self.offset
        return _RANK.get(self.topic, len(_RANK)), self.partition, offset


@dataclass(slots=True)
class Problems:
    """Collects problems; keeps the first of the log and counts all."""

    count: int = 0
    _kept: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """One more."""
        self.count += 1
        self._kept.append(problem)
        if len(self._kept) > 2 * KEPT:
            self._kept = list(self.first())

    def first(self) -> tuple[Problem, ...]:
        """The kept ones in the order of the log."""
        return tuple(sorted(self._kept, key=lambda each: each.rank)[:KEPT])


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and what is wrong with it.

    `heads` are the last streamseq and hash of every stream by name; `trees` the size and root of each partition as
    read; `seals` the number of seals and `keys` what vouches for their keys; `problems` the first of the log, of
    `count` in all; `warnings` do not make it broken.
    """

    streams: int
    events: int
    first_at: str | None
    last_at: str | None
    heads: Mapping[str, tuple[int, str]]
    trees: tuple[Checkpoint, ...]
    seals: int
    keys: str
    problems: tuple[Problem, ...] = ()
    count: int = 0
    warnings: tuple[Problem, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.count == 0

    def with_problems(self, found: Problems) -> "Report":
        """The same report with what another check has found."""
        both = sorted((*self.problems, *found.first()), key=lambda each: each.rank)
        return replace(self, problems=tuple(both[:KEPT]), count=self.count + found.count)

    def heads_hash(self) -> str:
        """SHA-256 over the lines `<stream> <streamseq> <hash>` of all heads by name: one value to compare."""
        lines = "".join(f"{name} {seq} {digest}\n" for name, (seq, digest) in sorted(self.heads.items()))
        return sha256(lines.encode()).hexdigest()

    def last_line(self) -> str:
        """`whole: ...`, or `broken: <the first problem>` and the number of all on a second line."""
        if self.problems:
            all_of_them = f"({self.count} problem{'s' if self.count != 1 else ''} in all)"
            return f"broken: {self.problems[0].line()}\n{all_of_them}"
        span = f", {self.first_at} to {self.last_at}" if self.events else ""
        read = f"whole: {self.events} events in {self.streams} streams{span}"
        if not self.seals:
            return f"{read}; there is no seal yet, so that a tail cut off would not be seen"
        return f"{read}; {len(self.trees)} trees agree with {self.seals} seals; keys are {self.keys}"

    def lines(self) -> Iterator[str]:
        """The report for people, without its last line."""
        yield f"heads of {self.streams} streams: SHA-256 {self.heads_hash()}"
        for tree in self.trees:
            yield f"{tree.origin}: {tree.size} leaves, root {tree.root.hex()}"
        for each in self.warnings:
            yield f"warning: {each.line()}"
        for each in self.problems[1:]:
            yield f"also: {each.line()}"

    def json(self) -> dict[str, Any]:
        """The report as a JSON value; roots in hexadecimal."""
        return {
            "whole": self.whole,
            "streams": self.streams,
            "events": self.events,
            "firstAt": self.first_at,
            "lastAt": self.last_at,
            "heads": {name: {"streamseq": seq, "hash": digest} for name, (seq, digest) in sorted(self.heads.items())},
            "headsHash": self.heads_hash(),
            "trees": [{"origin": each.origin, "size": each.size, "root": each.root.hex()} for each in self.trees],
            "seals": self.seals,
            "keys": self.keys,
            "problems": [_json(each) for each in self.problems],
            "count": self.count,
            "warnings": [_json(each) for each in self.warnings],
        }


def _json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "topic": problem.topic,
        "partition": problem.partition,
        "offset": problem.offset,
        "stream": problem.stream,
        "streamseq": problem.streamseq,
        "message": problem.message,
    }
