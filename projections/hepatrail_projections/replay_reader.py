"""Asking a replay what the system would have answered then: its schema, and a clock that stands."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.postgres import translate_errors
from hepatrail_projections.desk_reading import DeskRead
from hepatrail_projections.offset import complete_to_of, offsets
from hepatrail_projections.proofs import ConsistencyRead, InclusionRead
from hepatrail_projections.quarantine import parked_records
from hepatrail_projections.reading import Reader, StatusRead
from hepatrail_projections.snapshots import MAX_PAGE
from hepatrail_projections.stream_head import version_of
from hepatrail_projections.table import Connection


@dataclass(frozen=True, slots=True)
class StandingClock:
    """A clock that stands at one instant (aware)."""

    at: datetime
    label: str = ""

    def now(self) -> datetime:
        """That instant."""
        return self.at


class ReplayReader(Reader):
    """Reads a replay through any pool that may see its schema; now is the instant of the replay.

    How the safety process was is no fact of the log, so that nothing is said about it.
    """

    def __init__(self, pool: asyncpg.Pool, schema: str, at: datetime) -> None:
        super().__init__(pool, StandingClock(at))
        self._schema = schema

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        with translate_errors():
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute("SELECT set_config('search_path', $1, true)", self._schema)
                yield connection

    async def desk_after(self, after: int | None, limit: int = MAX_PAGE) -> DeskRead:
        """The desk's events behind a streamseq with their alerts, and the desk's end; None: only its end."""
        return replace(await super().desk_after(after, limit), safety=None)

    async def inclusion(self, event_id: UUID, number: int | None = None) -> InclusionRead | None:  # noqa: ARG002
        """None: a log that is cut by time has other trees than the one that was sealed."""
        return None

    async def consistency(self, partition: int, first: int, second: int) -> ConsistencyRead | None:  # noqa: ARG002
        """None, as for `inclusion`."""
        return None

    async def status(self) -> StatusRead:
        """How far everything is."""
        async with self._snapshot() as connection:
            return StatusRead(
                schema=self._schema,
                safety=None,
                desk_version=await version_of(connection, SAFETY_DESK),
                desk_alert_seq=await connection.fetchval("SELECT coalesce(max(alert_seq), 0) FROM alert"),
                complete_to=await complete_to_of(connection),
                offsets=await offsets(connection),
                parked=await parked_records(connection, None),
            )
