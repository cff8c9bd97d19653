"""A real Postgres with fresh projections for every test, and a real Kafka for those that ask for it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Dsns, Passwords, prepare_databases
from projection_kafka import fresh_topics
from projection_tables import Tables

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
async def tables(dsns: Dsns) -> AsyncIterator[Tables]:
    """An empty live projection."""
    made = await Tables.create(dsns)
    try:
        yield made
    finally:
        await made.close()


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
