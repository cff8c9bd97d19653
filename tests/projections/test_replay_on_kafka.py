"""A replay: what the system would have answered then, from the log alone, in a schema that is thrown away."""

import asyncio
import os
import random
import signal
import sys
from datetime import datetime, timedelta

import pytest

from hepatrail_events.codec import read
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import connection
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.digests import digests
from hepatrail_projections.event import EVENT
from hepatrail_projections.reading import Reader
from hepatrail_projections.replay import Replay, drop_left_over, replay
from hepatrail_projections.replay_reader import ReplayReader, StandingClock
from hepatrail_projections.schema import built_schemas
from log_commits import enrol, publish, sample
from projection_kafka import write
from projection_log import LogWriter
from projection_tables import Tables
from trial_history import history

SUBJECTS = ("S-00", "S-01", "S-02")
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
async def log(kafka: str, tables: Tables) -> LogWriter:
    """A log that the live projector has read, every event with its decision."""
    log = history(421, subjects=3, steps=45)
    await write(kafka, log.records)
    await project(kafka, tables, log)
    return log


async def project(kafka: str, tables: Tables, log: LogWriter) -> None:
    engine = await tables.engine()
    await catch_up(engine, kafka)
    await engine.close()
    await tables.value(
        "WITH moved AS (UPDATE projection_offset SET complete_to = $1 WHERE topic = $2 RETURNING 1) "
        "SELECT count(*) FROM moved",
        log.now,
        EVENTS,
    )


def moments(log: LogWriter) -> list[datetime]:
    return sorted({read(each.value or b"").envelope.recordedat for each in log.records if each.topic == EVENTS})


def reader(tables: Tables, replayed: Replay) -> ReplayReader:
    assert replayed.as_of is not None
    return ReplayReader(tables.pool, replayed.schema, replayed.as_of)


async def replays(tables: Tables) -> list[str]:
    async with connection(tables.dsns.owner) as owner:
        rows = await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replay%' ORDER BY nspname")
    return [row["nspname"] for row in rows]


async def test_aud_12_a_replay_answers_as_the_system_did(kafka: str, tables: Tables, log: LogWriter) -> None:
    chance = random.Random(421)
    known = moments(log)
    for number in range(20):
        at = chance.choice(known) + chance.choice((timedelta(0), MOMENT, timedelta(hours=5), -MOMENT))
        live = Reader(tables.pool, StandingClock(max(at, log.now)))
        async with replay(kafka, tables.dsns.owner, as_of=at) as replayed:
            then = reader(tables, replayed)
            answered = await then.participants(SUBJECTS, alerts=True)
            wanted = await live.participants(SUBJECTS, at, alerts=True)
            assert answered.keys() == wanted.keys(), at
            for subject_id, found in answered.items():
                assert found.rows == wanted[subject_id].rows, (number, at, subject_id)
                assert found.zone == wanted[subject_id].zone
                assert (found.provisional, found.complete_to) == (False, at)
                raised = [each.alert_id for each in wanted[subject_id].alerts if each.recorded_at <= at]
                assert [each.alert_id for each in found.alerts] == raised
            assert await then.protocol() == await live.protocol(as_of=at)
            page, every = await then.events(200), await live.events(200)
            assert page.items == tuple(each for each in every.items if each.recorded_at <= at)
    assert await replays(tables) == []


async def test_a_replay_of_everything_is_what_the_live_projector_has(
    kafka: str, tables: Tables, log: LogWriter
) -> None:
    async with replay(kafka, tables.dsns.owner) as replayed:
        assert replayed.as_of == moments(log)[-1]
        assert await digests(replayed.connection, replayed.schema) == await digests(replayed.connection, tables.schema)
        assert await reader(tables, replayed).complete_to() == replayed.as_of
    async with connection(tables.dsns.owner) as owner:
        assert await built_schemas(owner) == [tables.schema]


async def test_a_replay_of_one_participant_knows_the_study_the_desk_and_them(
    kafka: str, tables: Tables, log: LogWriter
) -> None:
    at = moments(log)[-30]
    live = await Reader(tables.pool, StandingClock(log.now)).subject("S-01", at)
    async with replay(kafka, tables.dsns.owner, as_of=at, subject="S-01") as replayed:
        found = await reader(tables, replayed).subject("S-01")
        streams = await replayed.connection.fetch(f"SELECT DISTINCT stream FROM {EVENT.name}")
        decided = await replayed.connection.fetch("SELECT DISTINCT stream FROM decision")
        latest = await replayed.connection.fetchval("SELECT max(recorded_at) FROM decision")
    assert found is not None
    assert live is not None
    assert found.rows == live.rows
    wanted = {STUDY, SAFETY_DESK, subject_stream("S-01")}
    assert {row["stream"] for row in streams} == {row["stream"] for row in decided} == wanted
    assert latest <= at


async def test_the_sizes_of_a_seal_cut_the_events_by_their_number(kafka: str, tables: Tables, log: LogWriter) -> None:
    chance, whole = random.Random(7), commits(log)
    sizes = {partition: chance.choice(ends) for partition, ends in whole.items()}
    async with replay(kafka, tables.dsns.owner, as_of=log.now, sizes=sizes) as replayed:
        rows = await replayed.connection.fetch(f"SELECT partition, count(*) AS n FROM {EVENT.name} GROUP BY 1")
    assert {row["partition"]: row["n"] for row in rows} == {each: size for each, size in sizes.items() if size}
    with pytest.raises(ValueError, match="instant"):
        async with replay(kafka, tables.dsns.owner, sizes=sizes):
            raise AssertionError("never")


def commits(log: LogWriter) -> dict[int, list[int]]:
    """By partition, how many events it has after each of its commits; it has none before the first."""
    found: dict[int, list[int]] = {}
    count: dict[int, int] = {}
    for each in log.records:
        if each.topic != EVENTS:
            continue
        count[each.partition] = count.get(each.partition, 0) + 1
        envelope = read(each.value or b"").envelope
        if envelope.commitindex + 1 == envelope.commitsize:
            found.setdefault(each.partition, [0]).append(count[each.partition])
    return found


class OneTransaction(LogWriter):
    """Its offsets are those of a log that is written in one transaction: releases name the right ones."""

    def _mark(self, topic: str, partition: int) -> None:
        return


async def test_what_was_parked_then_is_parked_in_the_replay(kafka: str, tables: Tables) -> None:
    log = OneTransaction(422)
    publish(log)
    for subject_id in ("S-00", "S-01"):
        enrol(log, subject_id)
    garbage = log.raw(subject_stream("S-00"), b"garbage")
    log.tick(5)
    sample(log, subject_stream("S-00"), creatinine="88")
    parked_at = log.now
    log.tick(60)
    log.release(garbage)
    released_at = log.now
    study = log.raw(STUDY, b"garbage")
    log.tick(60)
    log.release(study)
    sample(log, subject_stream("S-01"), creatinine="91")
    await write(kafka, log.records)
    async with replay(kafka, tables.dsns.owner, as_of=parked_at) as replayed:
        then = await reader(tables, replayed).subject("S-00")
        assert then is not None
        assert (then.provisional, [each.raw for each in then.parked]) == (True, [b"garbage"])
        assert "88" not in [row.value for row in then.rows.lab_results]
    async with replay(kafka, tables.dsns.owner, as_of=released_at) as replayed:
        later = await reader(tables, replayed).subject("S-00")
        assert later is not None
        assert (later.provisional, later.rows.lab_results[-1].value) == (False, "88")


LEFT_OVER = """
import asyncio, sys
from datetime import UTC, datetime
from hepatrail_projections.replay import replay

async def main() -> None:
    async with replay(sys.argv[1], sys.argv[2], as_of=datetime(2026, 2, 1, tzinfo=UTC)) as replayed:
        print(replayed.schema, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_schema_of_a_killed_replay_is_dropped_by_the_next_and_that_of_a_living_one_is_not(
    kafka: str, tables: Tables, log: LogWriter
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LEFT_OVER, kafka, tables.dsns.owner, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    schema = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
    async with connection(tables.dsns.owner) as owner:
        assert await drop_left_over(owner) == ()
        assert await replays(tables) == [schema]
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        async with asyncio.timeout(20):
            while not (dropped := await drop_left_over(owner)):
                await asyncio.sleep(0.05)
    assert dropped == (schema,)
    assert await replays(tables) == []


class Interrupted(Exception):
    """Ctrl-C in the middle."""


async def test_a_replay_that_is_interrupted_leaves_nothing(kafka: str, tables: Tables, log: LogWriter) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        async with replay(kafka, tables.dsns.owner, progress=interrupt):
            raise AssertionError("never")
    assert await replays(tables) == []
