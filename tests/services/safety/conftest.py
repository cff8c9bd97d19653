"""A Postgres with the tables of the safety process."""

import pytest

from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.safety.ledger import ensure_safety


@pytest.fixture
async def dsns(dsns: Dsns) -> Dsns:
    """The roles of a fresh database with the tables, made twice as at every start."""
    async with connection(dsns.owner) as owner:
        await ensure_projection(owner)
        await ensure_safety(owner)
        await ensure_safety(owner)
    return dsns
