"""A bundle of the whole log into an empty system: the same bytes under the same keys, then verified (RET-01).

Kafka gives other offsets, because the markers of transactions differ. Nothing that is hashed names one; a release does,
so it is written with the offset at which its record stands now. An interrupted import leaves a log that the next one
refuses: it begins again with an empty system.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hepatrail_events.errors import Broken, InvalidMessage, StartRefused, Unavailable
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, DECISIONS, EVENTS, MAX_RECORD_BYTES, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_log import close_producer, make_producer
from hepatrail_infra.kafka_quarantine import Released, read_quarantine, record_bytes
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.kafka_wire import Wire
from hepatrail_projections.digests import differing
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.audit.bundle.layout import DIGESTS
from hepatrail_services.audit.bundle.projecting import Progress, projected_digests
from hepatrail_services.audit.bundle.source import ReadBundle
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.problems import Report
from hepatrail_services.audit.source import HeaderRow
from hepatrail_services.audit.verifier import verify

TRANSACTIONAL_ID = "hepatrail-import"
_RECORDS = 500
_BYTES = 2 * MAX_RECORD_BYTES
_MUST_BE_EMPTY = (
    *(TopicPartition(topic, partition) for topic in (EVENTS, DECISIONS) for partition in range(PARTITIONS)),
    TopicPartition(CHECKPOINTS, 0),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the log as verified in Kafka, and the tables whose digests are not the bundle's.

    `compared` is False where the bundle has no digests, they are of another projection, or no Postgres was given.
    """

    report: Report
    compared: bool
    differing: tuple[str, ...] = ()


async def import_bundle(
    bundle: ReadBundle, bootstrap: str, owner_dsn: str | None = None, progress: Progress | None = None
) -> Imported:
    """Writes the log of a bundle to Kafka, whose topics must be there and empty, and holds it to the bundle's seal.

    Raises StartRefused when something stands in Kafka already or the bundle is one participant's, Broken when what
    was written is not what the bundle's seal says, Unavailable.
    """
    if bundle.subject_id is not None:
        raise StartRefused("A participant's bundle holds a part of the log: only a whole one can be imported.")
    await _refuse_if_used(bootstrap)
    tell = progress or (lambda *_: None)
    await _Writing(bundle, bootstrap, tell).run()
    async with Scan(bootstrap) as scan:
        source = KafkaSource(scan)
        report = await verify(source, checkpoints=checkpoints_of(bundle), headers=True, progress=tell)
        if not report.whole:
            first = report.problems[0]
            raise Broken(f"what was imported is not whole: {first.line()}", code=first.code)
        known = _digests(bundle)
        if known is None or owner_dsn is None:
            return Imported(report, compared=False)
        return Imported(report, True, differing(known, await projected_digests(source, owner_dsn, tell)))


def checkpoints_of(bundle: ReadBundle) -> tuple[Checkpoint, ...]:
    """What the bundle's seal says of all trees."""
    seal = bundle.last_seal()
    return tuple(Checkpoint.parse(note.partition("\n\n")[0] + "\n") for note in (*seal.checkpoints, seal.history))


def _digests(bundle: ReadBundle) -> dict[str, str] | None:
    if DIGESTS not in bundle.files:
        return None
    body = orjson.loads(bundle.files[DIGESTS].read())
    return dict(body["portable"]) if body["projection"] == PROJECTION_VERSION else None


async def _refuse_if_used(bootstrap: str) -> None:
    async with Wire(bootstrap) as wire:
        first, ends = await wire.beginnings(_MUST_BE_EMPTY), await wire.ends(_MUST_BE_EMPTY)
    used = sorted({place.topic for place in _MUST_BE_EMPTY if first[place] or ends[place]})
    if used:
        raise StartRefused(f"A bundle is imported into an empty system only: there are records in {', '.join(used)}.")


@dataclass(slots=True)
class _Writing:
    """Writes topic after topic, the seals last: what they vouch for stands there already."""

    bundle: ReadBundle
    bootstrap: str
    tell: Progress
    _moved: dict[tuple[int, int], int] = field(default_factory=dict)
    """The new offset of each event by partition and old one."""

    async def run(self) -> None:
        places = [(topic, partition) for topic in (EVENTS, DECISIONS) for partition in range(PARTITIONS)]
        places += [(QUARANTINE, 0), (ACCESS, 0), (CHECKPOINTS, 0)]
        async with _producing(self.bootstrap) as producer:
            for done, (topic, partition) in enumerate(places):
                self.tell("write", done, len(places))
                async for rows in self.bundle.rows_with_headers(topic, partition):
                    for batch in _batches(rows):
                        await self._write(producer, topic, partition, batch)

    async def _write(self, producer: AIOKafkaProducer, topic: str, partition: int, batch: Sequence[HeaderRow]) -> None:
        async with producer.transaction():
            sent = [
                await producer.send(
                    topic, self._value(topic, value), key=key, partition=partition, headers=list(headers)
                )
                for _, key, value, headers in batch
            ]
            # A commit would not wait for them, nor fail when one of them has (DESIGN section 2, fact 2).
            made = [await each for each in sent]
        if topic == EVENTS:
            for row, record in zip(batch, made, strict=True):
                self._moved[partition, row[0]] = record.offset

    def _value(self, topic: str, value: bytes | None) -> bytes | None:
        if topic != QUARANTINE:
            return value
        try:
            entry = read_quarantine(value or b"")
        except InvalidMessage:
            return value
        if not isinstance(entry, Released) or entry.topic != EVENTS:
            return value
        return record_bytes(entry.model_copy(update={"offset": self._moved[entry.partition, entry.offset]}))


def _batches(rows: Sequence[HeaderRow]) -> Iterator[list[HeaderRow]]:
    """At most so many records and bytes a transaction."""
    waiting: list[HeaderRow] = []
    size = 0
    for row in rows:
        if waiting and (len(waiting) == _RECORDS or size > _BYTES):
            yield waiting
            waiting, size = [], 0
        waiting.append(row)
        size += len(row[2] or b"")
    if waiting:
        yield waiting


@asynccontextmanager
async def _producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_producer(bootstrap, TRANSACTIONAL_ID)
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise Unavailable(f"Kafka does not take the import: {error}") from error
    finally:
        await close_producer(producer)
