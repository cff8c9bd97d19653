"""The safety process on a real Kafka and a real Postgres, before a desk that does what the test says."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from builders import SESSION, ae_reported, hold_placed, session_started
from hepatrail_events.decisions import Code
from hepatrail_events.errors import LogShorter, StartRefused
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS
from hepatrail_infra.kafka_wire import Wire
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_services.decider.halted import Halted
from hepatrail_services.safety import catching_up
from hepatrail_services.safety.identity import raise_command
from hepatrail_services.safety.process import SafetyProcess
from projection_kafka import eventually, fresh_topics, write
from projection_log import LogRecord, LogWriter, enrol, publish
from runtime_support import records
from safety_desk import ScriptedDesk, in_ledger, status_of, watching
from safety_world import another, serious

SAE = serious(ae_reported(), "HOSPITALISATION")


class Trial:
    """A log that is written to Kafka bit by bit."""

    def __init__(self, kafka: str, *subjects: str) -> None:
        self.kafka = kafka
        self.log = LogWriter(61)
        publish(self.log)
        self.streams = {subject: enrol(self.log, subject) for subject in subjects}
        self._written = 0

    def report(self, subject: str, number: int) -> None:
        """A serious event."""
        self.log.commit(self.streams[subject], another(SAE, number))

    async def write(self) -> None:
        """Everything that is not written yet."""
        await write(self.kafka, self.log.records[self._written :])
        self._written = len(self.log.records)

    async def release(self, record: LogRecord) -> None:
        """Somebody decides that an unreadable record is passed over, where it stands in Kafka."""
        placed = next(each for each in await records(self.kafka, EVENTS) if each.value == record.value)
        self.log.release(replace(record, offset=placed.offset))
        await self.write()


async def has(desk: ScriptedDesk, count: int, seconds: float = 20.0) -> None:
    """Waits until the desk holds so many alerts."""

    async def there() -> bool:
        return len(desk.held) >= count

    await eventually(there, seconds)


async def settled(dsns: Dsns, kafka: str) -> None:
    """Waits until all that was written is behind the offsets; the marker of a transaction stands after its records."""
    async with Wire(kafka) as wire:
        ends = await wire.stable_ends(TopicPartition(EVENTS, number) for number in range(PARTITIONS))
    behind = {place.partition: end - 1 for place, end in ends.items() if end}

    async def there() -> bool:
        async with connection(dsns.owner) as link:
            rows = await link.fetch("SELECT partition, next_offset FROM hepatrail.safety_offset")
        return {row["partition"]: row["next_offset"] for row in rows} == behind

    await eventually(there)


async def test_an_event_is_told_to_the_desk_by_the_system_itself(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    await trial.write()
    async with watching(kafka, dsns, desk):
        trial.report("S-1", 1)
        await trial.write()
        await has(desk, 1)
    (message,) = desk.asked
    alert = next(iter(desk.held.values()))
    assert (message.stream, message.commandtype, message.actor.id, message.actor.role) == (
        SAFETY_DESK,
        "raiseAlert",
        "hepatrail-safety",
        "SYSTEM",
    )
    assert message.commandid == raise_command(alert.alert_id)
    assert (alert.type, alert.subject_id, alert.ae_id) == ("SAE_NEW", "S-1", UUID(int=1))
    assert message.causationid is not None


async def test_a_restart_asks_nothing_twice(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1", "S-2"), ScriptedDesk()
    trial.report("S-1", 1)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
        trial.report("S-2", 2)
        await trial.write()
        await has(desk, 2)
        await settled(dsns, kafka)
    trial.report("S-1", 3)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 3)
    assert len(desk.asked) == 3


async def test_a_restart_reads_past_what_was_reacted_to_however_near_the_end_is(
    kafka: str, dsns: Dsns, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One record a fetch: after the first one already fewer are left than count as near.
    monkeypatch.setattr(catching_up, "_BATCH_RECORDS", 1)
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    for number in (1, 2, 3):
        trial.report("S-1", number)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 3)
        await settled(dsns, kafka)
    trial.report("S-1", 4)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 4)
    assert len(desk.asked) == 4


async def test_the_whole_log_again_gives_the_same_ids_and_bodies(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1", "S-2"), ScriptedDesk()
    for number in range(1, 6):
        trial.report("S-1" if number % 2 else "S-2", number)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 5)
    await in_ledger(dsns, "DELETE FROM hepatrail.safety_offset")
    first, desk.asked = {(each.commandid, each.bodyhash) for each in desk.asked}, []
    async with watching(kafka, dsns, desk):
        await settled(dsns, kafka)
    assert {(each.commandid, each.bodyhash) for each in desk.asked} == first
    assert len(desk.held) == len(first) == 5


async def test_an_acceptance_that_was_not_heard_is_asked_for_again(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    trial.report("S-1", 1)
    await trial.write()
    desk.silent = True
    async with watching(kafka, dsns, desk, working=False):
        await has(desk, 1)
    assert await in_ledger(dsns, "SELECT count(*) FROM hepatrail.safety_offset") == 0
    desk.silent = False
    async with watching(kafka, dsns, desk):
        await settled(dsns, kafka)
    assert len(desk.held) == 1
    assert len({(each.commandid, each.bodyhash) for each in desk.asked}) == 1
    assert len(desk.asked) == 2


async def test_no_answer_in_time_asks_again_with_the_same_id(kafka: str, dsns: Dsns) -> None:
    answers: list[Code | str | None] = [None, None, Code.NOT_READY, "accepted"]
    desk = ScriptedDesk(lambda alert, before: answers[before])
    trial = Trial(kafka, "S-1")
    trial.report("S-1", 1)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
    assert len({(each.commandid, each.bodyhash) for each in desk.asked}) == 1
    assert len(desk.asked) == 4


async def test_a_rejection_halts_its_stream_only_and_shows(kafka: str, dsns: Dsns) -> None:
    unwanted = {UUID(int=1)}
    desk = ScriptedDesk(lambda alert, before: Code.SHAPE if alert.ae_id in unwanted else "accepted")
    trial = Trial(kafka, "S-1", "S-2")
    trial.report("S-1", 1)
    trial.report("S-1", 2)
    trial.report("S-2", 3)
    await trial.write()
    async with watching(kafka, dsns, desk) as process:
        await has(desk, 1)
        trial.report("S-2", 4)
        trial.report("S-1", 5)
        await trial.write()
        await has(desk, 2)
        assert (desk.types("S-1"), desk.types("S-2")) == ([], ["SAE_NEW", "SAE_NEW"])
        await eventually(lambda: _shown(dsns, "S-1"))
        health = await process.health()
        assert health.healthy
        assert [each["stream"] for each in health.detail["held"]] == ["subject-S-1"]
    unwanted.clear()
    async with watching(kafka, dsns, desk):
        await has(desk, 5)
        await eventually(lambda: _well(dsns))
    assert [each.ae_id for each in desk.held.values() if each.subject_id == "S-1"] == [
        UUID(int=number) for number in (1, 2, 5)
    ]
    ids = {each.commandid for each in desk.asked if each.input["alert"].get("aeId") == str(UUID(int=1))}
    assert len(ids) == 2, "the second attempt has an id of its own: the decision on the first stands for ever"


async def test_a_fault_of_the_desk_that_passes_frees_the_stream(kafka: str, dsns: Dsns) -> None:
    desk = ScriptedDesk(lambda alert, before: Code.INTERNAL if before == 0 else "accepted")
    trial = Trial(kafka, "S-1")
    trial.report("S-1", 1)
    trial.report("S-1", 2)
    await trial.write()
    async with watching(kafka, dsns, desk, retry_seconds=0.3):
        await has(desk, 2)
        await eventually(lambda: _well(dsns))
    assert {each.commandid for each in desk.asked} == {raise_command(alert_id) for alert_id in desk.held}


async def test_an_unreadable_event_parks_its_participant_only_and_alerts(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1", "S-2"), ScriptedDesk()
    trial.report("S-1", 1)
    garbage = trial.log.raw(trial.streams["S-1"], b"garbage")
    trial.report("S-1", 2)
    trial.report("S-2", 3)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 3)
        assert desk.types("S-2") == ["SAE_NEW"]
        assert desk.types("S-1") == ["SAE_NEW", "SUBJECT_UNREADABLE"]
        alert = _unreadable(desk)
        assert alert.detail is not None
        assert alert.detail.startswith(f"subject-S-1@4 (hepatrail.events/{garbage.partition}@")
        assert "NOT_JSON" in alert.detail
        assert abs(alert.raised_at - datetime.now(UTC)) < timedelta(minutes=1)
        await eventually(lambda: _shown(dsns, "S-1"))
        await trial.release(garbage)
        await has(desk, 4)
        await eventually(lambda: _well(dsns))
    assert desk.types("S-1") == ["SAE_NEW", "SUBJECT_UNREADABLE", "SAE_NEW"]
    async with watching(kafka, dsns, desk):
        await eventually(lambda: _well(dsns))
    assert len(desk.held) == len(desk.asked) == 4


async def test_a_parked_participant_stays_parked_over_a_restart_and_is_told_once(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    garbage = trial.log.raw(trial.streams["S-1"], b"garbage")
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
        await eventually(lambda: _shown(dsns, "S-1"))
    async with watching(kafka, dsns, desk):
        await eventually(lambda: _shown(dsns, "S-1"))
        trial.report("S-1", 1)
        await trial.write()
    await trial.release(garbage)
    async with watching(kafka, dsns, desk):
        await has(desk, 2)
    assert desk.types("S-1") == ["SUBJECT_UNREADABLE", "SAE_NEW"]
    assert len({each.bodyhash for each in desk.asked}) == 2, "a second try says the same to the millisecond"


async def test_a_commit_that_no_protocol_was_in_force_for_parks_its_participant(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    trial.log._studyseq = 0
    trial.streams["S-2"] = enrol(trial.log, "S-2")
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
    detail = _unreadable(desk).detail
    assert detail is not None
    assert detail.startswith("subject-S-2@1")
    assert "no protocol was in force" in detail


async def test_a_hold_read_after_the_session_it_should_have_stopped_alerts(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    trial.log.commit(trial.streams["S-1"], session_started())
    await trial.write()
    async with watching(kafka, dsns, desk):
        trial.log.now -= timedelta(seconds=8)
        trial.log.commit(STUDY, hold_placed(), role="PRINCIPAL_INVESTIGATOR")
        await trial.write()
        await has(desk, 1)
    assert [(each.type, each.session_id) for each in desk.held.values()] == [("SESSION_UNDER_HOLD", SESSION)]


async def test_a_study_that_cannot_be_read_halts_the_process(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    await trial.write()
    with pytest.raises(Halted, match="study cannot be read"):
        async with watching(kafka, dsns, desk):
            trial.log.raw(STUDY, b"garbage")
            await trial.write()
            await asyncio.sleep(2)


@pytest.mark.parametrize("other", ["shorter", "another"])
async def test_a_log_that_is_not_the_one_that_was_read_halts(kafka: str, dsns: Dsns, other: str) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    trial.report("S-1", 1)
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
        await settled(dsns, kafka)
    await fresh_topics(kafka)
    replaced = Trial(kafka, "S-1")
    if other == "another":
        replaced.log.tick(7)
        replaced.report("S-1", 2)
        replaced.report("S-1", 3)
    await replaced.write()
    with pytest.raises(LogShorter, match="LOG_SHORTER"):
        async with watching(kafka, dsns, desk):
            pass


async def test_one_works_and_the_other_stands_by(kafka: str, dsns: Dsns) -> None:
    trial, first, second = Trial(kafka, "S-1"), ScriptedDesk(), ScriptedDesk()
    await trial.write()
    async with watching(kafka, dsns, first):
        async with watching(kafka, dsns, second, working=False) as waiting:
            trial.report("S-1", 1)
            await trial.write()
            await has(first, 1)
            await settled(dsns, kafka)
            assert not (await waiting.health()).healthy
            assert second.asked == []
        trial.report("S-1", 2)
        await trial.write()
        await has(first, 2)


async def test_who_stood_by_takes_over(kafka: str, dsns: Dsns) -> None:
    trial, first, second = Trial(kafka, "S-1"), ScriptedDesk(), ScriptedDesk()
    trial.report("S-1", 1)
    await trial.write()
    async with AsyncExitStack() as standing_by:
        async with watching(kafka, dsns, first):
            other = await standing_by.enter_async_context(watching(kafka, dsns, second, working=False))
            await has(first, 1)
            await settled(dsns, kafka)
        trial.report("S-1", 2)
        await trial.write()
        await has(second, 1)
        await eventually(lambda: _works(other))
    assert [each.ae_id for each in (*first.held.values(), *second.held.values())] == [UUID(int=1), UUID(int=2)]


async def test_the_tables_must_be_there(kafka: str, dsns: Dsns) -> None:
    await in_ledger(dsns, "DROP TABLE hepatrail.safety_held")
    with pytest.raises(StartRefused, match="hepatrail prepare"):
        async with watching(kafka, dsns, ScriptedDesk()):
            pass


async def test_the_row_says_how_far_it_is(kafka: str, dsns: Dsns) -> None:
    trial, begun = Trial(kafka, "S-1"), datetime.now(UTC)
    await trial.write()
    assert await status_of(dsns) is None
    async with watching(kafka, dsns, ScriptedDesk()):

        async def processed() -> bool:
            row = await status_of(dsns)
            return row is not None and row.processed_to > begun and row.scheduler_healthy

        await eventually(processed)
        row = await status_of(dsns)
        assert row is not None and row.age_seconds is not None
        assert (row.safety_healthy, row.scheduler_healthy, row.parked, row.detail) == (True, True, [], None)
        assert row.age_seconds < 3
        assert datetime.now(UTC) - row.processed_to < timedelta(seconds=15)


def _unreadable(desk: ScriptedDesk) -> AlertContent:
    return next(each for each in desk.held.values() if each.type == "SUBJECT_UNREADABLE")


async def _shown(dsns: Dsns, subject: str) -> bool:
    row = await status_of(dsns)
    return (
        row is not None and not row.safety_healthy and [each["stream"] for each in row.parked] == [f"subject-{subject}"]
    )


async def _well(dsns: Dsns) -> bool:
    row = await status_of(dsns)
    return row is not None and row.safety_healthy and row.parked == []


async def _works(process: SafetyProcess) -> bool:
    return (await process.health()).healthy
