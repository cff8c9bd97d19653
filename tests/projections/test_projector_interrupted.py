"""The projector when its log, a server or itself goes away: it halts, or goes on where it was."""

import asyncio

import pytest

from hepatrail_events.errors import LogShorter
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.postgres import Passwords, prepare_databases
from hepatrail_projections.projector import Projector
from log_commits import enrol, publish, sample
from projection_kafka import fresh_topics, write
from projection_log import LogWriter
from projection_tables import Tables
from projector_on_kafka import caught_up, projecting, reached
from trial_history import history


@pytest.mark.parametrize("other", ["shorter", "another"])
async def test_a_log_that_is_not_the_one_that_was_read_halts(kafka: str, tables: Tables, other: str) -> None:
    log = history(47, subjects=2, steps=20)
    await write(kafka, log.records)
    await caught_up(kafka, tables)
    await fresh_topics(kafka)
    await write(kafka, log.records[:12] if other == "shorter" else history(48, subjects=2, steps=60).records)
    projector = Projector(kafka, tables.dsns.writer, SystemClock())
    with pytest.raises(LogShorter, match="LOG_SHORTER"):
        await asyncio.wait_for(projector.run(), 20)


async def test_kafka_away_and_back(kafka: str, kafka_server: EmbeddedKafka, tables: Tables) -> None:
    log = LogWriter(49)
    publish(log)
    stream = enrol(log, "S-1")
    await write(kafka, log.records)
    async with projecting(kafka, tables):
        await kafka_server.stop()
        await asyncio.sleep(3)
        assert await kafka_server.start() == kafka
        done = len(log.records)
        sample(log, stream, creatinine="100")
        await write(kafka, log.records[done:])
        await reached(tables, stream, 3, seconds=60)
    assert len((await tables.rows())["lab_result"]) == 1


async def test_postgres_away_and_back(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres_away"))
    try:
        dsns = await prepare_databases(await server.start(), Passwords("o", "w", "r", "u", "d"))
        tables = await Tables.create(dsns)
        log = LogWriter(50)
        publish(log)
        stream = enrol(log, "S-1")
        await write(kafka, log.records)
        async with projecting(kafka, tables) as projector:
            await server.stop()
            done = len(log.records)
            sample(log, stream, creatinine="100")
            await write(kafka, log.records[done:])
            await asyncio.sleep(2)
            assert not (await projector.health()).healthy
            await server.start()
            again = await Tables.create(dsns)
            await reached(again, stream, 3, seconds=60)
            assert len((await again.rows())["lab_result"]) == 1
            await again.close()
        await tables.close()
    finally:
        await server.stop()


async def test_a_restarted_projector_goes_on_where_the_tables_end(kafka: str, tables: Tables) -> None:
    log = LogWriter(51)
    publish(log)
    stream = enrol(log, "S-1")
    await write(kafka, log.records)
    for version in (3, 4):
        async with projecting(kafka, tables):
            done = len(log.records)
            sample(log, stream, creatinine="100")
            await write(kafka, log.records[done:])
            await reached(tables, stream, version)
    done = len(log.records)
    sample(log, stream, creatinine="100")
    await write(kafka, log.records[done:])
    async with projecting(kafka, tables):
        await reached(tables, stream, 5)
    assert len((await tables.rows())["decision"]) == 6
