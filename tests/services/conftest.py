"""A real Kafka for the tests of this folder: one for all that leave the log whole, one each for those that do not."""

from collections.abc import AsyncIterator

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import ensure_topics


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The bootstrap servers of a node with the five topics, as long as the test session."""
    node = EmbeddedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        bootstrap = await node.start()
        await ensure_topics(bootstrap)
        yield bootstrap
    finally:
        await node.stop()


@pytest.fixture
async def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """A started node of the test's own, without topics."""
    node = EmbeddedKafka(tmp_path_factory.mktemp("own-kafka"))
    try:
        await node.start()
        yield node
    finally:
        await node.stop()
