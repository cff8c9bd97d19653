"""Somebody at work on the database only: the mirror is held to Kafka, whatever it says of itself."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_services.audit.mirror_check import check_mirror
from hepatrail_services.audit.problems import Problem, Problems
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.verifier import verify
from log_commits import sample
from projection_log import LogRecord
from projection_tables import Sink, Tables
from sealed_log import SealedLog, sealed_history

STREAM = subject_stream("S-00")
SEQ = 4
PLACE = f"stream = '{STREAM}' AND streamseq = {SEQ}"


def whole_log() -> SealedLog:
    """A log in which a record stands in quarantine, and an event waits behind it."""
    log = sealed_history(5, subjects=2, steps=30)
    log.log.raw(subject_stream("S-01"), b"\x00 of another program")
    sample(log.log, subject_stream("S-01"), creatinine="70")
    log.seal()
    return log


@pytest.fixture
async def mirrored(dsns: Dsns) -> AsyncIterator[tuple[Tables, MemorySource]]:
    tables, log = await Tables.create(dsns), whole_log()
    engine = await tables.engine(Sink())
    await engine.apply([each for each in log.records() if each.topic != CHECKPOINTS])
    await engine.close()
    yield tables, log.source()
    await tables.close()


async def found(tables: Tables, source: MemorySource) -> tuple[Problem, ...]:
    async with connection(tables.dsns.reader) as link:
        problems = Problems()
        first = await check_mirror(source, link, tables.schema, problems)
        assert first == problems.first()
        return first


async def forge(tables: Tables, sql: str, *args: Any) -> None:
    async with connection(tables.dsns.owner) as owner:
        await owner.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        assert not (await owner.execute(sql, *args)).endswith(" 0"), "the forger must have hit something"


def place_of(source: MemorySource) -> tuple[int, LogRecord]:
    partition = partition_of(STREAM)
    rows = [row for row in source.topics[(EVENTS, partition)] if row[1] == STREAM.encode()]
    offset, key, value, _ = rows[SEQ - 1]
    return partition, LogRecord(EVENTS, partition, offset, key, value)


FORGERIES = {
    "stream": "'subject-S-99'",
    "streamseq": "9000",
    "event_id": "gen_random_uuid()",
    "type": "'AEReported'",
    "type_version": "2",
    "commit_id": "gen_random_uuid()",
    "commit_index": "7",
    "recorded_at": "recorded_at + interval '1 ms'",
    "received_at": "received_at + interval '1 ms'",
    "actor_id": "'dr-no'",
    "actor_role": "'ADMIN'",
    "payload": """payload || '{"new": 1}'::jsonb""",
    "raw": "raw || '\\x20'::bytea",
    "hash": "repeat('0', 64)",
}


async def test_aud_06_a_forged_mirror_alone_is_named(mirrored: tuple[Tables, MemorySource]) -> None:
    tables, source = mirrored
    assert await found(tables, source) == ()
    partition, record = place_of(source)
    for column, value in FORGERIES.items():
        async with connection(tables.dsns.owner) as owner, owner.transaction():
            await owner.execute("SELECT set_config('search_path', $1, true)", tables.schema)
            await owner.execute("CREATE TABLE kept AS SELECT * FROM event")
        await forge(tables, f"UPDATE event SET {column} = {value} WHERE {PLACE}")
        (problem,) = await found(tables, source)
        assert (problem.code, problem.topic, problem.partition) == ("MIRROR_DIFFERS", EVENTS, partition)
        assert (problem.offset, problem.stream, problem.streamseq) == (record.offset, STREAM, SEQ)
        assert problem.message == f"{column} is not what the log says"
        await forge(tables, "DELETE FROM event")
        await forge(tables, "INSERT INTO event SELECT * FROM kept")
        await forge_away(tables, "DROP TABLE kept")
    assert (await verify(source)).count == 1, "the log itself has nothing but the record that nobody released"


async def forge_away(tables: Tables, sql: str) -> None:
    async with connection(tables.dsns.owner) as owner:
        await owner.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        await owner.execute(sql)


async def test_aud_06_bytes_and_hash_forged_together_are_named(mirrored: tuple[Tables, MemorySource]) -> None:
    tables, source = mirrored
    _, record = place_of(source)
    value = (record.value or b"").replace(b"Hospital", b"Hostipal")
    await forge(tables, f"UPDATE event SET raw = $1, hash = $2 WHERE {PLACE}", value, sha256_hex(value))
    (problem,) = await found(tables, source)
    assert problem.message == "raw, hash are not what the log says"


async def test_aud_06_what_the_mirror_lacks_or_has_too_many_is_named(mirrored: tuple[Tables, MemorySource]) -> None:
    tables, source = mirrored
    partition, record = place_of(source)
    await forge(tables, f"DELETE FROM event WHERE {PLACE}")
    (problem,) = await found(tables, source)
    assert (problem.code, problem.offset, problem.stream, problem.streamseq) == (
        "MIRROR_MISSING",
        record.offset,
        STREAM,
        SEQ,
    )
    columns = "event_id, type, type_version, commit_id, commit_index, recorded_at, received_at, actor_id, actor_role"
    copy = f"INSERT INTO event (stream, streamseq, {columns}, payload, raw, hash, partition, kafka_offset) "
    values = f"SELECT stream, 900, {columns}, payload, raw, hash, partition, 5000 FROM event "
    await forge(tables, f"{copy}{values} WHERE stream = '{STREAM}' AND streamseq = 3")
    codes = {(each.code, each.partition, each.offset) for each in await found(tables, source)}
    assert codes == {("MIRROR_MISSING", partition, record.offset), ("MIRROR_EXTRA", partition, 5000)}
    await forge(tables, "UPDATE event SET partition = 12 WHERE kafka_offset = 5000")
    codes = {(each.code, each.partition, each.offset) for each in await found(tables, source)}
    assert codes == {("MIRROR_MISSING", partition, record.offset), ("MIRROR_EXTRA", 12, 5000)}


async def test_aud_06_a_quarantine_with_other_bytes_is_named(mirrored: tuple[Tables, MemorySource]) -> None:
    tables, source = mirrored
    await forge(tables, "UPDATE quarantine SET raw = raw || '\\x20'::bytea")
    await forge(tables, "DELETE FROM parked_event")
    partition = partition_of(subject_stream("S-01"))
    found_codes = [(each.code, each.partition) for each in await found(tables, source)]
    assert found_codes == [("MIRROR_DIFFERS", partition), ("MIRROR_MISSING", partition)]


async def test_what_is_not_projected_yet_is_not_missing(dsns: Dsns) -> None:
    tables, log = await Tables.create(dsns), sealed_history(5, subjects=2, steps=30)
    records = [each for each in log.records() if each.topic == EVENTS]
    await tables.project(records[: len(records) // 2])
    assert await found(tables, log.source()) == ()
    await tables.close()
