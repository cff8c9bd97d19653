"""A Kafka for one test of this folder that breaks it."""

from collections.abc import AsyncIterator

import pytest

from hepatrail_infra.embedded.kafka import EmbeddedKafka
from projection_kafka import started_kafka


@pytest.fixture
async def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """A started node of the test's own, without topics."""
    async with started_kafka(tmp_path_factory.mktemp("own-kafka")) as node:
        yield node
