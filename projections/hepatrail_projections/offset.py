"""`projection_offset`: how far each partition is projected, in the transaction of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.errors import Conflict
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_projections.table import Connection, Table


@dataclass(frozen=True, slots=True)
class OffsetRow:
    """A partition's place.

    `last_offset` and `last_hash` (SHA-256 of its value) are those of the last record, by which a replaced log is
    found out. `unreadable_run` counts records that could not be read since the last that could. `complete_to`:
    every event of the partition recorded until then is projected.
    """

    topic: str
    partition: int
    next_offset: int
    last_offset: int | None
    last_hash: str | None
    unreadable_run: int
    complete_to: datetime | None


OFFSET = Table("projection_offset", OffsetRow, ("topic", "partition"), digested=False)


async def offsets(connection: Connection) -> tuple[OffsetRow, ...]:
    """Every partition's place."""
    return tuple(await OFFSET.where(connection, "true"))


async def complete_to_of(connection: Connection, topic: str = EVENTS) -> datetime | None:
    """The least `complete_to` over the partitions of the events or the decisions; None while one of them has none."""
    row = await connection.fetchrow(
        "SELECT min(complete_to) AS least, count(complete_to) AS known FROM projection_offset WHERE topic = $1", topic
    )
    return row["least"] if row is not None and row["known"] == PARTITIONS else None


async def advance(connection: Connection, changes: Sequence[tuple[int, OffsetRow]]) -> None:
    """Moves partitions on from the offset at which they are expected to stand.

    Conflict when one of them stands elsewhere: another projector was faster, and nothing of this batch may be kept.
    Locks the rows in one order, so that two projectors wait for each other instead of deadlocking.
    """
    if not changes:
        return
    moved = await connection.execute(
        "WITH given AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], "
        "$6::bigint[], $7::timestamptz[], $8::bigint[]) AS u (topic, partition, next_offset, last_offset, last_hash, "
        "unreadable_run, complete_to, expected)), locked AS MATERIALIZED (SELECT topic, partition "
        "FROM projection_offset JOIN given USING (topic, partition) ORDER BY topic, partition "
        "FOR UPDATE OF projection_offset) "
        "UPDATE projection_offset AS stored SET next_offset = u.next_offset, last_offset = u.last_offset, "
        "last_hash = u.last_hash, unreadable_run = u.unreadable_run, complete_to = u.complete_to "
        "FROM given AS u JOIN locked USING (topic, partition) WHERE stored.topic = u.topic "
        "AND stored.partition = u.partition AND stored.next_offset = u.expected",
        *OFFSET.arrays([row for _, row in changes]),
        [offset for offset, _ in changes],
    )
    if int(moved.split()[-1]) != len(changes):
        raise Conflict("another projector has moved the offsets on: this one is a zombie and starts over")
