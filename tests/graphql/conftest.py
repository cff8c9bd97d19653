"""An API over a real Postgres, for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graphql_world import World
from hepatrail_infra.postgres import Dsns


@pytest.fixture
async def world(dsns: Dsns, tmp_path: Path) -> AsyncIterator[World]:
    """An API without any event below it."""
    async with World.opened(dsns, tmp_path) as opened:
        yield opened
