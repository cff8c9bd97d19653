"""One batch, one transaction: rows, offsets and notifications together, or nothing. Effectively once.

Every reader of the log uses this: the live tail, catch-up and rebuild.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from aiokafka import TopicPartition

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded
from hepatrail_events.errors import Conflict, LogShorter
from hepatrail_events.streams import Position, subject_stream
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.changes import DERIVED_TABLES, Changes, rederives_all, work_out
from hepatrail_projections.decision import DECISION
from hepatrail_projections.draft import Draft
from hepatrail_projections.event import EVENT, stored_hashes
from hepatrail_projections.listen import notify
from hepatrail_projections.memory import Memory
from hepatrail_projections.meta import hold_live_schema
from hepatrail_projections.offset import OffsetRow, advance
from hepatrail_projections.quarantine import (
    PARKED,
    PARKED_EVENT,
    RELEASE,
    QuarantineRow,
    mark_released,
    waiting_events,
)
from hepatrail_projections.quarantine import (
    QUARANTINE as QUARANTINE_TABLE,
)
from hepatrail_projections.records import Batch, Incoming, content_of, incoming
from hepatrail_projections.stream_head import STREAM_HEAD
from hepatrail_projections.subject import subject_ids
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION


class SchemaSwitched(Conflict):
    """A rebuild has made another schema live: start over in that one."""


class QuarantineSink(Protocol):
    """Where what cannot be read is kept for ever."""

    async def put(self, rows: Sequence[QuarantineRow]) -> None:
        """Keeps the rows; returns when they are safe. The same row may come again."""


@dataclass(slots=True)
class Projection:
    """A schema as one projector writes it: its name, the memory of it, and whether it must be the live one.

    A live one tells listeners and the quarantine topic what happens; a rebuild finds nothing that is new to them.
    """

    schema: str
    memory: Memory
    live: bool = True
    version: int = PROJECTION_VERSION
    sink: QuarantineSink | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch worked out and ready to be written."""

    draft: Draft
    changes: Changes
    records: Sequence[Any]
    complete_to: Mapping[TopicPartition, datetime]


async def prepare(
    batch: Batch,
    connection: Connection,
    memory: Memory,
    complete_to: Mapping[TopicPartition, datetime] | None = None,
    retries: Sequence[str] = (),
) -> Prepared:
    """Reads what the batch needs and works it out; writes nothing.

    Raises InvalidMessage to halt, LogShorter when the records do not begin where the tables end.
    """
    records = [record for record in batch.records if record.offset >= _next(memory, record)]
    read: dict[Place, Incoming] = {}
    for record in records:
        if record.topic == EVENTS:
            read[Place(record.topic, record.partition, record.offset)] = content_of(record)
    releasing = any(record.topic == QUARANTINE for record in records)
    freed = list(dict.fromkeys((*retries, *(memory.parked if releasing else ()))))
    waiting = await _waiting(connection, freed)
    events = [*read.values(), *(each for rows in waiting.values() for each in rows)]
    streams = dict.fromkeys(each.stream for each in events if each.stream is not None)
    await memory.load_streams(connection, [*streams, *(stream for stream in freed if stream not in streams)])
    draft = Draft(memory, await stored_hashes(connection, _repeated(memory, events)), waiting)
    for record in records:
        draft.take(record, read.get(Place(record.topic, record.partition, record.offset)))
    for stream in retries:
        draft.retry(stream)
    if rederives_all(memory.study, draft.study):
        await memory.load_subjects(connection, map(subject_stream, await subject_ids(connection)))
    return Prepared(draft, work_out(draft, memory), records, complete_to or {})


async def write(prepared: Prepared, connection: Connection, memory: Memory) -> None:
    """Writes a prepared batch in the open transaction; Conflict when another projector was faster (we are a zombie)."""
    draft = prepared.draft
    await advance(connection, _offset_changes(prepared, memory))
    await EVENT.insert(connection, draft.events)
    await DECISION.insert(connection, draft.decisions)
    await STREAM_HEAD.upsert(connection, list(draft.heads.values()))
    for table in DERIVED_TABLES:
        change = prepared.changes.tables.get(table.name)
        if change is not None:
            await table.delete(connection, change.deletes)
            await table.upsert(connection, change.upserts)
            await table.insert(connection, change.inserts)
    await draft.side.write(connection)
    await _write_quarantine(draft, connection)


def adopt(prepared: Prepared, memory: Memory) -> None:
    """Remembers a batch, after its transaction was committed."""
    draft, changes = prepared.draft, prepared.changes
    memory.study, memory.desk = draft.study, draft.desk
    memory.alerts.update(changes.alerts)
    memory.heads.update(draft.heads)
    memory.keep(changes.subjects)
    for stream, parked in draft.parked.items():
        if parked is None:
            memory.parked.pop(stream, None)
        else:
            memory.parked[stream] = parked
    memory.released.update(draft.released)
    draft.side.adopt(memory)
    for _, row in _offset_changes(prepared, memory):
        memory.offsets[TopicPartition(row.topic, row.partition)] = row


async def apply(
    batch: Batch,
    connection: Connection,
    projection: Projection,
    complete_to: Mapping[TopicPartition, datetime] | None = None,
    retries: Sequence[str] = (),
) -> None:
    """Projects a batch in one transaction of its own; `retries` are parked streams to read again.

    Raises Conflict (another projector was faster, or another schema is live by now: drop everything and start over),
    InvalidMessage to halt, LogShorter. After any error the memory no longer stands for the tables.
    """
    memory = projection.memory
    async with connection.transaction():
        if projection.live and await hold_live_schema(connection, projection.version) != projection.schema:
            raise SchemaSwitched(f"the schema {projection.schema} is not live any more")
        prepared = await prepare(batch, connection, memory, complete_to, retries)
        if projection.sink is not None:
            await _report(prepared.draft, memory, projection.sink)
        await write(prepared, connection, memory)
        if projection.live:
            touched = {row.stream: row.streamseq for row in prepared.draft.events}
            await notify(connection, [Position(stream, version) for stream, version in touched.items()])
    adopt(prepared, memory)


async def _report(draft: Draft, memory: Memory, sink: QuarantineSink) -> None:
    """Before the transaction commits, so that nothing in quarantine can be missing from the topic."""
    known = list(memory.parked.values())
    new = [row for row in draft.quarantined.values() if row.status == PARKED and row not in known]
    if new:
        await sink.put(new)


def _next(memory: Memory, record: Any) -> int:
    stored = memory.offsets.get(TopicPartition(record.topic, record.partition))
    if stored is None:
        raise LogShorter(f"LOG_SHORTER: {record.topic}/{record.partition} is no partition of this projection")
    return stored.next_offset


async def _waiting(connection: Connection, streams: Sequence[str]) -> dict[str, list[Incoming]]:
    found: dict[str, list[Incoming]] = {}
    for row in await waiting_events(connection, streams):
        place = Place(EVENTS, row.partition, row.kafka_offset)
        found.setdefault(row.stream, []).append(incoming(place, row.stream.encode(), row.raw))
    return found


def _repeated(memory: Memory, events: Iterable[Incoming]) -> set[tuple[str, int]]:
    """The places of stored events that may come a second time."""
    repeated = set()
    for each in events:
        head = None if each.stream is None else memory.heads.get(each.stream)
        if head is not None and isinstance(each.content, Recorded):
            streamseq = each.content.envelope.streamseq
            if streamseq <= head.version:
                repeated.add((head.stream, streamseq))
    return repeated


def _offset_changes(prepared: Prepared, memory: Memory) -> list[tuple[int, OffsetRow]]:
    """Per partition the next offset as it must stand in the table, and the row to put there."""
    last = {TopicPartition(each.topic, each.partition): each for each in prepared.records}
    changes = []
    for partition in sorted({*last, *prepared.complete_to}):
        stored, record = memory.offsets[partition], last.get(partition)
        row = stored
        if record is not None:
            run = prepared.draft.unreadable_runs.get((partition.topic, partition.partition), 0)
            row = replace(
                row,
                next_offset=record.offset + 1,
                last_offset=record.offset,
                last_hash=sha256_hex(record.value or b""),
                unreadable_run=run,
            )
        complete = prepared.complete_to.get(partition)
        if complete is not None and (row.complete_to is None or row.complete_to < complete):
            row = replace(row, complete_to=complete)
        if row is not stored:
            changes.append((stored.next_offset, row))
    return changes


async def _write_quarantine(draft: Draft, connection: Connection) -> None:
    gone = [(place.topic, place.partition, place.offset) for place in draft.readable_again]
    await QUARANTINE_TABLE.delete(connection, gone)
    await QUARANTINE_TABLE.upsert(connection, list(draft.quarantined.values()))
    await PARKED_EVENT.delete(connection, [(place.partition, place.offset) for place in draft.unparked_events])
    await PARKED_EVENT.upsert(connection, list(draft.parked_events.values()))
    if draft.released:
        await RELEASE.upsert(connection, list(draft.released.values()))
        await mark_released(connection, list(draft.released.values()))
