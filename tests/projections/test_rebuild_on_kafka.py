"""`rebuild`: beside the live one, proven, switched in one row; interrupted and run again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import subject_stream
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_infra.postgres import connection
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.digests import differing, digests
from hepatrail_projections.meta import META
from hepatrail_projections.projector import Projector
from hepatrail_projections.rebuild import listed, rebuild
from hepatrail_projections.schema import built_schemas, drop_schema, ensure_projection, schema_name
from hepatrail_projections.version import PROJECTION_VERSION
from log_commits import sample
from projection_kafka import eventually, write
from projection_log import LogRecord, LogWriter
from projection_tables import Tables
from seals import Sealing, login
from trial_history import history

FIRST, SECOND = schema_name(), schema_name(build=2)
NEXT = PROJECTION_VERSION + 1


@pytest.fixture
async def built(kafka: str, tables: Tables) -> LogWriter:
    """A log with some garbage in it, projected by the live projector."""
    log = history(61, subjects=3, steps=40)
    log.raw(subject_stream("S-02"), b"garbage")
    await write(kafka, log.records)
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    return log


async def live(tables: Tables) -> list[tuple[int, str]]:
    async with connection(tables.dsns.owner) as owner:
        rows = await owner.fetch(f"SELECT version, schema FROM {META}.live_projection ORDER BY version")
    return [(row["version"], row["schema"]) for row in rows]


async def test_the_same_version_gives_the_same_digests_and_is_switched(
    kafka: str, tables: Tables, built: LogWriter
) -> None:
    before = await tables.rows()
    told: list[str] = []
    report = await rebuild(kafka, tables.dsns.owner, progress=lambda what, *_: told.append(what))
    assert (report.differences, report.switched, report.same_version) == ((), True, True)
    assert (report.replaced, report.schema) == (FIRST, SECOND)
    assert {"build", "prove", "switch"} <= set(told)
    assert await live(tables) == [(PROJECTION_VERSION, SECOND)]
    assert await tables.rows(report.schema) == before
    async with connection(tables.dsns.owner) as owner:
        assert await digests(owner, FIRST) == report.digests
        assert await built_schemas(owner) == [FIRST, SECOND]
    again = await rebuild(kafka, tables.dsns.owner)
    assert again.schema == FIRST
    assert again.digests == report.digests


async def test_a_running_projector_is_held_moves_over_and_goes_on(kafka: str, tables: Tables, built: LogWriter) -> None:
    projector = Projector(kafka, tables.dsns.writer, SystemClock())
    running = asyncio.create_task(projector.run())
    stream = subject_stream("S-00")
    version = await tables.reader.stream_version(stream)
    done = len(built.records)
    try:
        for number in range(5):
            sample(built, stream, creatinine=str(100 + number))
            await write(kafka, built.records[done:])
            done = len(built.records)
            if number == 2:
                report = await rebuild(kafka, tables.dsns.owner)
                assert report.switched, listed(report.differences)
        await eventually(lambda: _reached(tables, stream, version + 5))
        assert (await tables.reader.status()).schema == SECOND
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _reached(tables: Tables, stream: str, version: int) -> bool:
    return await tables.reader.stream_version(stream) >= version


async def test_aud_12_projections_dropped_and_replayed_are_the_same(
    kafka: str, tables: Tables, built: LogWriter
) -> None:
    accessed = LogRecord(ACCESS, 0, 0, b"api-1", login(1).raw())
    await write(kafka, [Sealing().seal(built.records), accessed, LogRecord(ACCESS, 0, 1, b"api-1", b"garbage")])
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    before, seen = await tables.rows(), await tables.reader.access(200)
    assert [len(before[name]) for name in ("checkpoint_seal", "quarantine")] == [1, 2]
    assert [row.kind for row in seen.items] == ["LOGIN"]
    async with connection(tables.dsns.owner) as owner:
        digested = await digests(owner, FIRST)
        await owner.execute(f"DELETE FROM {META}.live_projection")
        await drop_schema(owner, FIRST)
        assert await ensure_projection(owner) == FIRST
        assert await digests(owner, FIRST) != digested
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    assert await tables.rows() == before
    assert await tables.reader.access(200) == seen
    async with connection(tables.dsns.owner) as owner:
        assert await digests(owner, FIRST) == digested


class Interrupted(Exception):
    """Ctrl-C in the middle."""


@pytest.mark.parametrize("at", ["build", "prove"])
async def test_an_interrupted_rebuild_is_run_again(kafka: str, tables: Tables, built: LogWriter, at: str) -> None:
    def interrupt(what: str, *_: int) -> None:
        if what == at:
            raise Interrupted

    with pytest.raises(Interrupted):
        await rebuild(kafka, tables.dsns.owner, progress=interrupt)
    assert await live(tables) == [(PROJECTION_VERSION, FIRST)]
    report = await rebuild(kafka, tables.dsns.owner)
    assert report.switched
    async with connection(tables.dsns.owner) as owner:
        assert len(await built_schemas(owner)) == 2


async def test_a_row_that_somebody_changed_is_found_listed_and_mended_when_accepted(
    kafka: str, tables: Tables, built: LogWriter
) -> None:
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"UPDATE {FIRST}.subject SET sex = 'female' WHERE subject_id = 'S-01'")
        await owner.execute(f"DELETE FROM {FIRST}.visit WHERE subject_id = 'S-01' AND code = 'W4'")
    report = await rebuild(kafka, tables.dsns.owner)
    assert not report.switched
    assert listed(report.differences) == [
        "subject: 0 new, 0 gone, 1 changed (S-01)",
        "visit: 1 new, 0 gone, 0 changed (S-01|W4)",
    ]
    assert await live(tables) == [(PROJECTION_VERSION, FIRST)]
    accepted = await rebuild(kafka, tables.dsns.owner, accept=True)
    assert accepted.switched
    assert await live(tables) == [(PROJECTION_VERSION, accepted.schema)]


async def test_a_changed_event_is_never_accepted(kafka: str, tables: Tables, built: LogWriter) -> None:
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"UPDATE {FIRST}.event SET actor_id = 'somebody' WHERE streamseq = 1")
    with pytest.raises(StartRefused, match="not those of the log"):
        await rebuild(kafka, tables.dsns.owner, accept=True)


async def test_another_version_is_built_twice_and_lives_beside_the_old(
    kafka: str, tables: Tables, built: LogWriter
) -> None:
    async with connection(tables.dsns.owner) as owner:
        with pytest.raises(StartRefused, match="run hepatrail rebuild"):
            await ensure_projection(owner, NEXT)
    report = await rebuild(kafka, tables.dsns.owner, version=NEXT)
    assert (report.same_version, report.switched, report.schema) == (False, True, schema_name(NEXT))
    assert await live(tables) == [(PROJECTION_VERSION, FIRST), (NEXT, schema_name(NEXT))]
    async with connection(tables.dsns.owner) as owner:
        assert await built_schemas(owner) == [FIRST, schema_name(NEXT)]


async def test_a_version_with_tables_and_columns_of_its_own_is_listed_and_switched_when_accepted(
    kafka: str, tables: Tables, built: LogWriter
) -> None:
    medications = await tables.value("SELECT count(*) FROM medication")
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"DROP TABLE {FIRST}.medication")
        await owner.execute(f"ALTER TABLE {FIRST}.exposure DROP COLUMN by_session")
    report = await rebuild(kafka, tables.dsns.owner, version=NEXT)
    assert not report.switched
    assert "medication" in report.digests
    assert listed(report.differences) == [
        "exposure: 0 new, 0 gone, 0 changed",
        f"medication: {medications} new, 0 gone, 0 changed (the table is new)",
    ]
    accepted = await rebuild(kafka, tables.dsns.owner, version=NEXT, accept=True)
    assert accepted.switched
    assert (NEXT, accepted.schema) in await live(tables)


async def test_digests_see_every_column_and_the_order_of_nothing_else(tables: Tables) -> None:
    async with connection(tables.dsns.owner) as owner:
        empty = await digests(owner, tables.schema)
        await owner.execute(f"INSERT INTO {FIRST}.site VALUES ('B', true, 'x', NULL, now(), '{{}}')")
        one = await digests(owner, tables.schema)
        await owner.execute(f"UPDATE {FIRST}.site SET reason = ''")
        other = await digests(owner, tables.schema)
    assert differing(empty, one) == differing(one, other) == ("site",)
    assert "projection_offset" not in empty


@pytest.fixture
async def second_rebuild(tables: Tables) -> AsyncIterator[None]:
    """Another rebuild holds the lock."""
    async with connection(tables.dsns.owner) as owner:
        await owner.execute("SELECT pg_advisory_lock(4842003)")
        yield


@pytest.mark.usefixtures("second_rebuild")
async def test_two_rebuilds_at_once_are_refused(kafka: str, tables: Tables) -> None:
    with pytest.raises(StartRefused, match="Another rebuild"):
        await rebuild(kafka, tables.dsns.owner)
