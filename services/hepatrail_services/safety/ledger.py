"""What the safety process knows of itself, in Postgres: how far it has reacted, what it holds back, how it is.

None of it is a fact of the trial. Without it the process reacts to the whole log again, and the desk knows all ids.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from hepatrail_events.errors import Conflict, StartRefused
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_infra.postgres import translate_errors
from hepatrail_projections.meta import META, SafetyStatus, read_safety_status, write_safety_status

SAFETY_DDL: tuple[str, ...] = (
    f"""CREATE TABLE IF NOT EXISTS {META}.safety_offset (
        partition bigint PRIMARY KEY, next_offset bigint NOT NULL, last_hash text NOT NULL)""",
    f"""CREATE TABLE IF NOT EXISTS {META}.safety_held (
        stream text PRIMARY KEY, kind text NOT NULL, partition bigint NOT NULL, kafka_offset bigint NOT NULL,
        code text NOT NULL, reason text NOT NULL, found_at timestamptz NOT NULL)""",
    # Counted here before commands found their next id by themselves; the table outlives versions.
    f"ALTER TABLE {META}.safety_held DROP COLUMN IF EXISTS attempt",
)
"""Tables of the schema that `ensure_projection` makes; the owner's role creates them."""

_log = logging.getLogger(__name__)
_STANDBY = 0.5
_SETTINGS = {
    "application_name": "hepatrail safety",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "60s",
}


class HeldKind(StrEnum):
    """Why a stream waits."""

    PARKED = "PARKED"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Held:
    """A stream that waits: nothing from the record at `kafka_offset` on has been reacted to.

    PARKED: that record cannot be read. HALTED: the desk has rejected a command that belongs before or to its commit,
    with `code`.
    """

    stream: str
    kind: HeldKind
    partition: int
    kafka_offset: int
    code: str
    reason: str
    found_at: datetime

    @property
    def place(self) -> Place:
        """The first record that waits."""
        return Place(EVENTS, self.partition, self.kafka_offset)

    def json(self) -> dict[str, str]:
        """As the status row and the health page show it."""
        where = f"{EVENTS}/{self.partition}@{self.kafka_offset}"
        return {"stream": self.stream, "kind": self.kind, "place": where, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ReadTo:
    """Where a partition is read on from, and the SHA-256 of the value before: a replaced log is found out by it."""

    partition: int
    next_offset: int
    last_hash: str


async def ensure_safety(owner: asyncpg.Connection) -> None:
    """Makes the tables as far as they are missing; the schema is there."""
    for statement in SAFETY_DDL:
        await owner.execute(statement)


class Ledger:
    """The one connection of the one safety process that works; it holds the lock which makes it the only one.

    Whoever loses the connection loses the lock with it, so that nothing is ever written by a zombie. Every method
    raises Unavailable when Postgres is away; then open another one.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    async def read_to(self) -> dict[int, ReadTo]:
        """Partitions of the events that have been reacted to, as far as they have."""
        async with self._free():
            rows = await self._connection.fetch(
                f"SELECT partition, next_offset, last_hash FROM {META}.safety_offset"  # noqa: S608
            )
        return {int(row["partition"]): ReadTo(**row) for row in rows}

    async def held(self) -> dict[str, Held]:
        """The streams that wait."""
        async with self._free():
            rows = await self._connection.fetch(f"SELECT * FROM {META}.safety_held")  # noqa: S608
        return {row["stream"]: Held(**{**row, "kind": HeldKind(row["kind"])}) for row in rows}

    async def advance(
        self, changes: Iterable[tuple[int, ReadTo]], held: Iterable[Held] = (), free: Iterable[str] = ()
    ) -> None:
        """In one transaction: partitions move on from where they must stand, streams are held, others are free.

        Conflict when a partition stands elsewhere.
        """
        async with self._free(), self._connection.transaction():
            for expected, moved in changes:
                await self._move(expected, moved)
            await self._connection.execute(
                f"DELETE FROM {META}.safety_held WHERE stream = ANY ($1)",  # noqa: S608
                list(free),
            )
            await self._connection.executemany(
                f"""INSERT INTO {META}.safety_held VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (stream)
                DO UPDATE SET kind = $2, partition = $3, kafka_offset = $4, code = $5, reason = $6, found_at = $7""",  # noqa: S608
                [astuple(each) for each in held],
            )

    async def status(self) -> SafetyStatus | None:
        """The row that was written last."""
        async with self._free():
            return await read_safety_status(self._connection)

    async def report(self, status: SafetyStatus) -> None:
        """Writes the row."""
        async with self._free():
            await write_safety_status(self._connection, status)

    async def close(self) -> None:
        """Gives connection and lock back."""
        with translate_errors():
            await self._connection.close(timeout=2)

    async def _move(self, expected: int, moved: ReadTo) -> None:
        done = await self._connection.execute(
            f"""INSERT INTO {META}.safety_offset AS stored VALUES ($1, $2, $3) ON CONFLICT (partition)
            DO UPDATE SET next_offset = $2, last_hash = $3 WHERE stored.next_offset = $4""",  # noqa: S608
            moved.partition,
            moved.next_offset,
            moved.last_hash,
            expected,
        )
        if done.split()[-1] != "1":
            raise Conflict("another safety process has moved the offsets on: this one is a zombie and starts over")

    @asynccontextmanager
    async def _free(self) -> AsyncIterator[None]:
        async with self._turn:
            with translate_errors():
                yield


async def open_ledger(dsn: str) -> Ledger:
    """Connects and waits until no other safety process works.

    Raises Unavailable when Postgres is away, StartRefused when the tables were never made.
    """
    with translate_errors():
        connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60, server_settings=_SETTINGS)
        try:
            waiting = False
            while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('hepatrail safety'))"):
                if not waiting:
                    _log.info("another safety process works: standing by")
                    waiting = True
                await asyncio.sleep(_STANDBY)
            if await connection.fetchval("SELECT to_regclass($1)", f"{META}.safety_held") is None:
                raise StartRefused("The tables of the safety process are missing: run hepatrail prepare.")
        except BaseException:
            connection.terminate()
            raise
    return Ledger(connection)


def differing(before: Mapping[str, Held], after: Mapping[str, Held]) -> tuple[list[Held], list[str]]:
    """What `advance` must write so that the table shows `after`: rows to put, streams that are free."""
    put = [each for stream, each in after.items() if before.get(stream) != each]
    return put, [stream for stream in before if stream not in after]
