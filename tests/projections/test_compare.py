"""`compare`: live projections against the log; whatever differs is listed, and nothing is switched."""

import asyncio

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import subject_stream
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.postgres import connection
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.digests import ValueDifference
from hepatrail_projections.meta import META
from hepatrail_projections.projector import Projector
from hepatrail_projections.replay import compare
from hepatrail_projections.schema import schema_name
from log_commits import sample
from projection_kafka import eventually, write
from projection_log import LogWriter
from projection_tables import Tables
from trial_history import history

LIVE = schema_name()


@pytest.fixture
async def log(kafka: str, tables: Tables) -> LogWriter:
    """A log with some garbage in it, projected by the live projector."""
    log = history(431, subjects=3, steps=40)
    log.raw(subject_stream("S-02"), b"garbage")
    await write(kafka, log.records)
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    return log


async def tamper(tables: Tables, *statements: str) -> None:
    """Whoever owns the tables can change them, as a superuser can."""
    async with connection(tables.dsns.owner) as owner:
        for statement in statements:
            await owner.execute(statement)


async def schemas(tables: Tables) -> list[str]:
    async with connection(tables.dsns.owner) as owner:
        rows = await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(projection|replay)_' ORDER BY 1")
    return [row["nspname"] for row in rows]


async def test_aud_12_live_projections_are_what_the_log_says(kafka: str, tables: Tables, log: LogWriter) -> None:
    rows = await tables.rows()
    told: list[str] = []
    report = await compare(kafka, tables.dsns.owner, lambda what, *_: told.append(what))
    assert (report.schema, report.differences, report.values) == (LIVE, (), ())
    assert report.rows == sum(map(len, rows.values()))
    assert report.digests.keys() == rows.keys()
    assert {"build", "prove"} == set(told)
    assert await schemas(tables) == [LIVE]


async def test_a_row_that_somebody_changed_added_or_deleted_is_named_with_its_values(
    kafka: str, tables: Tables, log: LogWriter
) -> None:
    visits = (await tables.rows())["visit"]
    gone = next(row for row in visits if row.subject_id == "S-01")
    await tamper(
        tables,
        f"UPDATE {LIVE}.subject SET sex = 'female' WHERE subject_id = 'S-01'",
        f"DELETE FROM {LIVE}.visit WHERE subject_id = 'S-01' AND code = '{gone.code}'",
        f"INSERT INTO {LIVE}.site VALUES ('XXX', true, 'EC-9', NULL, now(), '{{}}')",
    )
    report = await compare(kafka, tables.dsns.owner)
    counts = {each.table: (each.only_new, each.only_old, each.changed) for each in report.differences}
    assert counts == {"subject": (0, 0, 1), "visit": (1, 0, 0), "site": (0, 1, 0)}
    by_table = {each.table: each for each in report.values}
    assert by_table["subject"] == ValueDifference("subject", "S-01", "sex", "female", "male")
    assert (by_table["visit"].key, by_table["visit"].old) == (f"S-01|{gone.code}", None)
    assert (by_table["visit"].new or {})["code"] == gone.code
    assert (by_table["site"].key, by_table["site"].new) == ("XXX", None)
    assert len(report.values) == 3
    assert await schemas(tables) == [LIVE]


async def test_all_rows_that_differ_are_named_however_many(kafka: str, tables: Tables, log: LogWriter) -> None:
    await tamper(tables, f"UPDATE {LIVE}.decision SET command_type = 'another'")
    count = len((await tables.rows())["decision"])
    (found,) = (await compare(kafka, tables.dsns.owner)).differences
    assert (found.table, found.changed, len(found.keys)) == ("decision", count, count)
    assert count > 40


async def test_a_changed_event_is_named(kafka: str, tables: Tables, log: LogWriter) -> None:
    stream = subject_stream("S-00")
    await tamper(tables, f"UPDATE {LIVE}.event SET actor_id = 'mallory' WHERE stream = '{stream}' AND streamseq = 1")
    report = await compare(kafka, tables.dsns.owner)
    assert [each.table for each in report.differences] == ["event"]
    assert report.values == (ValueDifference("event", f"{stream}|1", "actor_id", "mallory", "dr-li"),)


async def test_a_running_projector_is_held_for_a_moment_and_goes_on(kafka: str, tables: Tables, log: LogWriter) -> None:
    running = asyncio.create_task(Projector(kafka, tables.dsns.writer, SystemClock()).run())
    stream, done = subject_stream("S-00"), len(log.records)
    version = await tables.reader.stream_version(stream)
    try:
        comparing = asyncio.create_task(compare(kafka, tables.dsns.owner))
        for number in range(5):
            sample(log, stream, creatinine=str(100 + number))
            await write(kafka, log.records[done:])
            done = len(log.records)
        assert (await comparing).differences == ()

        async def reached() -> bool:
            return await tables.reader.stream_version(stream) >= version + 5

        await eventually(reached)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_projections_of_another_version_are_not_compared(kafka: str, tables: Tables, log: LogWriter) -> None:
    await tamper(tables, f"UPDATE {META}.live_projection SET version = version - 1")
    with pytest.raises(StartRefused, match="run hepatrail rebuild"):
        await compare(kafka, tables.dsns.owner)
