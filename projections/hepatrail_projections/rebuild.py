"""Building a projection anew beside the live one, proving it, and switching over in one row.

A build reads no further than the live projection has come, so that both can be compared at the same offsets; for the
comparison the live projector is held by the row that it locks in every batch. An interrupted rebuild leaves a schema
that nobody reads: the next one drops it and begins again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import TopicPartition

from hepatrail_events.errors import LogShorter, StartRefused
from hepatrail_events.streams import STUDY
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import LogReader, Record, partition_of
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.postgres import connection
from hepatrail_projections.apply import Projection
from hepatrail_projections.catch_up import BATCH_RECORDS, apply_and_read
from hepatrail_projections.digests import Difference, differences, differing, digests
from hepatrail_projections.engine import Engine
from hepatrail_projections.memory import Memory
from hepatrail_projections.meta import META
from hepatrail_projections.offset import OFFSET
from hepatrail_projections.records import ReadRecord, read_ahead
from hepatrail_projections.schema import built_schemas, create_schema, drop_schema, schema_name
from hepatrail_projections.version import PROJECTION_VERSION

Progress = Callable[[str, int, int], None]
"""Called with what is being done (`build`, `prove`, `switch`), how many offsets are done and how many there are."""

Accepts = Callable[[Record], bool]
"""Whether a record is projected."""

_LOCK = 4_842_003
_WAIT_MS = 100
_NEAR = 2_000


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What came of a rebuild: the new schema with its digests, and how it differs from the one that was live.

    `switched` is False when something differs and it was not accepted: the new schema then stands beside the old one
    for inspection until the next rebuild.
    """

    schema: str
    replaced: str
    same_version: bool
    digests: Mapping[str, str]
    differences: tuple[Difference, ...]
    switched: bool


@dataclass(frozen=True, slots=True)
class Live:
    """A projection that is read and written now."""

    version: int
    schema: str


def _everything(_: Record) -> bool:
    return True


async def rebuild(
    bootstrap: str,
    owner_dsn: str,
    *,
    accept: bool = False,
    keep: bool = False,
    progress: Progress | None = None,
    version: int = PROJECTION_VERSION,
) -> RebuildReport:
    """Builds, proves and switches.

    `accept` switches although something differs, `keep` leaves earlier schemas that are not live. A build of another
    version than the live one is made twice and must come out the same twice. Raises StartRefused when nothing is
    live or another rebuild runs, Unavailable, LogShorter, and InvalidMessage when the log cannot be read.
    """
    tell = progress or (lambda *_: None)
    async with connection(owner_dsn, name="rebuild") as owner:
        if not await owner.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise StartRefused("Another rebuild is running.")
        live = await live_projection(owner, version)
        if not keep:
            await _drop_unused(owner)
        names = await _free_names(owner, version, count=1 if live.version == version else 2)
        builds = [await new_build(owner_dsn, name) for name in names]
        try:
            for build in builds:
                await follow_live(build, owner, live, bootstrap, tell)
            return await _finish(builds, owner, live, bootstrap, tell, accept=accept, version=version)
        finally:
            for build in builds:
                await build.close()
            for name in names[1:]:
                await drop_schema(owner, name)


async def _finish(
    builds: list[Engine],
    owner: asyncpg.Connection,
    live: Live,
    bootstrap: str,
    tell: Progress,
    *,
    accept: bool,
    version: int,
) -> RebuildReport:
    schema = builds[0].projection.schema
    async with held(owner, live):
        target = await offsets_of(owner, live.schema)
        for build in builds:
            await build_to(build, target, bootstrap, tell)
        tell("prove", 0, 1)
        old, new = await asyncio.gather(digests(owner, live.schema), digests(builds[0].connection, schema))
        for build in builds[1:]:
            unlike = differing(new, await digests(owner, build.projection.schema))
            if unlike:
                raise StartRefused(f"Two builds from the same log differ in {', '.join(unlike)}: this is a bug.")
        found = await differences(owner, live.schema, schema, differing(old, new))
        tell("prove", 1, 1)
        if "event" in {each.table for each in found}:
            raise StartRefused(
                f"The events in {live.schema} are not those of the log, those in {schema} are: the table was changed."
            )
        switched = accept or not found
        if switched:
            await owner.execute(
                f"INSERT INTO {META}.live_projection VALUES ($1, $2) "  # noqa: S608
                "ON CONFLICT (version) DO UPDATE SET schema = excluded.schema",
                version,
                schema,
            )
            tell("switch", 1, 1)
    return RebuildReport(schema, live.schema, live.version == version, new, found, switched)


async def live_projection(owner: asyncpg.Connection, version: int) -> Live:
    """The projection to compare with: that of this version, else that of the highest; StartRefused without any."""
    if await owner.fetchval("SELECT to_regclass($1)", f"{META}.live_projection") is None:
        raise StartRefused("No projection is live yet: start the stack first.")
    row = await owner.fetchrow(
        f"SELECT version, schema FROM {META}.live_projection ORDER BY version = $1 DESC, version DESC LIMIT 1",  # noqa: S608
        version,
    )
    if row is None:
        raise StartRefused("No projection is live yet: start the stack first.")
    return Live(int(row["version"]), str(row["schema"]))


async def _drop_unused(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(f"SELECT schema FROM {META}.live_projection")  # noqa: S608
    used = {str(row["schema"]) for row in rows}
    for schema in await built_schemas(owner):
        if schema not in used:
            await drop_schema(owner, schema)


async def _free_names(owner: asyncpg.Connection, version: int, count: int) -> list[str]:
    taken = set(await built_schemas(owner))
    names: list[str] = []
    number = 1
    while len(names) < count:
        name = schema_name(version, number)
        if name not in taken:
            names.append(name)
        number += 1
    return names


async def new_build(owner_dsn: str, schema: str) -> Engine:
    """An empty projection that nobody reads, on a connection of its own; whoever makes it closes and drops it."""
    link = await asyncpg.connect(owner_dsn, timeout=10, server_settings={"application_name": "hepatrail rebuild"})
    async with link.transaction():
        await create_schema(link, schema)
    await link.execute("SELECT set_config('search_path', $1, false)", schema)
    # Nothing is lost when the machine falls: an unproven build is thrown away.
    await link.execute("SET synchronous_commit = off")
    return Engine(link, Projection(schema, await Memory.load(link), live=False), SystemClock())


async def follow_live(build: Engine, owner: asyncpg.Connection, live: Live, bootstrap: str, tell: Progress) -> None:
    """Builds until the live projection is near; it goes on meanwhile."""
    while True:
        target = await offsets_of(owner, live.schema)
        await build_to(build, target, bootstrap, tell)
        if sum((await offsets_of(owner, live.schema)).values()) - sum(target.values()) < _NEAR:
            return


async def build_to(
    build: Engine,
    target: Mapping[TopicPartition, int],
    bootstrap: str,
    tell: Progress,
    accept: Accepts = _everything,
) -> None:
    """Projects every record before the target offsets that is accepted; partitions that are no target are not read.

    Releases come first, so that what they concern never halts; then the protocol, without which every participant
    would be derived twice. `accept` is asked about each record once, in the order of its partition.
    """
    first = (TopicPartition(QUARANTINE, 0), TopicPartition(EVENTS, partition_of(STUDY)))
    for partition in first:
        await _read({partition: target[partition]}, build, bootstrap, tell, accept)
    await _read({tp: offset for tp, offset in target.items() if tp not in first}, build, bootstrap, tell, accept)


async def _read(
    target: Mapping[TopicPartition, int], build: Engine, bootstrap: str, tell: Progress, accept: Accepts
) -> None:
    behind = _behind(target, build)
    if not behind:
        return
    async with Wire(bootstrap) as wire:
        ends = await wire.stable_ends(behind)
    for partition in behind:
        if ends[partition] < target[partition]:
            raise LogShorter(
                f"LOG_SHORTER: {partition.topic}/{partition.partition} ends at {ends[partition]}, but records up to "
                f"{target[partition]} were projected."
            )
    reader = LogReader(bootstrap)
    await reader.start({partition: build.next_offsets[partition] for partition in behind})
    try:
        batch: list[ReadRecord] = []
        while batch or await _unread(target, reader):
            reading = _records_before(target, reader, accept)
            batch = await apply_and_read(build, batch, reading) if batch else await reading
            tell("build", sum([await reader.position(each) for each in behind]), sum(target[each] for each in behind))
    finally:
        await reader.stop()


async def _records_before(target: Mapping[TopicPartition, int], reader: LogReader, accept: Accepts) -> list[ReadRecord]:
    arrived = await reader.getmany(_WAIT_MS, BATCH_RECORDS)
    return await read_ahead(
        [each for tp, records in arrived.items() for each in records if each.offset < target[tp] and accept(each)]
    )


async def _unread(target: Mapping[TopicPartition, int], reader: LogReader) -> bool:
    """Whether records before the target were not read yet; behind the last one a partition may hold only markers."""
    for partition in reader.partitions:
        if await reader.position(partition) < target[partition]:
            return True
    return False


def _behind(target: Mapping[TopicPartition, int], build: Engine) -> list[TopicPartition]:
    reached = build.next_offsets
    return [partition for partition, offset in target.items() if reached[partition] < offset]


async def offsets_of(owner: asyncpg.Connection, schema: str) -> dict[TopicPartition, int]:
    """How far a projection has come: the next offset of every partition."""
    rows = await owner.fetch(f"SELECT topic, partition, next_offset FROM {schema}.{OFFSET.name}")  # noqa: S608
    return {TopicPartition(row["topic"], int(row["partition"])): int(row["next_offset"]) for row in rows}


@asynccontextmanager
async def held(owner: asyncpg.Connection, live: Live) -> AsyncIterator[None]:
    """Holds the live projector between two of its batches."""
    async with owner.transaction():
        schema = await owner.fetchval(
            f"SELECT schema FROM {META}.live_projection WHERE version = $1 FOR UPDATE",  # noqa: S608
            live.version,
        )
        if schema != live.schema:
            raise StartRefused("Another schema was made live meanwhile: run it again.")
        yield


def listed(found: Iterable[Difference]) -> list[str]:
    """The differences as sentences."""
    return [
        f"{each.table}: {each.only_new} new, {each.only_old} gone, {each.changed} changed"
        + (f" ({', '.join(each.keys)})" if each.keys else "")
        for each in found
    ]
