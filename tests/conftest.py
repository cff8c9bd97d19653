"""Real servers for all tests, one of each a worker: started by the first test that asks, ended with the session."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from empty_databases import EmptyDatabases
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Dsns
from projection_kafka import fresh_topics, started_kafka

# The folders whose files take longest come first, so that no worker ends with one of them alone.
ORDER = ("e2e", "fault", "services", "infra", "projections", "graphql", "events")
# Whole stacks are ten processes each, and two at once are what two cores bear: one worker has the first of these files,
# another the rest, about as long.
STACKS = {
    "stacks": (
        "e2e/test_auditor_at_the_stack.py",
        "e2e/test_bundle_of_a_stack.py",
        "e2e/test_import_sdtm.py",
        "e2e/test_operator.py",
        "e2e/test_restore_drill.py",
        "e2e/test_ws_clients_many.py",
        "infra/cli/test_cli_up.py",
    ),
    "other stacks": ("e2e/", "fault/"),
}


class FewStacksAtOnce(LoadFileScheduling):  # type: ignore[misc]
    """A file on one worker, because its tests share servers; whole stacks one after the other on two workers."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.removeprefix("tests/")
        for name, places in STACKS.items():
            if path.startswith(places):
                return name
        return str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FewStacksAtOnce | None:
    """In place of xdist's own, where that is asked for files."""
    return FewStacksAtOnce(config, log) if config.getoption("dist") == "loadfile" else None


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
    """The roles of a database and a vault without anything in them."""
    databases = EmptyDatabases(postgres_dsn)
    yield await databases.made()
    await databases.emptied()


@pytest.fixture(scope="session")
async def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedKafka]:
    """One Kafka node; tests make their topics anew."""
    async with started_kafka(tmp_path_factory.mktemp("kafka")) as node:
        yield node


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
