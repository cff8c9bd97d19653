"""The projector on a real Kafka: catch-up, the Faust tail, and what happens when servers go away."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition

from hepatrail_events.errors import CommandRejected
from hepatrail_events.streams import Position, subject_stream
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.merkle import verify_inclusion
from hepatrail_events.transparency.note import open_note
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import ACCESS, QUARANTINE
from hepatrail_infra.kafka_log import LogReader
from hepatrail_infra.kafka_quarantine import Quarantined, read_quarantine
from hepatrail_projections.listen import Notifications
from hepatrail_projections.quarantine_topic import QuarantineTopic
from log_commits import enrol, publish, sample
from projection_kafka import eventually, producing, write
from projection_log import LogRecord, LogWriter, produce
from projection_tables import Tables
from projector_on_kafka import caught_up, projecting, reached
from seals import KEY, LOG, Sealing, login
from trial_history import history


async def test_catch_up_gives_the_rows_of_the_log(kafka: str, tables: Tables) -> None:
    log = history(41, subjects=3, steps=40)
    await write(kafka, log.records)
    await caught_up(kafka, tables)
    await caught_up(kafka, tables)
    rows = await tables.rows()
    assert len(rows["event"]) == len(rows["decision"]) > 50
    assert {row.stream: row.version for row in rows["stream_head"]} == {
        stream: link.streamseq for stream, link in log._links.items()
    }


async def test_the_tail_projects_what_is_committed_and_tells_it(kafka: str, tables: Tables) -> None:
    log = LogWriter(42)
    publish(log)
    stream = enrol(log, "S-1")
    await write(kafka, log.records)
    notifications = Notifications(tables.dsns.reader)
    await notifications.start()
    try:
        async with projecting(kafka, tables):
            done = len(log.records)
            sample(log, stream, creatinine="100")
            await write(kafka, log.records[done:])
            await reached(tables, stream, 3)
            while notifications.version(stream) < 3:
                assert await notifications.wait_change(5)
        assert Position(stream, 3).version == notifications.version(stream)
    finally:
        await notifications.stop()


async def test_the_tail_projects_seals_and_the_access_log_and_gives_proofs(kafka: str, tables: Tables) -> None:
    log, sealing = LogWriter(45), Sealing()
    publish(log)
    stream = enrol(log, "S-1")
    await write(kafka, log.records)
    reader = tables.reader

    async def sealed(number: int) -> bool:
        found = await reader.seal()
        return found is not None and found.seal == number

    async with projecting(kafka, tables):
        for number in (1, 2):
            done = len(log.records)
            sample(log, stream, creatinine="100")
            await write(kafka, log.records[done:])
            accessed = LogRecord(ACCESS, 0, 0, b"api-1", login(number).raw())
            await write(kafka, [sealing.seal(log.records), accessed])
            await eventually(lambda number=number: sealed(number))  # type: ignore[misc]
        await reached(tables, stream, 4)
        events = (await tables.rows())["event"]
        assert [row.seq for row in (await reader.access(200)).items] == [1, 2]
    for event in events:
        proof = await reader.inclusion(event.event_id)
        assert proof is not None
        checkpoint = Checkpoint.parse(open_note(proof.note, verifier_keys(LOG, KEY.public)))
        assert verify_inclusion(proof.leaf_hash, proof.index, checkpoint.size, proof.proof, checkpoint.root)


async def test_aborted_transactions_are_never_seen(kafka: str, tables: Tables) -> None:
    log, forked = LogWriter(43), LogWriter(43)
    for each in (log, forked):
        publish(each)
        enrol(each, "S-1")
    stream = subject_stream("S-1")
    begin = len(log.records)
    sample(forked, stream, creatinine="666")
    sample(log, stream, creatinine="100")
    async with producing(kafka) as producer:
        await produce(producer, log.records[:begin])
        await _abort(producer, forked, begin)
        async with projecting(kafka, tables):
            await _abort(producer, forked, begin)
            await produce(producer, log.records[begin:])
            await reached(tables, stream, 3)
            await _abort(producer, forked, begin)
            await asyncio.sleep(0.5)
    answer = await tables.reader.subject("S-1")
    assert answer is not None
    assert [row.value for row in answer.rows.lab_results] == ["100"]
    assert not answer.parked


async def _abort(producer: object, log: LogWriter, begin: int) -> None:
    with pytest.raises(RuntimeError, match="never"):
        async with producer.transaction():  # type: ignore[attr-defined]
            for each in log.records[begin:]:
                await producer.send(  # type: ignore[attr-defined]
                    each.topic, each.value, key=each.key, partition=each.partition, headers=list(each.headers)
                )
            raise RuntimeError("never")


async def test_everything_recorded_until_a_moment_is_known_to_be_there(kafka: str, tables: Tables) -> None:
    log = LogWriter(44)
    publish(log)
    enrol(log, "S-1")
    await write(kafka, log.records)
    assert await tables.reader.complete_to() is None
    begun = datetime.now(UTC)
    async with projecting(kafka, tables):

        async def complete() -> bool:
            moment = await tables.reader.complete_to()
            return moment is not None and moment > begun

        await eventually(complete)
        moment = await tables.reader.complete_to()
        assert moment is not None
        assert datetime.now(UTC) - timedelta(seconds=10) < moment < datetime.now(UTC) - timedelta(seconds=4)
    past = await tables.reader.subject("S-1", as_of=log.now)
    assert past is not None
    assert not past.provisional
    ahead = await tables.reader.subject("S-1", as_of=datetime.now(UTC))
    assert ahead is not None
    assert ahead.provisional
    page = await tables.reader.events(2)
    assert page.has_next
    assert len((await tables.reader.events(200)).items) == 3


async def test_an_open_transaction_holds_completeness_back(kafka: str, tables: Tables) -> None:
    log = LogWriter(45)
    publish(log)
    await write(kafka, log.records)
    done = len(log.records)
    enrol(log, "S-1")
    async with producing(kafka) as producer, projecting(kafka, tables):
        await eventually(lambda: _known(tables))
        await producer.begin_transaction()
        each = log.records[done]
        await producer.send_and_wait(each.topic, each.value, key=each.key, partition=each.partition)
        opened = datetime.now(UTC)
        await asyncio.sleep(5.5)
        moment = await tables.reader.complete_to()
        assert moment is not None
        assert moment < opened
        await producer.abort_transaction()


async def _known(tables: Tables) -> bool:
    return await tables.reader.complete_to() is not None


async def test_a_release_on_the_topic_frees_the_participant(kafka: str, tables: Tables) -> None:
    log = LogWriter(46)
    publish(log)
    stream = enrol(log, "S-1")
    place = log.raw(stream, b"garbage")
    sample(log, stream, creatinine="100")
    await write(kafka, log.records)
    async with projecting(kafka, tables):
        assert len(await tables.reader.parked()) == 1
        reader = LogReader(kafka)
        await reader.start({TopicPartition(QUARANTINE, 0): None})
        records = (await reader.getmany(5000))[TopicPartition(QUARANTINE, 0)]
        await reader.stop()
        entry = read_quarantine(records[0].value or b"")
        assert isinstance(entry, Quarantined)
        assert (entry.partition, entry.value(), entry.stream) == (place.partition, b"garbage", stream)
        topic = QuarantineTopic(kafka, SystemClock())
        row = (await tables.reader.parked())[0]
        await topic.release(row, "bytes of another program", "admin")
        await reached(tables, stream, 3)
        assert await tables.reader.parked() == ()
        with pytest.raises(CommandRejected):
            await topic.release(replace(row, status="RELEASED"), "again", "admin")
        await topic.close()
