import asyncpg
import pytest

from hepatrail_events.errors import Unavailable
from hepatrail_infra.embedded.instance import free_port
from hepatrail_infra.postgres import (
    Dsns,
    Passwords,
    connection,
    prepare_databases,
    reader_pool,
    role_dsn,
    translate_errors,
    wait_until_up,
    writer_pool,
)

PASSWORDS = Passwords("own'er", "wri@ter/1", "reader", "use", "destroy")


@pytest.fixture(scope="session")
async def roles(postgres_dsn: str) -> Dsns:
    first = await prepare_databases(postgres_dsn, PASSWORDS)
    again = await prepare_databases(postgres_dsn, PASSWORDS)
    assert first == again
    return again


@pytest.fixture(scope="session")
async def table(roles: Dsns) -> str:
    async with connection(roles.owner) as owner:
        await owner.execute("CREATE SCHEMA projection_t; CREATE TABLE projection_t.row (id int PRIMARY KEY)")
    return "projection_t"


async def test_the_writer_writes_rows_and_the_reader_reads_them(roles: Dsns, table: str) -> None:
    writer = await writer_pool(roles.writer, schema=table)
    reader = await reader_pool(roles.reader, schema=table)
    await writer.execute("INSERT INTO row VALUES (1)")
    assert await reader.fetchval("SELECT count(*) FROM row") == 1
    await writer.execute("DELETE FROM row")
    await writer.close()
    await reader.close()


async def test_the_reader_cannot_write_even_when_it_lifts_its_read_only_setting(roles: Dsns, table: str) -> None:
    async with connection(roles.reader) as reader:
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(f"INSERT INTO {table}.row VALUES (2)")


@pytest.mark.parametrize("statement", ["DROP TABLE {}.row", "ALTER TABLE {}.row ADD x int", "TRUNCATE {}.row"])
async def test_the_writer_cannot_change_a_table(roles: Dsns, table: str, statement: str) -> None:
    async with connection(roles.writer) as writer:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement.format(table))


async def test_what_the_owner_takes_back_stays_taken(roles: Dsns, table: str) -> None:
    async with connection(roles.owner) as owner:
        await owner.execute(
            f"CREATE TABLE {table}.event (id int); REVOKE UPDATE, DELETE ON {table}.event FROM hepatrail_writer"
        )
    async with connection(roles.writer) as writer:
        await writer.execute(f"INSERT INTO {table}.event VALUES (1)")
        for statement in ("UPDATE {}.event SET id = 2", "DELETE FROM {}.event"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await writer.execute(statement.format(table))
        # Without the right to grant, this is a warning and no error.
        await writer.execute(f"GRANT UPDATE, DELETE ON {table}.event TO hepatrail_writer")
        privileges = f"SELECT has_table_privilege('{table}.event', 'UPDATE, DELETE, TRUNCATE')"
        assert await writer.fetchval(privileges) is False


@pytest.mark.parametrize("role", ["owner", "writer", "reader"])
async def test_no_role_of_the_projections_enters_the_vault(roles: Dsns, role: str) -> None:
    dsn = role_dsn(roles.vault_use, f"hepatrail_{role}", getattr(PASSWORDS, role), "hepatrail_vault")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connection(dsn):
            pass


@pytest.mark.parametrize("role", ["vault_use", "vault_destroy"])
async def test_no_role_of_the_vault_enters_the_projections(roles: Dsns, role: str) -> None:
    dsn = role_dsn(roles.writer, f"hepatrail_{role}", getattr(PASSWORDS, role), "hepatrail")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connection(dsn):
            pass


async def test_a_server_that_is_away_is_unavailable() -> None:
    dsn = f"postgresql://a:b@127.0.0.1:{free_port()}/x"
    with pytest.raises(Unavailable):
        await writer_pool(dsn)
    with pytest.raises(Unavailable):
        await wait_until_up(dsn, 0.2)


async def test_a_connection_that_is_ended_is_unavailable(postgres_dsn: str, roles: Dsns) -> None:
    victim = await asyncpg.connect(roles.writer)
    async with connection(postgres_dsn) as admin:
        await admin.execute("SELECT pg_terminate_backend($1)", victim.get_server_pid())
    for _ in range(2):
        with pytest.raises(Unavailable), translate_errors():
            await victim.fetchval("SELECT 1")
    await victim.close()


async def test_a_bug_is_not_taken_for_an_absent_server(roles: Dsns) -> None:
    async with connection(roles.writer) as writer:
        with pytest.raises(asyncpg.UndefinedTableError), translate_errors():
            await writer.fetchval("SELECT * FROM no_such_table")
        with pytest.raises(asyncpg.InterfaceError), translate_errors():
            await writer.fetchval("SELECT $1::int")


def test_addresses_keep_host_and_options_and_hide_their_password() -> None:
    dsn = role_dsn("postgresql://admin:x@h:5433/postgres?sslmode=require", "r", "p@/:", "d")
    assert dsn == "postgresql://r:p%40%2F%3A@h:5433/d?sslmode=require"
    assert "geheim" not in repr(Dsns("geheim", "geheim", "geheim", "geheim", "geheim"))
