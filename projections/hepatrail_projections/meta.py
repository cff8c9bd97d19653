"""The schema `hepatrail`: which projection is live, how the safety process is, what was asked of the projector.

It outlives every projection. Nothing in it is a fact of the trial: without it a process starts over from the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_projections.table import Connection, Json, load_json, to_json_text
from hepatrail_projections.version import PROJECTION_VERSION

META = "hepatrail"

META_DDL: tuple[str, ...] = (
    f"CREATE SCHEMA IF NOT EXISTS {META}",
    f"CREATE TABLE IF NOT EXISTS {META}.live_projection (version bigint PRIMARY KEY, schema text NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {META}.retry_request (stream text PRIMARY KEY)",
    f"""CREATE TABLE IF NOT EXISTS {META}.safety_status (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        desk_alert_seq bigint NOT NULL, desk_version bigint NOT NULL,
        processed_to timestamptz NOT NULL, scheduled_to timestamptz NOT NULL,
        safety_healthy boolean NOT NULL, scheduler_healthy boolean NOT NULL,
        parked jsonb NOT NULL, detail text, written_at timestamptz NOT NULL)""",
)


@dataclass(frozen=True, slots=True)
class SafetyStatus:
    """What the safety process wrote last: the desk's head in Kafka, how far it is, whom it cannot read.

    `age_seconds` is how long ago it did so, by the clock of Postgres; None when it is to be written.
    """

    desk_alert_seq: int
    desk_version: int
    processed_to: datetime
    scheduled_to: datetime
    safety_healthy: bool
    scheduler_healthy: bool
    parked: Json
    detail: str | None = None
    age_seconds: float | None = None


async def live_schema(connection: Connection, version: int = PROJECTION_VERSION) -> str:
    """The schema that readers and the projector of a version use; Unavailable while there is none."""
    schema = await connection.fetchval(f"SELECT schema FROM {META}.live_projection WHERE version = $1", version)  # noqa: S608
    if schema is None:
        raise Unavailable(f"no projection of version {version} is live yet: run hepatrail rebuild")
    return str(schema)


async def enter_live_schema(connection: Connection, version: int = PROJECTION_VERSION) -> None:
    """Reads from that schema until the transaction ends; Unavailable while there is none."""
    sql = f"SELECT set_config('search_path', schema, true) FROM {META}.live_projection WHERE version = $1"  # noqa: S608
    if await connection.fetchval(sql, version) is None:
        raise Unavailable(f"no projection of version {version} is live yet: run hepatrail rebuild")


async def hold_live_schema(connection: Connection, version: int = PROJECTION_VERSION) -> str | None:
    """The same, locked until the transaction ends, so that no rebuild switches in between; None when there is none."""
    found = await connection.fetchval(
        f"SELECT schema FROM {META}.live_projection WHERE version = $1 FOR SHARE",  # noqa: S608
        version,
    )
    return None if found is None else str(found)


async def write_safety_status(connection: Connection, status: SafetyStatus) -> None:
    """Replaces the one row."""
    await connection.execute(
        f"""INSERT INTO {META}.safety_status (singleton, desk_alert_seq, desk_version, processed_to, scheduled_to,
        safety_healthy, scheduler_healthy, parked, detail, written_at)
        VALUES (true, $1, $2, $3, $4, $5, $6, $7::jsonb, $8, clock_timestamp())
        ON CONFLICT (singleton) DO UPDATE SET desk_alert_seq = $1, desk_version = $2, processed_to = $3,
        scheduled_to = $4, safety_healthy = $5, scheduler_healthy = $6, parked = $7::jsonb, detail = $8,
        written_at = clock_timestamp()""",  # noqa: S608
        status.desk_alert_seq,
        status.desk_version,
        status.processed_to,
        status.scheduled_to,
        status.safety_healthy,
        status.scheduler_healthy,
        to_json_text(status.parked),
        status.detail,
    )


async def read_safety_status(connection: Connection) -> SafetyStatus | None:
    """What was written last, None before the safety process ran."""
    row = await connection.fetchrow(
        f"""SELECT desk_alert_seq, desk_version, processed_to, scheduled_to, safety_healthy, scheduler_healthy, parked,
        detail, extract(epoch FROM clock_timestamp() - written_at)::float8 AS age_seconds FROM {META}.safety_status"""  # noqa: S608
    )
    if row is None:
        return None
    return SafetyStatus(**{**row, "parked": load_json(row["parked"])})


async def request_retry(connection: Connection, stream: str) -> None:
    """Asks the projector to read a parked stream again."""
    await connection.execute(
        f"INSERT INTO {META}.retry_request VALUES ($1) ON CONFLICT DO NOTHING",  # noqa: S608
        stream,
    )


async def take_retry_requests(connection: Connection) -> list[str]:
    """Takes the requests; they are gone when the transaction ends."""
    rows = await connection.fetch(f"DELETE FROM {META}.retry_request RETURNING stream")  # noqa: S608
    return sorted(row["stream"] for row in rows)


def refuse_other_version(versions: Iterable[int], version: int = PROJECTION_VERSION) -> None:
    """StartRefused when projections of other versions are live and this one was never built."""
    others = ", ".join(map(str, sorted(versions)))
    raise StartRefused(f"This program reads projections of version {version}, not of {others}: run hepatrail rebuild.")
