"""A Kafka whose topics are new for every test, and a Postgres with the tables of the safety process."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.safety.ledger import ensure_safety
from projection_kafka import fresh_topics

PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")


@pytest.fixture(scope="session")
async def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """One node for all tests of the safety process."""
    server = EmbeddedKafka(tmp_path_factory.mktemp("safety-kafka"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def kafka(kafka_server: EmbeddedKafka) -> str:
    """Its address, with new topics."""
    bootstrap = await kafka_server.start()
    await fresh_topics(bootstrap)
    return bootstrap


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedPostgres]:
    """One server for all tests of the safety process."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("safety-postgres"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def dsns(postgres_server: EmbeddedPostgres) -> Dsns:
    """The roles of a fresh database with the tables."""
    name = f"t{uuid4().hex[:12]}"
    made = await prepare_databases(
        await postgres_server.start(), PASSWORDS, database=name, vault_database=f"{name}_vault"
    )
    async with connection(made.owner) as owner:
        await ensure_projection(owner)
        await ensure_safety(owner)
        await ensure_safety(owner)
    return made
