"""A real Postgres, and an API over it, for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from graphql_world import World
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Dsns, Passwords, prepare_databases

PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")


@pytest.fixture(scope="session")
async def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The superuser's address of a server that lives as long as the test session."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    try:
        yield await server.start()
    finally:
        await server.stop()


@pytest.fixture
async def dsns(postgres_dsn: str) -> Dsns:
    """The roles of a fresh database."""
    name = f"t{uuid4().hex[:12]}"
    return await prepare_databases(postgres_dsn, PASSWORDS, database=name, vault_database=f"{name}_vault")


@pytest.fixture
async def world(dsns: Dsns, tmp_path: Path) -> AsyncIterator[World]:
    """An API without any event below it."""
    async with World.opened(dsns, tmp_path) as opened:
        yield opened
