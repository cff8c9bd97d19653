"""How long the question of a participant's whole course takes, beside plain SQL that fetches the same rows."""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx

from benchmarks.full_year import full_year
from benchmarks.limits import Line
from benchmarks.measure import one_at_a_time
from graphql_world import World
from hepatrail_graphql.asgi import create_app
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_projections.derive import SUBJECT_TABLES
from projection_log import publish
from readme_documents import document

SUBJECT = "S-001"
CALLS = 100
LIMIT = 3.0


async def measure_course() -> list[Line]:
    """The line of the report about the whole course: the README's question, answered in this process."""
    with tempfile.TemporaryDirectory() as directory:
        postgres = EmbeddedPostgres(Path(directory) / "postgres")
        try:
            dsns = await prepare_databases(await postgres.start(), Passwords("a", "b", "c", "d", "e"))
            async with World.opened(dsns, Path(directory)) as world:
                publish(world.log)
                full_year(world.log, SUBJECT)
                await world.project()
                return [await _measure(world)]
        finally:
            await postgres.stop()


async def _measure(world: World) -> Line:
    transport = httpx.ASGITransport(app=create_app(world.services))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://bench") as client,
        connection(world.tables.dsns.reader) as link,
    ):
        ask = _asking(client, world.token())
        await link.execute("SELECT set_config('search_path', $1, false)", world.tables.schema)
        rows = sum([len(await _rows_of(link, table.name)) for table in SUBJECT_TABLES])
        ours = await one_at_a_time(ask, CALLS)
        bare = await one_at_a_time(_fetching(link), CALLS)
    name = f"a participant's whole course, {rows} rows"
    return Line(name, str(ours), f"plain SQL {bare}", ours.p50 / bare.p50, LIMIT)


def _asking(client: httpx.AsyncClient, token: str) -> Callable[[int], Awaitable[None]]:
    body = {"query": document("query Course"), "variables": {"id": SUBJECT}}
    headers = {"authorization": f"Bearer {token}"}

    async def ask(_number: int) -> None:
        answer = await client.post("/graphql", json=body, headers=headers)
        if answer.status_code != 200 or b'"errors"' in answer.content:
            raise RuntimeError(f"no course: {answer.text[:1000]}")

    return ask


def _fetching(link: asyncpg.Connection) -> Callable[[int], Awaitable[None]]:
    async def fetch(_number: int) -> None:
        for table in SUBJECT_TABLES:
            await _rows_of(link, table.name)

    return fetch


async def _rows_of(link: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await link.fetch(f"SELECT * FROM {table} WHERE subject_id = $1", SUBJECT)
    return rows
