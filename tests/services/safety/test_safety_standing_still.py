"""What the safety process cannot read or get accepted: it stands still for one participant, or halts, and shows."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hepatrail_events.decisions import Code
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.streams import STUDY
from hepatrail_infra.postgres import Dsns
from hepatrail_services.decider.halted import Halted
from hepatrail_services.safety.identity import raise_command
from log_commits import enrol
from projection_kafka import eventually
from safety_desk import ScriptedDesk, watching
from safety_trial import Trial, has, shown, well


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
        await eventually(lambda: shown(dsns, "S-1"))
        health = await process.health()
        assert health.healthy
        assert [each["stream"] for each in health.detail["held"]] == ["subject-S-1"]
    unwanted.clear()
    async with watching(kafka, dsns, desk):
        await has(desk, 5)
        await eventually(lambda: well(dsns))
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
        await eventually(lambda: well(dsns))
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
        await eventually(lambda: shown(dsns, "S-1"))
        await trial.release(garbage)
        await has(desk, 4)
        await eventually(lambda: well(dsns))
    assert desk.types("S-1") == ["SAE_NEW", "SUBJECT_UNREADABLE", "SAE_NEW"]
    async with watching(kafka, dsns, desk):
        await eventually(lambda: well(dsns))
    assert len(desk.held) == len(desk.asked) == 4


async def test_a_parked_participant_stays_parked_over_a_restart_and_is_told_once(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    garbage = trial.log.raw(trial.streams["S-1"], b"garbage")
    await trial.write()
    async with watching(kafka, dsns, desk):
        await has(desk, 1)
        await eventually(lambda: shown(dsns, "S-1"))
    async with watching(kafka, dsns, desk):
        await eventually(lambda: shown(dsns, "S-1"))
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


async def test_a_study_that_cannot_be_read_halts_the_process(kafka: str, dsns: Dsns) -> None:
    trial, desk = Trial(kafka, "S-1"), ScriptedDesk()
    await trial.write()
    with pytest.raises(Halted, match="study cannot be read"):
        async with watching(kafka, dsns, desk):
            trial.log.raw(STUDY, b"garbage")
            await trial.write()
            await asyncio.sleep(2)


def _unreadable(desk: ScriptedDesk) -> AlertContent:
    return next(each for each in desk.held.values() if each.type == "SUBJECT_UNREADABLE")
