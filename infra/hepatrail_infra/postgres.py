"""Postgres: databases, roles, pools, and what a lost connection is called.

| role | may |
|---|---|
| `hepatrail_owner` | make and drop schemas of projections; owns every table, so that the writer cannot alter one |
| `hepatrail_writer` | SELECT, INSERT, UPDATE, DELETE rows of projections; of `event` only what its own file leaves it |
| `hepatrail_reader` | SELECT |
| `hepatrail_vault_use`, `hepatrail_vault_destroy` | see `vault_schema.py`; no way into the projections |

What the owner creates is granted to writer and reader by default privileges.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_infra.vault_schema import VAULT_DDL

OWNER = "hepatrail_owner"
WRITER = "hepatrail_writer"
READER = "hepatrail_reader"
VAULT_USE = "hepatrail_vault_use"
VAULT_DESTROY = "hepatrail_vault_destroy"

DATABASE = "hepatrail"
VAULT_DATABASE = "hepatrail_vault"

_LOCK = 4_842_001
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleSessionTimeoutError,
    # asyncpg's own state is wrong after a server ended a connection at the wrong moment.
    asyncpg.InternalClientError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Passwords:
    """One password a role."""

    owner: str = field(repr=False)
    writer: str = field(repr=False)
    reader: str = field(repr=False)
    vault_use: str = field(repr=False)
    vault_destroy: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dsns:
    """One address a role, password included."""

    owner: str = field(repr=False)
    writer: str = field(repr=False)
    reader: str = field(repr=False)
    vault_use: str = field(repr=False)
    vault_destroy: str = field(repr=False)


async def prepare_databases(
    admin_dsn: str,
    passwords: Passwords,
    *,
    vault_admin_dsn: str | None = None,
    database: str = DATABASE,
    vault_database: str = VAULT_DATABASE,
) -> Dsns:
    """Makes databases, roles and grants, as far as they are missing, and sets the roles' passwords.

    The administrator must be able to create roles and databases. `vault_admin_dsn` names another server for
    the vault. Raises Unavailable when a server is away, StartRefused when the administrator may not do it.
    """
    vault_admin = vault_admin_dsn or admin_dsn
    main_roles = {OWNER: passwords.owner, WRITER: passwords.writer, READER: passwords.reader}
    vault_roles = {VAULT_USE: passwords.vault_use, VAULT_DESTROY: passwords.vault_destroy}
    await _prepare(admin_dsn, main_roles, database, _grants(database))
    await _prepare(vault_admin, vault_roles, vault_database, VAULT_DDL + _closed(vault_database, vault_roles))
    return Dsns(
        owner=role_dsn(admin_dsn, OWNER, passwords.owner, database),
        writer=role_dsn(admin_dsn, WRITER, passwords.writer, database),
        reader=role_dsn(admin_dsn, READER, passwords.reader, database),
        vault_use=role_dsn(vault_admin, VAULT_USE, passwords.vault_use, vault_database),
        vault_destroy=role_dsn(vault_admin, VAULT_DESTROY, passwords.vault_destroy, vault_database),
    )


def role_dsn(dsn: str, role: str, password: str, database: str) -> str:
    """The address `dsn` with another role, password and database; host, port and options stay."""
    parts = urlsplit(dsn)
    _, _, place = parts.netloc.rpartition("@")
    netloc = f"{quote(role, safe='')}:{quote(password, safe='')}@{place}"
    return urlunsplit((parts.scheme, netloc, f"/{quote(database, safe='')}", parts.query, ""))


async def writer_pool(dsn: str, *, schema: str | None = None, size: int = 4, name: str = "writer") -> asyncpg.Pool:
    """An open pool for a projector; Unavailable when Postgres is away."""
    return await _pool(dsn, schema, size, name, {})


async def reader_pool(dsn: str, *, schema: str | None = None, size: int = 8, name: str = "reader") -> asyncpg.Pool:
    """An open pool whose transactions are read-only and end after 10 s; Unavailable when Postgres is away."""
    return await _pool(dsn, schema, size, name, {"default_transaction_read_only": "on", "statement_timeout": "10s"})


@asynccontextmanager
async def connection(dsn: str, *, name: str = "tool") -> AsyncIterator[asyncpg.Connection]:
    """One connection for one task; losses of it are Unavailable."""
    with translate_errors():
        link = await asyncpg.connect(dsn, timeout=10, server_settings={"application_name": f"hepatrail {name}"})
        try:
            yield link
        finally:
            await link.close(timeout=5)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns the loss or absence of a connection into Unavailable; anything else passes.

    Only Postgres may be asked inside: the file and network errors of other things would be renamed too.
    """
    try:
        yield
    except _AWAY as error:
        raise Unavailable(f"Postgres is away: {type(error).__name__}") from error
    except asyncpg.InterfaceError as error:
        # asyncpg has one class for its own closed connections and for wrong calls; only the first is weather.
        if "clos" not in str(error):
            raise
        raise Unavailable("Postgres is away: the connection was closed") from error


async def _pool(dsn: str, schema: str | None, size: int, name: str, settings: dict[str, str]) -> asyncpg.Pool:
    server = {"application_name": f"hepatrail {name}", **settings}
    if schema is not None:
        server["search_path"] = schema
    with translate_errors():
        return await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, command_timeout=60, timeout=10, server_settings=server
        )


async def _prepare(admin_dsn: str, roles: dict[str, str], database: str, statements: tuple[str, ...]) -> None:
    parts = urlsplit(admin_dsn)
    there = urlunsplit((parts.scheme, parts.netloc, f"/{quote(database, safe='')}", parts.query, ""))
    try:
        async with connection(admin_dsn, name="prepare") as admin:
            # Held by the session: two starts at once on one server wait for each other.
            await admin.execute("SELECT pg_advisory_lock($1)", _LOCK)
            for role, password in roles.items():
                await _ensure_role(admin, role, password)
            if not await admin.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
                await admin.execute(await admin.fetchval("SELECT format('CREATE DATABASE %I', $1::text)", database))
            async with connection(there, name="prepare") as inside, inside.transaction():
                for statement in statements:
                    await inside.execute(statement)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartRefused(f"The Postgres administrator may not prepare {database}: {error}.") from error


async def _ensure_role(admin: asyncpg.Connection, role: str, password: str) -> None:
    exists = await admin.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    statement = await admin.fetchval(
        f"SELECT format('{verb} ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L', $1::text, $2::text)",
        role,
        password,
    )
    await admin.execute(statement)


def _grants(database: str) -> tuple[str, ...]:
    return (
        *_closed(database, {OWNER: "", WRITER: "", READER: ""}),
        f'GRANT CREATE ON DATABASE "{database}" TO {OWNER}',
        f"GRANT {OWNER} TO CURRENT_USER",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SCHEMAS TO {WRITER}, {READER}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {READER}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {WRITER}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SEQUENCES TO {WRITER}",
    )


def _closed(database: str, roles: dict[str, str]) -> tuple[str, ...]:
    """Nobody enters a database but the roles that have work there."""
    return (
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO {", ".join(roles)}',
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )


async def wait_until_up(dsn: str, patience: float = 30.0) -> None:
    """Returns when Postgres answers at `dsn`; Unavailable when it does not within `patience` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            async with connection(dsn, name="wait"):
                return
        except Unavailable:
            if loop.time() > deadline:
                raise
        await asyncio.sleep(0.1)
