"""One projector's hold on the live schema: a connection, the lock that makes it the only one, memory and offsets."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import asyncpg
from aiokafka import TopicPartition

from hepatrail_infra.clock import Clock
from hepatrail_infra.postgres import translate_errors
from hepatrail_infra.telemetry import counter, histogram
from hepatrail_projections.apply import Projection, QuarantineSink, apply
from hepatrail_projections.completeness import Completeness, Seen
from hepatrail_projections.memory import Memory
from hepatrail_projections.meta import live_schema, take_retry_requests
from hepatrail_projections.records import Batch, CommitGate, RawRecord
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION

_log = logging.getLogger(__name__)
_STANDBY = 0.5
_SETTINGS = {
    "application_name": "hepatrail projector",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
}

EVENTS_PROJECTED = counter("projector_records", "Records projected")
BATCHES = counter("projector_batches", "Transactions of the projector")
SECONDS = histogram("projector_batch_seconds", "Time of one transaction of the projector")


class Engine:
    """Applies batches to one schema. Not for two tasks at once. Any error leaves it unusable: open another one."""

    def __init__(self, connection: Connection, projection: Projection, clock: Clock) -> None:
        self._connection = connection
        self.projection = projection
        self._gate = CommitGate()
        self._clock = clock
        self._completeness = Completeness(clock)
        self._stored: Mapping[TopicPartition, datetime] = {}
        self._idle_at = 0.0

    @property
    def connection(self) -> Connection:
        """The connection to the schema."""
        return self._connection

    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where each partition is read on from."""
        return {partition: row.next_offset for partition, row in self.projection.memory.offsets.items()}

    @property
    def last_records(self) -> dict[TopicPartition, tuple[int, str]]:
        """Offset and hash of the last record of each partition that has one."""
        return {
            partition: (row.last_offset, row.last_hash)
            for partition, row in self.projection.memory.offsets.items()
            if row.last_offset is not None and row.last_hash is not None
        }

    async def apply(self, records: Iterable[RawRecord]) -> int:
        """Projects what forms whole commits, in one transaction; how many records that were."""
        admitted = self._gate.admit(records)
        if admitted:
            await self._transact(admitted)
        return len(admitted)

    async def idle(self, seen: Mapping[TopicPartition, Seen]) -> None:
        """Notes how complete the projections are and does what was asked of it, at most once a second."""
        self._completeness.observe(seen, self.next_offsets)
        now = asyncio.get_running_loop().time()
        if now - self._idle_at >= 1.0:
            self._idle_at = now
            await self._transact(())

    def change_source(self) -> None:
        """Forgets what another reader has fetched and not given whole: the next one begins at `next_offsets`."""
        self._gate = CommitGate()
        self._completeness = Completeness(self._clock)

    async def retry_parked(self) -> None:
        """Reads all parked streams again: a newer program may understand them."""
        parked = sorted(self.projection.memory.parked)
        if parked:
            with translate_errors():
                await apply(Batch(()), self._connection, self.projection, None, parked)

    async def close(self) -> None:
        """Gives connection and lock back."""
        if isinstance(self._connection, asyncpg.Connection):
            await self._connection.close(timeout=2)

    async def _transact(self, records: Sequence[RawRecord]) -> None:
        complete_to = self._completeness.complete_to()
        changed = {tp: moment for tp, moment in complete_to.items() if self._stored.get(tp) != moment}
        with translate_errors(), SECONDS.time():
            retries = [] if records or not self.projection.live else await take_retry_requests(self._connection)
            if not (records or changed or retries):
                return
            await apply(Batch(tuple(records)), self._connection, self.projection, changed, retries)
        self._stored = complete_to
        BATCHES.inc()
        EVENTS_PROJECTED.inc(len(records))


async def open_engine(
    dsn: str,
    clock: Clock,
    sink: QuarantineSink | None,
    *,
    version: int = PROJECTION_VERSION,
    exclusive: bool = True,
) -> Engine:
    """Connects to the live schema, waits until no other projector has it, and reads what is remembered of it.

    Raises Unavailable when Postgres is away or nothing of this version is live.
    """
    with translate_errors():
        connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60, server_settings=_SETTINGS)
        try:
            schema = await live_schema(connection, version)
            if exclusive:
                await _only_one(connection, schema)
                schema = await live_schema(connection, version)
            await connection.execute("SELECT set_config('search_path', $1, false)", schema)
            memory = await Memory.load(connection)
        except BaseException:
            connection.terminate()
            raise
    return Engine(connection, Projection(schema, memory, version=version, sink=sink), clock)


async def _only_one(connection: asyncpg.Connection, schema: str) -> None:
    """Waits for the lock of the session; it falls when the session ends, whatever ended it."""
    waiting = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('hepatrail projector ' || $1))", schema):
        if not waiting:
            _log.info("another projector writes %s: standing by", schema)
            waiting = True
        await asyncio.sleep(_STANDBY)
