"""A projection in a real Postgres, as tests drive it: batches in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from hepatrail_infra.clock import SystemClock
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.apply import Projection, QuarantineSink, apply
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.engine import Engine, open_engine
from hepatrail_projections.memory import Memory
from hepatrail_projections.reading import Reader
from hepatrail_projections.records import Batch
from hepatrail_projections.schema import create_schema, ensure_projection
from projection_log import LogRecord


@dataclass
class Tables:
    """One database with a live projection."""

    dsns: Dsns
    schema: str
    pool: asyncpg.Pool

    @classmethod
    async def create(cls, dsns: Dsns) -> "Tables":
        """Makes the empty projection."""
        async with connection(dsns.owner) as owner:
            schema = await ensure_projection(owner)
        return cls(dsns, schema, await asyncpg.create_pool(dsns.reader, min_size=1, max_size=2))

    async def close(self) -> None:
        """Disconnects."""
        await self.pool.close()

    @property
    def reader(self) -> Reader:
        """What the API would use."""
        return Reader(self.pool)

    async def engine(self, sink: QuarantineSink | None = None, *, exclusive: bool = False) -> Engine:
        """A projector's hold on the schema."""
        return await open_engine(self.dsns.writer, SystemClock(), sink, exclusive=exclusive)

    async def project(self, records: Sequence[LogRecord], size: int = 10_000) -> None:
        """Projects the records in batches of a size with one engine."""
        engine = await self.engine()
        try:
            for begin in range(0, len(records), size):
                await engine.apply(records[begin : begin + size])
        finally:
            await engine.close()

    async def whole_build(self, records: Sequence[LogRecord]) -> dict[str, list[Any]]:
        """The rows that one batch of everything gives in a schema of its own."""
        schema = f"{self.schema}_b9"
        async with connection(self.dsns.owner) as owner:
            async with owner.transaction():
                await create_schema(owner, schema)
            await owner.execute("SELECT set_config('search_path', $1, false)", schema)
            await apply(Batch(tuple(records)), owner, Projection(schema, await Memory.load(owner), live=False))
        return await self.rows(schema)

    async def rows(self, schema: str | None = None) -> dict[str, list[Any]]:
        """All rows of all tables but the offsets."""
        found = {}
        async with connection(self.dsns.reader) as link:
            await link.execute("SELECT set_config('search_path', $1, false)", schema or self.schema)
            for table in CATALOG:
                if table.digested:
                    found[table.name] = await table.where(link, "true")
        return found

    async def value(self, sql: str, *args: Any) -> Any:
        """One value, read by the superuser of the schema."""
        async with connection(self.dsns.owner) as link:
            await link.execute("SELECT set_config('search_path', $1, false)", self.schema)
            return await link.fetchval(sql, *args)


class Sink:
    """A quarantine topic in memory."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    async def put(self, rows: Sequence[Any]) -> None:
        """Keeps the rows."""
        self.rows.extend(rows)
