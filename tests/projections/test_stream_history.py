"""A stream's events from its records, read as a projector reads them."""

from datetime import timedelta

import pytest

from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.stream_history import StreamHistory, stream_history
from log_commits import enrol, publish, sample
from projection_log import LogRecord, LogWriter
from projection_tables import Tables
from trial_history import history

STREAM = subject_stream("S-00")


@pytest.fixture
def log() -> LogWriter:
    log = LogWriter(411)
    publish(log)
    enrol(log, "S-00")
    return log


def read(log: LogWriter, *released: LogRecord, stream: str = STREAM, minutes: float = 0) -> StreamHistory:
    records = [
        (Place(each.topic, each.partition, each.offset), each.value or b"")
        for each in log.records
        if each.topic == EVENTS and each.key == stream.encode()
    ]
    places = {Place(each.topic, each.partition, each.offset) for each in released}
    return stream_history(stream, records, places, log.now - timedelta(minutes=minutes))


def numbers(found: StreamHistory) -> list[int]:
    return [each.envelope.streamseq for each in found.events]


def test_what_was_recorded_later_is_not_known_yet(log: LogWriter) -> None:
    log.tick(60)
    sample(log, STREAM, creatinine="88.4")
    assert numbers(read(log)) == [1, 2, 3]
    assert read(log, minutes=1) == StreamHistory(read(log).events[:2])


def test_an_unreadable_record_ends_the_stream_and_says_where(log: LogWriter) -> None:
    garbage = log.raw(STREAM, b"garbage")
    sample(log, STREAM, creatinine="88.4")
    found = read(log)
    assert numbers(found) == [1, 2]
    assert (found.stopped or "").startswith(f"{STREAM} stops at hepatrail.events/{garbage.partition}@{garbage.offset}:")


@pytest.mark.parametrize("counted", [False, True])
def test_a_released_record_is_passed_over_whether_its_writer_counted_it_or_not(log: LogWriter, counted: bool) -> None:
    garbage = log.raw(STREAM, b"garbage")
    if counted:
        log.skip_in_chain(STREAM, b"garbage")
    sample(log, STREAM, creatinine="88.4")
    found = read(log, garbage)
    assert (numbers(found), found.stopped) == ([1, 2, 4 if counted else 3], None)


def test_what_comes_twice_counts_once_and_what_does_not_follow_ends_the_stream(log: LogWriter) -> None:
    (made,) = [each for each in log.records if each.key == STREAM.encode() and each.topic == EVENTS][-1:]
    log.raw(STREAM, made.value)
    assert (numbers(read(log)), read(log).stopped) == ([1, 2], None)
    log.raw(STREAM, (made.value or b"").replace(b"54", b"55"))
    assert "does not follow" in (read(log).stopped or "")


def test_an_event_under_another_streams_key_ends_that_stream(log: LogWriter) -> None:
    (made,) = [each for each in log.records if each.key == STREAM.encode() and each.topic == EVENTS][-1:]
    log.raw(subject_stream("S-01"), made.value)
    assert (read(log, stream=subject_stream("S-01")).stopped or "").endswith(f"the subject is {STREAM}")


async def test_it_is_what_the_projections_hold(tables: Tables) -> None:
    log = history(412, subjects=2, steps=40)
    garbage = log.raw(STREAM, b"garbage")
    sample(log, STREAM, creatinine="88.4")
    log.release(garbage)
    sample(log, STREAM, creatinine="90")
    log.raw(subject_stream("S-01"), b"more garbage")
    sample(log, subject_stream("S-01"), creatinine="90")
    await tables.project(log.records)
    held = (await tables.rows())["event"]
    for stream in {row.stream for row in held}:
        assert [each.raw for each in read(log, garbage, stream=stream).events] == [
            row.raw for row in held if row.stream == stream
        ]
