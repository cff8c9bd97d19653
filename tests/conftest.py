"""Real servers for all tests, one of each a worker: started by the first test that asks, ended with the session."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases
from projection_kafka import fresh_topics

PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")
# The folders whose files take longest come first, so that no worker ends with one of them alone.
ORDER = ("e2e", "fault", "services", "infra", "projections", "graphql", "events")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the folders; within one everything stays where it was."""
    here = Path(__file__).parent
    items.sort(key=lambda item: _place(item.path.relative_to(here).parts[0]))


def _place(folder: str) -> int:
    return ORDER.index(folder) if folder in ORDER else len(ORDER)


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """One Postgres; tests make their databases anew."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture(scope="session")
async def postgres_dsn(postgres_server: EmbeddedPostgres) -> str:
    """The superuser's address."""
    return await postgres_server.start()


@pytest.fixture
async def dsns(postgres_dsn: str) -> AsyncIterator[Dsns]:
    """The roles of a database and a vault of the test's own, which go with it.

    A server that a test kills reads every database again before it answers: hundreds of them take a minute.
    """
    name = f"t{uuid4().hex[:12]}"
    databases = name, f"{name}_vault"
    yield await prepare_databases(postgres_dsn, PASSWORDS, database=databases[0], vault_database=databases[1])
    async with connection(postgres_dsn) as admin:
        for database in databases:
            await admin.execute(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture(scope="session")
async def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """One Kafka node; tests make their topics anew."""
    server = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def kafka(kafka_server: EmbeddedKafka) -> str:
    """The address of a Kafka whose topics are new."""
    bootstrap = await kafka_server.start()
    await fresh_topics(bootstrap)
    return bootstrap


@pytest.fixture(scope="module")
async def shared_kafka(kafka_server: EmbeddedKafka) -> str:
    """The address of a Kafka whose topics were new for the first test of the file; each test leaves the log whole."""
    bootstrap = await kafka_server.start()
    await fresh_topics(bootstrap)
    return bootstrap
