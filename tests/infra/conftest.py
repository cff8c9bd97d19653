"""A real Postgres for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from hepatrail_infra.embedded.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
async def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The superuser's address of a server that lives as long as the test session."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    try:
        yield await server.start()
    finally:
        await server.stop()
