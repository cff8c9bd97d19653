"""A log in memory as deciders would write it, for tests of projections; `trial_history` fills it with whole trials."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, record
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.event import Event
from hepatrail_events.streams import STUDY
from hepatrail_events.types import SealedText
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Released, record_bytes

BEGIN = datetime(2026, 1, 5, 1, tzinfo=UTC)
SEALED = SealedText(kid="k", cid="c", path="reason", ct="AAAA")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as a consumer hands it over."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class LogWriter:
    """Writes chained events; offsets skip one a commit, as a transaction's marker does."""

    seed: int = 1
    records: list[LogRecord] = field(default_factory=list)
    now: datetime = BEGIN
    _links: dict[str, Link] = field(default_factory=dict)
    _offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    _studyseq: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def uuid(self) -> UUID:
        """A random id that the seed decides."""
        return UUID(int=self.chance.getrandbits(128), version=4)

    def tick(self, minutes: float = 1) -> datetime:
        """Moves the clock on."""
        self.now += timedelta(minutes=minutes)
        return self.now

    def commit(
        self, stream: str, *events: Event, actor: str = "dr-li", role: str = "INVESTIGATOR", decide: bool = True
    ) -> list[LogRecord]:
        """The events of one commit and its decision."""
        commit_id, made = self.uuid(), []
        self.tick(0.1)
        for index, event in enumerate(events):
            link = self._links.get(stream, Link())
            envelope = Envelope(
                id=self.uuid(),
                type=type(event).type_name(),
                version=type(event).VERSION,
                stream=stream,
                streamseq=link.streamseq + 1,
                commitid=commit_id,
                commitindex=index,
                commitsize=len(events),
                prevhash=link.hash,
                receivedat=self.now,
                recordedat=self.now,
                actorid=actor,
                actorrole=role,
                actororg="Hospital",
                producer="hepatrail/test",
                studyseq=self._studyseq,
            )
            recorded = record(envelope, event)
            self._links[stream] = link.follow(recorded)
            if stream == STUDY:
                self._studyseq = envelope.streamseq
            made.append(self.raw(stream, recorded.raw, tuple(envelope.headers())))
        self._mark(EVENTS, partition_of(stream))
        if decide:
            self._decide(stream, commit_id, actor, role)
        return made

    def raw(self, stream: str, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> LogRecord:
        """Any bytes under a stream's key."""
        return self._add(EVENTS, partition_of(stream), stream.encode(), value, tuple(headers))

    def release(self, place: LogRecord, reason: str = "bytes of another program") -> LogRecord:
        """Somebody decides that a record is to be passed over."""
        stream = (place.key or b"").decode()
        entry = Released(
            topic=place.topic,
            stream=stream,
            partition=place.partition,
            offset=place.offset,
            reason=reason,
            by="admin",
            at=self.now,
        )
        return self._add(QUARANTINE, 0, place.key, record_bytes(entry), ())

    def skip_in_chain(self, stream: str, value: bytes) -> None:
        """Lets the next event follow the bytes, as a writer does that has counted them."""
        self._links[stream] = Link(self._links.get(stream, Link()).streamseq + 1, sha256_hex(value))

    def _decide(self, stream: str, command_id: UUID, actor: str, role: str) -> None:
        decision = Decision(
            commandid=command_id,
            commandtype="test",
            stream=stream,
            bodyhash="0" * 64,
            verdict=Verdict.ACCEPTED,
            version=self._links[stream].streamseq,
            recordedat=self.now,
            receivedat=self.now,
            actorid=actor,
            actorrole=role,
            studyseq=self._studyseq,
            producer="hepatrail/test",
        )
        self._add(DECISIONS, partition_of(stream), stream.encode(), decision.raw(), ())
        self._mark(DECISIONS, partition_of(stream))

    def _add(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes], ...]
    ) -> LogRecord:
        offset = self._offsets.get((topic, partition), 0)
        self._offsets[(topic, partition)] = offset + 1
        made = LogRecord(topic, partition, offset, key, value, headers)
        self.records.append(made)
        return made

    def _mark(self, topic: str, partition: int) -> None:
        self._offsets[(topic, partition)] = self._offsets.get((topic, partition), 0) + 1


async def produce(producer: AIOKafkaProducer, records: Iterable[LogRecord]) -> None:
    """Sends the records as they are, in one transaction."""
    async with producer.transaction():
        for each in records:
            await producer.send(
                each.topic, each.value, key=each.key, partition=each.partition, headers=list(each.headers)
            )
