"""`log_tile`: the tree over each partition of the events (RFC 6962), in tiles of height 4, with every leaf's offset."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hepatrail_events.transparency.tiles import WIDTH, Tile
from hepatrail_projections.table import Connection, Table

_OFFSET = 8
_LEVELS = 16
"""More than 63 bits of leaves have, at four a level."""


@dataclass(frozen=True, slots=True)
class TileRow:
    """Up to 16 hashes of one level of a partition's tree, one after the other.

    At level 0, the leaves', `offsets` are their offsets in Kafka, 8 bytes each, big-endian, and `first_offset` is the
    least of them; above both are empty.
    """

    partition: int
    level: int
    number: int
    first_offset: int | None
    hashes: bytes
    offsets: bytes


LOG_TILE = Table(
    "log_tile",
    TileRow,
    ("partition", "level", "number"),
    indexes=("(partition, first_offset) WHERE level = 0",),
    places=("first_offset", "offsets"),
)


def tile_row(partition: int, tile: Tile) -> TileRow:
    """The row of a tile."""
    first = int.from_bytes(tile.offsets[:_OFFSET], "big") if tile.offsets else None
    return TileRow(partition, tile.level, tile.number, first, tile.hashes, tile.offsets)


async def last_tiles(connection: Connection) -> dict[int, list[Tile]]:
    """The last tile of each level, by partition; a partition without leaves is left out."""
    # Not one pass over the table: the last number of each level is one step in the index of the key.
    rows: list[Any] = await connection.fetch(
        "SELECT last.* FROM (SELECT DISTINCT partition FROM projection_offset) AS known "
        "CROSS JOIN generate_series(0, $1::int) AS each (level) "
        "CROSS JOIN LATERAL (SELECT partition, level, number, hashes, offsets FROM log_tile "
        "WHERE partition = known.partition AND level = each.level ORDER BY number DESC LIMIT 1) AS last",
        _LEVELS,
    )
    found: dict[int, list[Tile]] = {}
    for row in rows:
        found.setdefault(row["partition"], []).append(Tile(row["level"], row["number"], row["hashes"], row["offsets"]))
    return found


async def read_tiles(
    connection: Connection, partition: int, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """The hashes of these tiles by (level, number), as far as they are there."""
    asked = list(wanted)
    rows: list[Any] = await connection.fetch(
        "SELECT level, number, hashes FROM log_tile JOIN unnest($2::bigint[], $3::bigint[]) AS asked (level, number) "
        "USING (level, number) WHERE partition = $1",
        partition,
        [level for level, _ in asked],
        [number for _, number in asked],
    )
    return {(row["level"], row["number"]): row["hashes"] for row in rows}


async def leaf_index(connection: Connection, partition: int, offset: int) -> int | None:
    """Which leaf of its partition's tree the record at an offset is; None when it is none."""
    row = await connection.fetchrow(
        "SELECT number, offsets FROM log_tile WHERE partition = $1 AND level = 0 AND first_offset <= $2 "
        "ORDER BY first_offset DESC LIMIT 1",
        partition,
        offset,
    )
    if row is None:
        return None
    offsets = row["offsets"]
    leaves = [int.from_bytes(offsets[at : at + _OFFSET], "big") for at in range(0, len(offsets), _OFFSET)]
    return row["number"] * WIDTH + leaves.index(offset) if offset in leaves else None
