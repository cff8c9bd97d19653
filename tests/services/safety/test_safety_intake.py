"""What waits and what moves on: commits of a later study, held streams in the ledger."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from builders.adverse_events import ae_reported
from builders.participant import consent
from hepatrail_events.codec import Recorded
from hepatrail_events.errors import Conflict, InvalidEnvelope
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.study import SiteActivated
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_infra.postgres import Dsns
from hepatrail_projections.records import incoming
from hepatrail_services.decider.halted import Halted
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.following import Stream, commits, work_in
from hepatrail_services.safety.intake import Intake
from hepatrail_services.safety.ledger import Held, HeldKind, ReadTo, differing, open_ledger
from log_commits import enrol, publish
from projection_log import LogRecord, LogWriter
from safety_desk import in_ledger

HELD = Held("subject-S-1", HeldKind.HALTED, 3, 17, "SHAPE", "No.", datetime(2026, 3, 1, tzinfo=UTC))


def ahead_of_study() -> tuple[LogRecord, list[LogRecord], LogRecord]:
    """The first version of the study; two commits under the second, which comes last."""
    log = LogWriter(71)
    publish(log)
    (second,) = log.commit(STUDY, SiteActivated(site_id="BFH", approval_ref="EC-1"), role="ADMIN")
    stream = next(name for name in map(_name, range(99)) if partition_of(name) != partition_of(STUDY))
    later = [*log.commit(stream, consent()), *log.commit(stream, ae_reported())]
    return log.records[0], later, second


def _name(number: int) -> str:
    return subject_stream(f"S-{number:02d}")


async def test_a_commit_of_a_later_study_waits_for_it() -> None:
    first, later, second = ahead_of_study()
    intake = Intake(Commons())
    assert [each.place.offset for each in intake.admit([first]).events] == [first.offset]
    assert intake.admit(later).events == ()
    assert intake.admit([]).events == ()
    assert [each.stream for each in intake.admit([second]).events] == [STUDY, *[_key(each) for each in later]]


async def test_a_commit_of_a_study_that_never_comes_is_unreadable() -> None:
    first, later, _ = ahead_of_study()
    intake = Intake(Commons(), patience=0.0)
    contents = [each.content for each in intake.admit([first, *later]).events]
    assert isinstance(contents[0], Recorded)
    assert [type(each) for each in contents[1:]] == [InvalidEnvelope, InvalidEnvelope]


async def test_another_reader_begins_with_nothing_in_hand() -> None:
    first, later, second = ahead_of_study()
    intake = Intake(Commons())
    intake.admit([first, *later])
    intake.change_source()
    assert [each.stream for each in intake.admit([second]).events] == [STUDY]


async def test_a_study_with_a_gap_halts() -> None:
    first, _, second = ahead_of_study()
    with pytest.raises(Halted, match=r"study cannot be read at hepatrail\.events/\d+@"):
        Intake(Commons()).admit([replace(second, offset=first.offset)])


def test_a_record_that_was_passed_over_may_or_may_not_be_counted() -> None:
    for counted in (False, True):
        log = LogWriter(72)
        publish(log)
        stream = enrol(log, "S-1")
        garbage = log.raw(stream, b"garbage")
        if counted:
            log.skip_in_chain(stream, b"garbage")
        log.commit(stream, ae_reported())
        events = [
            incoming(Place(each.topic, each.partition, each.offset), each.key, each.value)
            for each in log.records
            if each.topic == EVENTS and each.key == stream.encode()
        ]
        begin = Stream.begin(stream)
        released = {Place(EVENTS, garbage.partition, garbage.offset)}
        for commit in commits(events):
            step = work_in(begin.end, stream, commit, released)
            assert step.error is None
            begin.end = step.after
        assert len(begin.known.view.adverse_events) == 1


async def test_the_ledger_keeps_places_and_held_streams_together(dsns: Dsns) -> None:
    ledger = await open_ledger(dsns.writer)
    try:
        await ledger.advance([(0, ReadTo(3, 18, "a"))], [HELD])
        assert (await ledger.read_to(), await ledger.held()) == ({3: ReadTo(3, 18, "a")}, {HELD.stream: HELD})
        await ledger.advance([(18, ReadTo(3, 20, "b"))], free=[HELD.stream])
        assert (await ledger.read_to(), await ledger.held()) == ({3: ReadTo(3, 20, "b")}, {})
    finally:
        await ledger.close()


async def test_a_place_that_another_has_moved_is_a_conflict_and_changes_nothing(dsns: Dsns) -> None:
    ledger = await open_ledger(dsns.writer)
    try:
        await ledger.advance([(0, ReadTo(3, 18, "a"))])
        await in_ledger(dsns, "UPDATE hepatrail.safety_offset SET next_offset = 30")
        with pytest.raises(Conflict):
            await ledger.advance([(18, ReadTo(3, 20, "b"))], [HELD])
        assert await ledger.held() == {}
    finally:
        await ledger.close()


def test_only_what_differs_is_written() -> None:
    other = replace(HELD, stream="subject-S-2")
    assert differing({HELD.stream: HELD}, {HELD.stream: HELD}) == ([], [])
    assert differing({HELD.stream: HELD}, {other.stream: other}) == ([other], [HELD.stream])


def _key(record: LogRecord) -> str:
    return (record.key or b"").decode()
