"""Commands that take data away, on a real Postgres with a log in it; Kafka's access log is stood in for."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from uuid import uuid4

import pytest

from hepatrail_cli.servers import Servers
from hepatrail_events.errors import Unavailable
from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases
from hepatrail_infra.settings import load_settings
from hepatrail_services.access_log import Access
from projection_log import LogRecord
from projection_tables import Tables


class AccessLogInMemory:
    """An access log that keeps what is written, or is away."""

    def __init__(self) -> None:
        self.written: list[tuple[Access, dict[str, Any]]] = []
        self.away = False

    @asynccontextmanager
    async def opened(self, *_: object) -> AsyncIterator[Self]:
        """In place of the one on Kafka."""
        yield self

    async def write(self, kind: Access, *, detail: Mapping[str, Any]) -> None:
        """Keeps a record."""
        if self.away:
            raise Unavailable("the access log is away")
        self.written.append((kind, dict(detail)))


@asynccontextmanager
async def projected_log(postgres_dsn: str, records: Sequence[LogRecord]) -> AsyncIterator[Dsns]:
    """A database with these records projected; it goes with the block."""
    name = f"t{uuid4().hex[:12]}"
    databases = name, f"{name}_vault"
    passwords = Passwords("owner", "writer", "reader", "use", "destroy")
    dsns = await prepare_databases(postgres_dsn, passwords, database=databases[0], vault_database=databases[1])
    tables = await Tables.create(dsns)
    await tables.project(records)
    await tables.close()
    yield dsns
    async with connection(postgres_dsn) as admin:
        for database in databases:
            await admin.execute(f"DROP DATABASE {database} WITH (FORCE)")


def stood_in(command: ModuleType, dsns: Dsns, monkeypatch: pytest.MonkeyPatch) -> AccessLogInMemory:
    """The access log of a command that finds this database."""
    log = AccessLogInMemory()

    @asynccontextmanager
    async def found(_: Path) -> AsyncIterator[Servers]:
        yield Servers("", dsns.owner, dsns.reader, load_settings(), running=True)

    monkeypatch.setattr(command, "servers", found)
    monkeypatch.setattr(command, "tool_access", log.opened)
    return log
