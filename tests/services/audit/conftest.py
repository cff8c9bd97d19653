"""A log that has begun: for tests of the sealer."""

import pytest

from sealer_kafka import Trial


@pytest.fixture
async def trial(kafka: str) -> Trial:
    """A log that has begun."""
    begun = Trial(kafka)
    await begun.send()
    return begun
