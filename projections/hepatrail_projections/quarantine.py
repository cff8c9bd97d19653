"""`quarantine` and `parked_event`: what could not be read, and what waits behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hepatrail_projections.table import Connection, Table

PARKED = "PARKED"
RELEASED = "RELEASED"


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A record that could not be read, or an event that does not follow the one before it.

    `status` is PARKED while the subject waits for a decision, then RELEASED, with who, when and why.
    """

    topic: str
    partition: int
    kafka_offset: int
    stream: str | None
    code: str
    reason: str
    raw: bytes
    status: str
    released_by: str | None
    released_reason: str | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class ParkedEventRow:
    """An event of a parked subject: it waits, as it was received."""

    partition: int
    kafka_offset: int
    stream: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class ReleasedRow:
    """A position that is passed over, whether it was read already or not."""

    topic: str
    partition: int
    kafka_offset: int
    stream: str
    reason: str
    released_by: str
    released_at: datetime


_PLACES = ("kafka_offset",)

QUARANTINE = Table(
    "quarantine", QuarantineRow, ("topic", "partition", "kafka_offset"), indexes=("(stream)",), places=_PLACES
)
PARKED_EVENT = Table(
    "parked_event", ParkedEventRow, ("partition", "kafka_offset"), indexes=("(stream)",), places=_PLACES
)
RELEASE = Table("released", ReleasedRow, ("topic", "partition", "kafka_offset"), places=_PLACES)


async def parked_records(connection: Connection, stream: str | None) -> tuple[QuarantineRow, ...]:
    """What could not be read and was not released, of one stream or of all."""
    return tuple(
        await QUARANTINE.where(connection, "status = $1 AND ($2::text IS NULL OR stream = $2)", PARKED, stream)
    )


async def parked_of(connection: Connection, streams: Sequence[str]) -> dict[str, list[QuarantineRow]]:
    """What could not be read and was not released, by stream, of some streams; one without any is left out."""
    found: dict[str, list[QuarantineRow]] = {}
    for row in await QUARANTINE.where(connection, "status = $1 AND stream = ANY ($2)", PARKED, list(streams)):
        if row.stream is not None:
            found.setdefault(row.stream, []).append(row)
    return found


async def waiting_events(connection: Connection, streams: Sequence[str]) -> list[ParkedEventRow]:
    """What waits in parked streams, in the order of the log."""
    if not streams:
        return []
    return await PARKED_EVENT.where(connection, "stream = ANY ($1)", list(streams))


async def mark_released(connection: Connection, releases: Sequence[ReleasedRow]) -> None:
    """Notes in the quarantine who released what is in it."""
    await connection.execute(
        "UPDATE quarantine AS held SET status = 'RELEASED', released_by = u.released_by, released_reason = u.reason, "
        "released_at = u.released_at FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], "
        "$6::timestamptz[]) AS u (topic, partition, kafka_offset, reason, released_by, released_at) "
        "WHERE held.topic = u.topic AND held.partition = u.partition AND held.kafka_offset = u.kafka_offset",
        [row.topic for row in releases],
        [row.partition for row in releases],
        [row.kafka_offset for row in releases],
        [row.reason for row in releases],
        [row.released_by for row in releases],
        [row.released_at for row in releases],
    )
