"""Who may write what, and that two projectors never mix."""

import asyncio

import asyncpg
import pytest

from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.enrolment import ConsentWithdrawn
from hepatrail_events.errors import Conflict, LogShorter
from hepatrail_infra.postgres import connection
from hepatrail_projections.apply import SchemaSwitched
from hepatrail_projections.meta import META
from hepatrail_projections.schema import create_schema, ensure_projection, schema_name
from log_commits import enrol, publish, sample
from projection_log import LogWriter
from projection_tables import Tables
from trial_history import history


async def test_a_zombie_writes_nothing(tables: Tables) -> None:
    log = history(31, subjects=2, steps=10)
    half = len(log.records) // 2
    zombie, successor = await tables.engine(), await tables.engine()
    await zombie.apply(log.records[:half])
    with pytest.raises(Conflict):
        await successor.apply(log.records[:half])
    await successor.close()
    successor = await tables.engine()
    await successor.apply(log.records[half:])
    before = await tables.rows()
    with pytest.raises(Conflict):
        await zombie.apply(log.records[half:])
    assert await tables.rows() == before == await tables.whole_build(log.records)
    await zombie.close()
    await successor.close()


async def test_only_one_projector_has_the_schema_and_the_next_takes_over(tables: Tables) -> None:
    first = await tables.engine(exclusive=True)
    waiting = asyncio.create_task(tables.engine(exclusive=True))
    await asyncio.sleep(1.0)
    assert not waiting.done()
    await first.close()
    second = await asyncio.wait_for(waiting, 5)
    await second.close()


async def test_a_switch_of_schemas_stops_the_projector_before_its_next_batch(tables: Tables) -> None:
    log, beside = history(32, subjects=1, steps=5), schema_name(build=2)
    engine = await tables.engine()
    await engine.apply(log.records[:10])
    async with connection(tables.dsns.owner) as owner:
        async with owner.transaction():
            await create_schema(owner, beside)
        await owner.execute(f"UPDATE {META}.live_projection SET schema = $1", beside)
    with pytest.raises(SchemaSwitched):
        await engine.apply(log.records[10:])
    await engine.close()
    await tables.project(log.records)
    assert len((await tables.rows(beside))["event"]) > len((await tables.rows())["event"])
    assert await tables.reader.subject("S-00") is not None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET type = 'X'",
        "DELETE FROM event",
        "TRUNCATE event",
        "DROP TABLE event",
        "ALTER TABLE event DROP raw",
    ],
)
async def test_the_writer_cannot_change_what_was_recorded(tables: Tables, statement: str) -> None:
    await tables.project(history(33, subjects=1, steps=1).records)
    async with connection(tables.dsns.writer) as writer:
        await writer.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await writer.execute(statement)
        assert await writer.fetchval("SELECT count(*) FROM event") > 0


@pytest.mark.parametrize("statement", ["DELETE FROM subject", "INSERT INTO site VALUES ('X', true)", "TRUNCATE alert"])
async def test_the_reader_only_reads(tables: Tables, statement: str) -> None:
    async with connection(tables.dsns.reader) as reader:
        await reader.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        assert await reader.fetchval("SELECT count(*) FROM subject") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_preparing_twice_changes_nothing(tables: Tables) -> None:
    await tables.project(history(34, subjects=1, steps=1).records)
    async with connection(tables.dsns.owner) as owner:
        assert await ensure_projection(owner) == tables.schema
    assert len((await tables.rows())["event"]) > 0


async def test_a_batch_that_fails_leaves_nothing_behind(tables: Tables) -> None:
    log = LogWriter(35)
    publish(log)
    stream = enrol(log, "S-1")
    await tables.project(log.records)
    before = await tables.rows()
    sample(log, stream, creatinine="100")
    engine = await tables.engine()
    engine.projection.memory.offsets.clear()
    with pytest.raises(LogShorter):
        await engine.apply(log.records)
    await engine.close()
    assert await tables.rows() == before


async def test_half_a_commit_waits_for_its_rest(tables: Tables) -> None:
    log = LogWriter(36)
    publish(log)
    stream = enrol(log, "S-1")
    before = len(log.records)

    log.commit(
        stream,
        ConsentWithdrawn(withdrawn_at=log.now),
        ParticipantWithdrew(withdrawn_at=log.now, scope=WithdrawalScope.FOLLOW_UP, vital_status_allowed=False),
    )
    engine = await tables.engine()
    await engine.apply(log.records[: before + 1])
    assert await tables.reader.stream_version(stream) == 2
    await engine.apply(log.records[before + 1 :])
    assert await tables.reader.stream_version(stream) == 4
    await engine.close()
