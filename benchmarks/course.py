"""How long the question of a participant's whole course takes, beside plain SQL answered as JSON.

The peer is a bare route over the same transport: one `SELECT *` a table, JSON columns read, the rows sent as JSON. It
has no schema, no selection, no sealed text and no roles, and derives nothing from the clock. The ratio to the
statements alone is shown beside it.
"""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.full_year import full_year
from benchmarks.limits import Line
from benchmarks.measure import Latency, one_at_a_time
from graphql_world import World
from hepatrail_graphql.asgi import create_app
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Passwords, connection, prepare_databases
from hepatrail_projections.derive import SUBJECT_TABLES
from hepatrail_projections.table import to_json_text
from log_commits import publish
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
                return await _measure(world)
        finally:
            await postgres.stop()


async def _measure(world: World) -> list[Line]:
    transport = httpx.ASGITransport(app=create_app(world.services))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://bench") as client,
        connection(world.tables.dsns.reader) as link,
    ):
        ask = _asking(client, world.token())
        for kind in ("json", "jsonb"):
            await link.set_type_codec(kind, schema="pg_catalog", encoder=to_json_text, decoder=orjson.loads)
        await link.execute("SELECT set_config('search_path', $1, false)", world.tables.schema)
        rows = sum([len(await _rows_of(link, table.name)) for table in SUBJECT_TABLES])
        ours = await one_at_a_time(ask, CALLS)
        bare = await _bare(link)
    async with connection(world.tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", world.tables.schema)
        fetched = await one_at_a_time(_fetching(link), CALLS)
    name = f"a participant's whole course, {rows} rows"
    return [
        Line(name, str(ours), f"plain SQL as JSON {bare}", ours.p50 / bare.p50, LIMIT),
        Line("the same, beside the statements alone", str(ours), f"plain SQL {fetched}", ours.p50 / fetched.p50),
    ]


def _asking(client: httpx.AsyncClient, token: str) -> Callable[[int], Awaitable[None]]:
    body = {"query": document("query Course"), "variables": {"id": SUBJECT}}
    headers = {"authorization": f"Bearer {token}"}

    async def ask(_number: int) -> None:
        answer = await client.post("/graphql", json=body, headers=headers)
        if answer.status_code != 200 or b'"errors"' in answer.content:
            raise RuntimeError(f"no course: {answer.text[:1000]}")

    return ask


async def _bare(link: asyncpg.Connection) -> Latency:
    """A course as plain SQL and JSON give it."""

    async def course(_request: Request) -> Response:
        tables = {table.name: [dict(row) for row in await _rows_of(link, table.name)] for table in SUBJECT_TABLES}
        return Response(orjson.dumps(tables, default=str), media_type="application/json")

    transport = httpx.ASGITransport(app=Starlette(routes=[Route("/course", course)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://bare") as client:

        async def ask(_number: int) -> None:
            (await client.get("/course")).raise_for_status()

        return await one_at_a_time(ask, CALLS)


def _fetching(link: asyncpg.Connection) -> Callable[[int], Awaitable[None]]:
    """The statements without any reading of JSON, answer or transport."""

    async def fetch(_number: int) -> None:
        for table in SUBJECT_TABLES:
            await _rows_of(link, table.name)

    return fetch


async def _rows_of(link: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await link.fetch(f"SELECT * FROM {table} WHERE subject_id = $1", SUBJECT)
    return rows
