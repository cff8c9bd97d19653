"""The safety process on a real Kafka and a real Postgres, before a desk that does what the test says."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from builders.ids import SESSION
from builders.participant import session_started
from builders.study import hold_placed
from hepatrail_events.decisions import Code
from hepatrail_events.errors import LogShorter, StartRefused
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_infra.postgres import Dsns
from hepatrail_services.safety import catching_up
from hepatrail_services.safety.identity import raise_command
from hepatrail_services.safety.process import SafetyProcess
from projection_kafka import eventually, fresh_topics
from safety_desk import ScriptedDesk, in_ledger, status_of, watching
from safety_trial import Trial, has, settled


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


async def _works(process: SafetyProcess) -> bool:
    return (await process.health()).healthy
