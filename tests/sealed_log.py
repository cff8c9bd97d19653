"""A log in memory with its seals, as deciders and the sealer write them; for auditors, forgers and bundles."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.decisions import Decision
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.study import SealingKeyPublished
from hepatrail_events.transparency.checkpoint import TREES, log_name
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import NO_SEAL, Seal, SealReason, make_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, DECISIONS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.source import MemorySource
from log_commits import enrol, publish, sample
from projection_log import LogRecord, LogWriter
from trial_history import history

KEY = SigningKey(bytes(range(32)))
NEXT_KEY = SigningKey(bytes(range(1, 33)))
FORGERS_KEY = SigningKey(bytes(range(2, 34)))
ORIGIN = "hepatrail.test"


@dataclass
class SealedLog:
    """Whoever writes to `log` goes on as ever; `seal` covers what was written until then.

    Seals are one transaction each: offsets 0, 2, 4. `trees` are the frontiers at the last seal, by partition.
    """

    log: LogWriter = field(default_factory=LogWriter)
    key: SigningKey = KEY
    origin: str = ORIGIN
    seals: list[Seal] = field(default_factory=list)
    trees: list[Frontier] = field(default_factory=lambda: [Frontier() for _ in range(TREES)])
    history: Frontier = field(default_factory=Frontier)
    _taken: int = 0

    @property
    def name(self) -> str:
        """The name of the log; the study must have an event."""
        first = next(each for each in self.log.records if each.topic == EVENTS and each.key == STUDY.encode())
        return log_name(self.origin, sha256_hex(first.value or b""))

    def publish_key(self, key: SigningKey | None = None) -> None:
        """The study names a key, by default the present one."""
        public = base64.b64encode((key or self.key).public).decode("ascii")
        self.log.commit(STUDY, SealingKeyPublished(public_key=public, reason="sealing"), role="SYSTEM")

    def seal(self, reason: SealReason = SealReason.INTERVAL, asked: Sequence[str] = ()) -> Seal:
        """Seals everything written so far."""
        for each in self.log.records[self._taken :]:
            if each.topic == EVENTS:
                self.trees[each.partition].append(leaf_hash(each.value or b""))
        self._taken = len(self.log.records)
        made = make_seal(
            log=self.name,
            number=len(self.seals) + 1,
            at=self.log.tick(0.1),
            reason=reason if self.seals else SealReason.START,
            asked=asked,
            prevhash=sha256_hex(self.seals[-1].raw()) if self.seals else NO_SEAL,
            trees=[(tree.size, tree.root()) for tree in self.trees],
            before=self.history,
            producer="hepatrail/test",
            key=self.key,
        )
        self.history.append(leaf_hash(made.body_bytes()))
        self.seals.append(made)
        return made

    def records(self) -> list[LogRecord]:
        """All records, seals last; accepted decisions name the events of their commits."""
        commits: dict[str, list[str]] = {}
        for each in self.log.records:
            if each.topic == EVENTS:
                _note_commit(each.value or b"", commits)
        whole = [_with_events(each, commits) if each.topic == DECISIONS else each for each in self.log.records]
        sealed = [LogRecord(CHECKPOINTS, 0, 2 * (seal.seal - 1), seal.log.encode(), seal.raw()) for seal in self.seals]
        return [*whole, *sealed]

    def source(self) -> MemorySource:
        """A copy of the log that a forger may change."""
        copy = MemorySource()
        for each in self.records():
            rows = copy.topics.setdefault((each.topic, each.partition), [])
            rows.append((each.offset, each.key, each.value, each.headers))
        return copy


def sealed_history(seed: int = 1, *, subjects: int = 3, steps: int = 60, seals: int = 3) -> SealedLog:
    """A random trial under `seals` seals, with a few samples of each participant between two of them."""
    sealed = SealedLog(history(seed, subjects, steps))
    sealed.publish_key()
    sealed.seal()
    for _ in range(seals - 1):
        for number in range(subjects):
            sample(sealed.log, subject_stream(f"S-{number:02d}"), creatinine="88", tbil="50", inr="1.5")
        sealed.seal()
    return sealed


def many_samples(streams: int, rounds: int, seed: int = 7) -> SealedLog:
    """A plain trial: `streams` participants, a sample of each a round, sealed at the end; the desk says nothing."""
    sealed = SealedLog(LogWriter(seed))
    publish(sealed.log)
    sealed.publish_key()
    enrolled = [enrol(sealed.log, f"S-{number:04d}") for number in range(streams)]
    for _ in range(rounds):
        for stream in enrolled:
            sample(sealed.log, stream, creatinine="100", tbil="50", inr="1.5", alt=("30", "U/L"))
    sealed.seal()
    return sealed


def partition_and_index(source: MemorySource, stream: str, streamseq: int) -> tuple[int, int]:
    """Partition and leaf index of an event of a copy."""
    partition = partition_of(stream)
    for index, (_, key, value, _) in enumerate(source.topics[(EVENTS, partition)]):
        if key == stream.encode() and parse_object(value or b"")["streamseq"] == streamseq:
            return partition, index
    raise LookupError(f"{stream}@{streamseq}")


def _note_commit(raw: bytes, commits: dict[str, list[str]]) -> None:
    try:
        body = parse_object(raw)
    except InvalidMessage:
        return
    if isinstance(body.get("commitid"), str):
        commits.setdefault(body["commitid"], []).append(str(body.get("id")))


def _with_events(record: LogRecord, commits: dict[str, list[str]]) -> LogRecord:
    body = Decision.read(record.value or b"").payload()
    body["eventids"] = commits.get(body["commandid"], [])
    return replace(record, value=Decision.model_validate(body).raw())
