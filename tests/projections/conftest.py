"""Fresh projections for every test."""

from collections.abc import AsyncIterator

import pytest

from hepatrail_infra.postgres import Dsns
from projection_tables import Tables


@pytest.fixture
async def tables(dsns: Dsns) -> AsyncIterator[Tables]:
    """An empty live projection."""
    made = await Tables.create(dsns)
    try:
        yield made
    finally:
        await made.close()
