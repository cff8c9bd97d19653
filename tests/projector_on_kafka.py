"""The projector at work between a real Kafka and a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hepatrail_infra.clock import SystemClock
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.projector import Projector
from projection_kafka import eventually
from projection_tables import Tables


@asynccontextmanager
async def projecting(kafka: str, tables: Tables) -> AsyncIterator[Projector]:
    """A projector that follows the tail."""
    projector = Projector(kafka, tables.dsns.writer, SystemClock())
    task = asyncio.create_task(projector.run())

    async def healthy() -> bool:
        if task.done():
            task.result()
        return (await projector.health()).healthy

    try:
        await eventually(healthy)
        yield projector
    finally:
        task.cancel()
        await asyncio.wait([task])


async def reached(tables: Tables, stream: str, version: int, seconds: float = 20.0) -> None:
    """Waits until a stream is projected to a version."""

    async def there() -> bool:
        return await tables.reader.stream_version(stream) >= version

    await eventually(there, seconds)


async def caught_up(kafka: str, tables: Tables) -> None:
    """One catch-up to the end."""
    engine = await tables.engine()
    try:
        await catch_up(engine, kafka)
    finally:
        await engine.close()
