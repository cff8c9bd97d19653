"""AUD-02 at the database: each role tries everything on the mirror of the events, and is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from hepatrail_infra.postgres import (
    OWNER,
    READER,
    VAULT_DESTROY,
    VAULT_USE,
    WRITER,
    Dsns,
    Passwords,
    connection,
    prepare_databases,
    role_dsn,
)
from hepatrail_projections.event import EVENT, EventRow
from hepatrail_projections.schema import ensure_projection

PASSWORDS = Passwords("owner", "writer", "reader", "use", "destroy")
DATABASE, VAULT = "events_are_kept", "events_are_kept_vault"
APPLICATION = (WRITER, READER, VAULT_USE, VAULT_DESTROY)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
ROW = EventRow(
    stream="subject-A",
    streamseq=1,
    event_id=UUID(int=1),
    type="hepatrail.ConsentGiven.v1",
    type_version=1,
    commit_id=UUID(int=2),
    commit_index=0,
    recorded_at=NOW,
    received_at=NOW,
    actor_id="dr-li",
    actor_role="INVESTIGATOR",
    payload={},
    raw=b"{}",
    hash="0" * 64,
    partition=3,
    kafka_offset=0,
)
ATTEMPTS = (
    "UPDATE event SET raw = ''",
    "UPDATE event SET payload = '{\"alt\": 78}' WHERE streamseq = 1",
    "DELETE FROM event",
    "TRUNCATE event",
    "TRUNCATE event CASCADE",
    "INSERT INTO event SELECT * FROM event ON CONFLICT (stream, streamseq) DO UPDATE SET raw = ''",
    "MERGE INTO event USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE",
    "MERGE INTO event USING (SELECT 1) one ON true WHEN MATCHED THEN UPDATE SET raw = ''",
    "WITH gone AS (DELETE FROM event RETURNING *) SELECT count(*) FROM gone",
    "SELECT * FROM event FOR UPDATE",
    "BEGIN; LOCK TABLE event IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE event DROP COLUMN raw",
    "ALTER TABLE event ALTER COLUMN raw TYPE text USING ''",
    "ALTER TABLE event RENAME TO event_old",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "ALTER TABLE event DISABLE RULE gone",
    "ALTER TABLE event OWNER TO CURRENT_USER",
    "DROP TABLE event",
    "DROP TABLE event CASCADE",
    "DROP SCHEMA {schema} CASCADE",
    "ALTER SCHEMA {schema} RENAME TO elsewhere",
    "CREATE TABLE {schema}.event_2 (id int)",
    "CREATE SCHEMA elsewhere",
    "CREATE RULE gone AS ON INSERT TO event DO INSTEAD NOTHING",
    "CREATE TRIGGER gone BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE INDEX ON event (raw)",
    "CREATE POLICY none ON event USING (false)",
    "COPY event FROM PROGRAM 'cat'",
    f"SET ROLE {OWNER}",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    f"GRANT {OWNER} TO CURRENT_USER",
    f"ALTER ROLE {OWNER} PASSWORD 'known'",
    "UPDATE pg_catalog.pg_class SET relowner = 0 WHERE relname = 'event'",
    "ALTER SYSTEM SET allow_system_table_mods = on",
)


@pytest.fixture(scope="module")
async def dsns(postgres_dsn: str) -> Dsns:
    return await prepare_databases(postgres_dsn, PASSWORDS, database=DATABASE, vault_database=VAULT)


@pytest.fixture(scope="module")
async def schema(dsns: Dsns) -> str:
    """A live projection that holds one event."""
    async with connection(dsns.owner) as owner:
        made = await ensure_projection(owner)
    async with connection(dsns.writer) as writer:
        await writer.execute("SELECT set_config('search_path', $1, false)", made)
        await EVENT.insert(writer, [ROW])
    return made


async def _kept(dsns: Dsns, schema: str) -> list[tuple[object, ...]]:
    async with connection(dsns.owner) as owner:
        return [tuple(row) for row in await owner.fetch(f"SELECT raw, hash FROM {schema}.event")]


@pytest.mark.parametrize("statement", ATTEMPTS)
@pytest.mark.parametrize("role", [WRITER, READER])
async def test_aud_02_no_database_role_changes_or_deletes_an_event(
    dsns: Dsns, schema: str, role: str, statement: str
) -> None:
    async with connection(dsns.writer if role == WRITER else dsns.reader) as link:
        await link.execute("SET default_transaction_read_only = off")
        await link.execute("SELECT set_config('search_path', $1, false)", schema)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute(statement.replace("{schema}", schema))
    assert await _kept(dsns, schema) == [(ROW.raw, ROW.hash)]


@pytest.mark.parametrize(("role", "password"), [(VAULT_USE, "use"), (VAULT_DESTROY, "destroy")])
async def test_aud_02_no_role_of_the_vault_reaches_the_events(
    dsns: Dsns, schema: str, role: str, password: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connection(role_dsn(dsns.writer, role, password, DATABASE)):
            pass
    async with connection(role_dsn(dsns.vault_use, role, password, VAULT)) as link:
        with pytest.raises(asyncpg.UndefinedTableError):
            await link.execute(f"DELETE FROM {schema}.event")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute(f"SET ROLE {OWNER}")


async def test_aud_02_no_application_role_holds_a_privilege_beyond_appending(
    postgres_dsn: str, dsns: Dsns, schema: str
) -> None:
    async with connection(f"{postgres_dsn.rpartition('/')[0]}/{DATABASE}") as admin:
        for role in APPLICATION:
            held = await admin.fetch(
                "SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', "
                "'TRIGGER', 'MAINTAIN']) privilege WHERE has_table_privilege($1, $2, privilege)",
                role,
                f"{schema}.event",
            )
            wanted = {WRITER: {"SELECT", "INSERT"}, READER: {"SELECT"}}.get(role, set())
            assert {row["privilege"] for row in held} == wanted, role
            assert not await admin.fetchval(
                "SELECT has_any_column_privilege($1, $2, 'UPDATE')", role, f"{schema}.event"
            )
            powers = await admin.fetch(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS power, "
                "EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS member FROM pg_roles r "
                "WHERE rolname = $1",
                role,
            )
            assert [tuple(row) for row in powers] == [(False, False)], role
        owner = await admin.fetchval("SELECT tableowner FROM pg_tables WHERE schemaname = $1", schema)
        assert owner == OWNER


async def test_the_event_that_all_of_them_tried_to_change_can_still_be_appended_to(dsns: Dsns, schema: str) -> None:
    async with connection(dsns.writer) as writer:
        await writer.execute("SELECT set_config('search_path', $1, false)", schema)
        transaction = writer.transaction()
        await transaction.start()
        await EVENT.insert(writer, [replace(ROW, streamseq=2, event_id=UUID(int=3))])
        assert await writer.fetchval("SELECT count(*) FROM event") == 2
        await transaction.rollback()
