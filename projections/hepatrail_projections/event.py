"""`event`: the mirror of the log, one row an event, with its very bytes.

The source for folding one subject, for as-of and for the auditors' browser. The writer may INSERT and SELECT only:
`schema.py` takes the rest back from it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Recorded, parse_object, read
from hepatrail_events.envelope import Envelope
from hepatrail_projections.table import Connection, Json, Table


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event: what a reader filters by, its payload (`data`, as written), its bytes and their SHA-256, its place."""

    stream: str
    streamseq: int
    event_id: UUID
    type: str
    type_version: int
    commit_id: UUID
    commit_index: int
    recorded_at: datetime
    received_at: datetime
    actor_id: str
    actor_role: str
    payload: Json
    raw: bytes
    hash: str
    partition: int
    kafka_offset: int

    def recorded(self) -> Recorded:
        """The event as the codec reads it; InvalidMessage when this program cannot."""
        return read(self.raw)


EVENT = Table(
    "event",
    EventRow,
    ("stream", "streamseq"),
    indexes=("(recorded_at, stream, streamseq)", "(event_id)"),
    append_only=True,
    places=("kafka_offset",),
)


async def events_of(connection: Connection, stream: str, until: datetime | None = None) -> list[Recorded]:
    """A stream's events in order, those recorded until the instant (inclusive) when there is one."""
    rows: list[Any] = await connection.fetch(
        "SELECT raw FROM event WHERE stream = $1 AND ($2::timestamptz IS NULL OR recorded_at <= $2) ORDER BY streamseq",
        stream,
        until,
    )
    return [read(row["raw"]) for row in rows]


async def events_of_many(
    connection: Connection, streams: list[str], until: datetime | None = None
) -> dict[str, list[Recorded]]:
    """The events of several streams, each in order, recorded until the instant (inclusive) when there is one.

    A stream without any is left out.
    """
    rows: list[Any] = await connection.fetch(
        "SELECT stream, raw FROM event WHERE stream = ANY ($1) AND ($2::timestamptz IS NULL OR recorded_at <= $2) "
        "ORDER BY stream, streamseq",
        streams,
        until,
    )
    found: dict[str, list[Recorded]] = {}
    for row in rows:
        found.setdefault(row["stream"], []).append(read(row["raw"]))
    return found


async def first_event_ids(connection: Connection, streams: list[str], type_name: str) -> dict[str, UUID]:
    """The first event of a type in each of these streams that has one."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (stream) stream, event_id FROM event WHERE stream = ANY ($1) AND type = $2 "
        "ORDER BY stream, streamseq",
        streams,
        type_name,
    )
    return {row["stream"]: row["event_id"] for row in rows}


class Placed(NamedTuple):
    """Where an event lies in its stream."""

    streamseq: int
    type: str
    recorded_at: datetime


async def places_of(connection: Connection, stream: str, event_ids: Sequence[UUID]) -> list[Placed]:
    """The places of these events of a stream, as far as they are there, in order."""
    rows = await connection.fetch(
        "SELECT streamseq, type, recorded_at FROM event WHERE event_id = ANY ($1) AND stream = $2 ORDER BY streamseq",
        list(event_ids),
        stream,
    )
    return [Placed(*row) for row in rows]


async def stored_hashes(connection: Connection, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """The hashes of events by (stream, streamseq)."""
    asked = list(places)
    if not asked:
        return {}
    rows: list[Any] = await connection.fetch(
        "SELECT stream, streamseq, hash FROM event JOIN unnest($1::text[], $2::bigint[]) AS asked (stream, streamseq) "
        "USING (stream, streamseq)",
        [stream for stream, _ in asked],
        [streamseq for _, streamseq in asked],
    )
    return {(row["stream"], row["streamseq"]): row["hash"] for row in rows}


def event_row(recorded: Recorded, partition: int, offset: int) -> EventRow:
    """The row of an event."""
    return mirrored(recorded.envelope, parse_object(recorded.raw)["data"], recorded.raw, partition, offset)


def mirrored(envelope: Envelope, payload: Json, raw: bytes, partition: int, offset: int) -> EventRow:
    """The row of an event of which this program knows no more than the envelope."""
    return EventRow(
        stream=envelope.stream,
        streamseq=envelope.streamseq,
        event_id=envelope.id,
        type=envelope.type,
        type_version=envelope.version,
        commit_id=envelope.commitid,
        commit_index=envelope.commitindex,
        recorded_at=envelope.recordedat,
        received_at=envelope.receivedat,
        actor_id=envelope.actorid,
        actor_role=envelope.actorrole,
        payload=payload,
        raw=raw,
        hash=sha256_hex(raw),
        partition=partition,
        kafka_offset=offset,
    )


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are listed; None: any. Instants are of recordedAt, `since` inclusive, `until` exclusive.

    `subject_id`: of the participant's stream, and those of the study and the safety desk whose payload names them.
    """

    stream: str | None = None
    types: frozenset[str] | None = None
    actor_id: str | None = None
    commit_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    subject_id: str | None = None


ANY_EVENT = EventFilter()


async def events_after(
    connection: Connection,
    after: tuple[datetime, str, int] | None,
    complete_to: datetime,
    chosen: EventFilter,
    limit: int,
) -> list[EventRow]:
    """Events behind (recordedAt, stream, streamseq), in that order, recorded until `complete_to`."""
    recorded_at, stream, streamseq = after or (None, None, None)
    return await EVENT.where(
        connection,
        "($1::timestamptz IS NULL OR (recorded_at, stream, streamseq) > ($1, $2::text, $3::bigint)) "
        "AND recorded_at <= $4 AND ($5::text IS NULL OR stream = $5) AND ($6::text[] IS NULL OR type = ANY ($6)) "
        "AND ($7::text IS NULL OR actor_id = $7) AND ($8::uuid IS NULL OR commit_id = $8) "
        "AND ($9::timestamptz IS NULL OR recorded_at >= $9) AND ($10::timestamptz IS NULL OR recorded_at < $10) "
        "AND ($11::text IS NULL OR stream = 'subject-' || $11 "
        "OR stream IN ('study', 'safety-desk') AND payload->>'subjectId' = $11)",
        recorded_at,
        stream,
        streamseq,
        complete_to,
        chosen.stream,
        None if chosen.types is None else sorted(chosen.types),
        chosen.actor_id,
        chosen.commit_id,
        chosen.since,
        chosen.until,
        chosen.subject_id,
        order="recorded_at, stream, streamseq",
        limit=limit,
    )


async def stream_events(connection: Connection, stream: str, streamseq: int, limit: int) -> list[Recorded]:
    """A stream's events behind a streamseq, in order."""
    rows: list[Any] = await connection.fetch(
        "SELECT raw FROM event WHERE stream = $1 AND streamseq > $2 ORDER BY streamseq LIMIT $3",
        stream,
        streamseq,
        limit,
    )
    return [read(row["raw"]) for row in rows]
