"""The projections once more from the log alone, in a schema that is thrown away (AUD-12): as of then, or to compare.

A replay is what a system would have had that knew no more of the log than was recorded until an instant. Times come
from the records themselves, never from Kafka or from this machine. A stream's times never run backwards, so what is
known of each stream is a beginning of it. A process that was killed leaves its schema; the next one drops it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
from aiokafka import TopicPartition

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import NEVER_PARKED, SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.types import parse_instant
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import Record, partition_of
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.postgres import connection
from hepatrail_projections.digests import (
    Difference,
    ValueDifference,
    counted,
    differences,
    differing,
    digests,
    value_differences,
)
from hepatrail_projections.engine import Engine
from hepatrail_projections.event import EVENT
from hepatrail_projections.meta import refuse_other_version
from hepatrail_projections.offset import OFFSET
from hepatrail_projections.rebuild import Progress, build_to, follow_live, held, live_projection, new_build, offsets_of
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.schema import drop_schema
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION

_NAMES: Final = "^replay_[0-9a-f]{8}$"


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay while it lasts: its schema, and a connection of its owner that reads from there.

    `as_of` is the instant that was asked for, else that of the last event; None when there is no event at all.
    """

    schema: str
    as_of: datetime | None
    subject: str | None
    connection: Connection


@dataclass(frozen=True, slots=True)
class CompareReport:
    """How the live schema differs from what the log says: `digests` are those of the log, `rows` the live ones.

    Nothing is kept back in `differences`; `values` are the same, value by value (old: live, new: from the log).
    """

    schema: str
    digests: Mapping[str, str]
    rows: int
    differences: tuple[Difference, ...]
    values: tuple[ValueDifference, ...]


class Cut:
    """Which records were known: asked about each record once, those of a partition in their order.

    `as_of` (inclusive) cuts by the record's own time, `sizes` the events by their number in each partition, as seals
    count them. A record that cannot be read has no time: it counts from the latest before it in its partition. What
    releases the study or the desk is always known, for without it there is nothing to be answered. `subject` leaves
    other participants out, and what no participant is in.
    """

    def __init__(
        self,
        as_of: datetime | None = None,
        sizes: Mapping[int, int] | None = None,
        subject: str | None = None,
    ) -> None:
        self._as_of = as_of
        self._sizes = sizes
        self._streams = None if subject is None else (STUDY, SAFETY_DESK, subject_stream(subject))
        self._keys = frozenset(stream.encode() for stream in self._streams or ())
        self._leaves: dict[int, int] = {}
        self._latest: dict[TopicPartition, datetime] = {}

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """The partitions that must be read."""
        if self._streams is None:
            return READ_TOPICS
        numbers = sorted(set(map(partition_of, self._streams)))
        return (
            *(TopicPartition(topic, number) for topic in (EVENTS, DECISIONS) for number in numbers),
            TopicPartition(QUARANTINE, 0),
        )

    def admits(self, record: Record) -> bool:
        """Whether the record was known."""
        sealed = record.topic == EVENTS and self._sizes is not None
        if not (self._is_sealed(record) if sealed else self._was_recorded(record)):
            return False
        return self._streams is None or record.topic == QUARANTINE or record.key in self._keys

    def _is_sealed(self, record: Record) -> bool:
        assert self._sizes is not None
        self._leaves[record.partition] = number = self._leaves.get(record.partition, 0) + 1
        return number <= self._sizes.get(record.partition, 0)

    def _was_recorded(self, record: Record) -> bool:
        if self._as_of is None:
            return True
        partition = TopicPartition(record.topic, record.partition)
        at, always = _moment(record)
        latest = self._latest.get(partition)
        if at is None:
            return latest is None or latest <= self._as_of
        self._latest[partition] = at if latest is None else max(at, latest)
        return always or at <= self._as_of


def _moment(record: Record) -> tuple[datetime | None, bool]:
    """When a record came to be, as it says itself (None: it does not), and whether that does not matter."""
    try:
        body = parse_object(record.value or b"")
        at = parse_instant(body.get("recordedat" if record.topic in (EVENTS, DECISIONS) else "at"))
    except (InvalidMessage, ValueError):
        return None, False
    return at, record.topic == QUARANTINE and body.get("stream") in NEVER_PARKED


@asynccontextmanager
async def replay(
    bootstrap: str,
    owner_dsn: str,
    *,
    as_of: datetime | None = None,
    sizes: Mapping[int, int] | None = None,
    subject: str | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[Replay]:
    """The projections as they were at an instant (aware), or as they are now, until the block is left.

    `sizes` cut the events at the leaves of a seal instead, the rest at its instant; `subject` takes in only the study,
    the desk and this participant. Raises Unavailable, LogShorter, and InvalidMessage when the system stood still then.
    """
    if sizes is not None and as_of is None:
        raise ValueError("the sizes of a seal cut the events; its instant must cut the rest")
    cut = Cut(as_of, sizes, subject)
    async with connection(owner_dsn, name="replay") as owner, thrown_away(owner, owner_dsn) as build:
        async with Wire(bootstrap) as wire:
            ends = await wire.stable_ends(cut.partitions)
        await build_to(build, ends, bootstrap, progress or _silent, cut.admits)
        link = build.connection
        at = as_of or await link.fetchval(f"SELECT max(recorded_at) FROM {EVENT.name}")  # noqa: S608
        if at is not None:
            whole = f"UPDATE {OFFSET.name} SET complete_to = $1 WHERE topic = ANY ($2)"  # noqa: S608
            await link.execute(whole, at, [EVENTS, DECISIONS])
        yield Replay(build.projection.schema, at, subject, link)


async def compare(bootstrap: str, owner_dsn: str, progress: Progress | None = None) -> CompareReport:
    """Holds the live projection against a build from the log up to the same offsets; nothing is switched.

    The live projector is held for the last part of it. Raises StartRefused when no projection of this version is
    live, Unavailable, LogShorter, and InvalidMessage when the log cannot be read.
    """
    tell = progress or _silent
    async with connection(owner_dsn, name="compare") as owner:
        live = await live_projection(owner, PROJECTION_VERSION)
        if live.version != PROJECTION_VERSION:
            refuse_other_version([live.version])
        async with thrown_away(owner, owner_dsn) as build:
            await follow_live(build, owner, live, bootstrap, tell)
            schema = build.projection.schema
            async with held(owner, live):
                await build_to(build, await offsets_of(owner, live.schema), bootstrap, tell)
                tell("prove", 0, 1)
                old, new = await asyncio.gather(digests(owner, live.schema), digests(build.connection, schema))
                names = differing(old, new)
                found = await differences(owner, live.schema, schema, names, shown=None)
                values = await value_differences(owner, live.schema, schema, names)
                rows = sum((await counted(owner, live.schema)).values())
                tell("prove", 1, 1)
            return CompareReport(live.schema, new, rows, found, values)


async def drop_left_over(owner: Connection) -> tuple[str, ...]:
    """Drops the schemas of replays whose process is gone, and says which."""
    rows = await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ $1 ORDER BY nspname", _NAMES)
    dropped = []
    for schema in [str(row["nspname"]) for row in rows]:
        if await owner.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", schema):
            await drop_schema(owner, schema)
            await _unlock(owner, schema)
            dropped.append(schema)
    return tuple(dropped)


@asynccontextmanager
async def thrown_away(owner: asyncpg.Connection, owner_dsn: str) -> AsyncIterator[Engine]:
    """An empty build that goes with the block.

    Its name is locked for as long as the owner's session lives, however that ends: what a killed process leaves is
    dropped by the next one. Raises Unavailable.
    """
    await drop_left_over(owner)
    schema = f"replay_{secrets.token_hex(4)}"
    await owner.execute("SELECT pg_advisory_lock(hashtext($1))", schema)
    build = await new_build(owner_dsn, schema)
    try:
        yield build
    finally:
        await build.close()
        await drop_schema(owner, schema)
        await _unlock(owner, schema)


async def _unlock(owner: Connection, schema: str) -> None:
    await owner.execute("SELECT pg_advisory_unlock(hashtext($1))", schema)


def _silent(*_: object) -> None:
    return
