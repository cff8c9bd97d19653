"""What cannot be read parks its participant only, and nothing else; a person or a newer program frees it."""

import pytest

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.records import READ_TOPICS, incoming
from log_commits import enrol, publish, sample
from projection_log import LogRecord, LogWriter
from projection_tables import Sink, Tables
from trial_history import history

GARBAGE = b"\xff not json"


def two_subjects() -> tuple[LogWriter, str, str]:
    log = LogWriter(11)
    publish(log)
    return log, enrol(log, "BAD-1"), enrol(log, "GOOD-1")


async def test_garbage_parks_its_participant_and_the_others_go_on(tables: Tables) -> None:
    log, bad, good = two_subjects()
    log.raw(bad, GARBAGE)
    sample(log, bad, creatinine="100")
    sample(log, good, creatinine="100")
    await tables.project(log.records)

    assert await tables.reader.stream_version(bad) == 2
    assert await tables.reader.stream_version(good) == 3
    answer = await tables.reader.subject("BAD-1")
    assert answer is not None
    assert [row.code for row in answer.parked] == ["NOT_JSON"]
    assert answer.provisional
    assert answer.rows.lab_results == ()
    untouched = await tables.reader.subject("GOOD-1")
    assert untouched is not None
    assert not untouched.parked
    assert await tables.value("SELECT count(*) FROM parked_event") == 1


async def test_what_is_parked_goes_to_the_topic_with_its_bytes_once(tables: Tables) -> None:
    log, bad, _ = two_subjects()
    place = log.raw(bad, GARBAGE)
    sink = Sink()
    engine = await tables.engine(sink)
    await engine.apply(log.records)
    await engine.retry_parked()
    await engine.close()
    assert [(row.partition, row.kafka_offset, row.raw) for row in sink.rows] == [
        (place.partition, place.offset, GARBAGE)
    ]


async def test_a_gap_parks_the_participant(tables: Tables) -> None:
    log, bad, _ = two_subjects()
    lost = sample(log, bad, creatinine="100")
    sample(log, bad, creatinine="110")
    missing = next(each for each in log.records if str(lost[0]).encode() in (each.value or b""))
    await tables.project([each for each in log.records if each is not missing])
    parked = await tables.reader.parked()
    assert [(row.stream, row.code) for row in parked] == [(bad, "STREAM_GAP")]


async def test_a_changed_event_breaks_the_chain_and_parks(tables: Tables) -> None:
    log, bad, _ = two_subjects()
    sample(log, bad, creatinine="100")
    changed = [
        LogRecord(
            each.topic, each.partition, each.offset, each.key, each.value.replace(b'"100"', b'"900"'), each.headers
        )
        if each.value and b'"100"' in each.value
        else each
        for each in log.records
    ]
    sample(log, bad, creatinine="110")
    await tables.project([*changed, *log.records[len(changed) :]])
    assert [row.code for row in await tables.reader.parked()] == ["BROKEN_CHAIN"]


async def test_another_event_at_a_known_place_parks_and_the_same_is_skipped(tables: Tables) -> None:
    log, bad, good = two_subjects()
    again = next(each for each in log.records if each.key == good.encode() and each.topic == EVENTS)
    log.raw(good, again.value, again.headers)
    forged = next(each for each in log.records if each.key == bad.encode() and each.topic == EVENTS)
    log.raw(bad, (forged.value or b"").replace(b'"BFH"', b'"XXX"'), forged.headers)
    await tables.project(log.records, size=3)
    assert [row.stream for row in await tables.reader.parked()] == [bad]
    assert await tables.value("SELECT count(*) FROM event WHERE stream = $1", good) == 2


@pytest.mark.parametrize("stream", [STUDY, SAFETY_DESK])
async def test_the_study_and_the_desk_are_never_parked(tables: Tables, stream: str) -> None:
    log, _, good = two_subjects()
    before = len(log.records)
    log.raw(stream, GARBAGE)
    sample(log, good, creatinine="100")
    await tables.project(log.records[:before])
    with pytest.raises(InvalidMessage, match=stream):
        await tables.project(log.records)
    assert await tables.reader.stream_version(good) == 2
    assert await tables.reader.parked() == ()


async def test_more_than_five_unreadable_records_in_a_row_halt(tables: Tables) -> None:
    log, bad, _ = two_subjects()
    for _ in range(5):
        log.raw(bad, GARBAGE)
    await tables.project(log.records, size=4)
    log.raw(bad, GARBAGE)
    with pytest.raises(InvalidMessage, match="6 records in a row"):
        await tables.project(log.records)


async def test_a_key_that_names_no_stream_parks_nobody_but_is_kept(tables: Tables) -> None:
    log, bad, good = two_subjects()
    partition = next(each.partition for each in log.records if each.key == good.encode())
    stray = LogRecord(EVENTS, partition, 10_000, b"nobody", GARBAGE)
    await tables.project([*log.records, stray])
    assert [(row.stream, row.kafka_offset) for row in await tables.reader.parked()] == [(None, 10_000)]
    assert await tables.reader.stream_version(bad) == 2


async def released_log(in_chain: bool) -> tuple[LogWriter, str]:
    log, bad, _ = two_subjects()
    place = log.raw(bad, GARBAGE)
    if in_chain:
        log.skip_in_chain(bad, GARBAGE)
    sample(log, bad, creatinine="100")
    log.raw(bad, b"{}")
    sample(log, bad, creatinine="110")
    log.release(place)
    return log, bad


@pytest.mark.parametrize("in_chain", [False, True])
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_release_frees_until_the_next_that_cannot_be_read_live_and_rebuilt(
    tables: Tables, in_chain: bool, size: int
) -> None:
    log, bad = await released_log(in_chain)
    await tables.project(log.records, size=size)
    assert await tables.reader.stream_version(bad) == (4 if in_chain else 3)
    assert [(row.stream, row.code) for row in await tables.reader.parked()] == [(bad, "INVALID_ENVELOPE")]

    live = await tables.rows()
    releases_first = sorted(log.records, key=lambda each: each.topic != "hepatrail.quarantine")
    rebuilt = await tables.whole_build(releases_first)
    for name, rows in live.items():
        assert rows == rebuilt[name], name
    held = {row.kafka_offset: row.status for row in live["quarantine"]}
    assert sorted(held.values()) == ["PARKED", "RELEASED"]


async def test_a_newer_program_reads_what_was_parked(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    log, bad, _ = two_subjects()
    sample(log, bad, creatinine="100")
    sample(log, bad, creatinine="110")

    def unable(place: object, key: bytes | None, value: bytes | None) -> object:
        read = incoming(place, key, value)  # type: ignore[arg-type]
        if b"LabResultsRecorded" in (value or b""):
            return type(read)(read.place, read.stream, read.raw, InvalidMessage("no such event here"))
        return read

    with monkeypatch.context() as older:
        older.setattr("hepatrail_projections.records.incoming", unable)
        older.setattr("hepatrail_projections.draft.incoming", unable)
        await tables.project(log.records)
    assert len(await tables.reader.parked()) == 1
    engine = await tables.engine()
    await engine.retry_parked()
    await engine.close()
    assert await tables.reader.parked() == ()
    assert await tables.reader.stream_version(bad) == 4
    live, rebuilt = await tables.rows(), await tables.whole_build(log.records)
    assert live == rebuilt


async def test_a_history_with_an_unreadable_event_is_the_same_however_it_is_cut(tables: Tables) -> None:
    log = history(21, subjects=2, steps=20)
    log.raw(subject_stream("S-00"), GARBAGE)
    log.release(log.records[-1])
    more = history(22, subjects=1, steps=1)
    assert more.records
    sample(log, subject_stream("S-00"), creatinine="100")
    await tables.project(log.records, size=2)
    assert await tables.rows() == await tables.whole_build(log.records)
    assert await tables.reader.parked() == ()
    assert len(READ_TOPICS) == 27
