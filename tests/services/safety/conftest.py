"""A Postgres with the tables of the safety process, and a Kafka whose topics are new for every test."""

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.safety.ledger import ensure_safety
from projection_kafka import fresh_topics


@pytest.fixture
async def kafka(kafka_server: EmbeddedKafka) -> str:
    """The address of a Kafka whose topics are new, unlike that of the other tests of services."""
    bootstrap = await kafka_server.start()
    await fresh_topics(bootstrap)
    return bootstrap


@pytest.fixture
async def dsns(dsns: Dsns) -> Dsns:
    """The roles of a fresh database with the tables, made twice as at every start."""
    async with connection(dsns.owner) as owner:
        await ensure_projection(owner)
        await ensure_safety(owner)
        await ensure_safety(owner)
    return dsns
