"""The sealer on a real Kafka: when it seals, and what it writes."""

import asyncio
import time
from pathlib import Path

import pytest

from hepatrail_events.errors import Unavailable
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_events.transparency.merkle import leaf_hash
from hepatrail_events.transparency.seal import SealReason
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.demand import demand_seal
from runtime_support import records
from sealer_child import process
from sealer_kafka import Trial, lines, opened_seals, running, seals, seals_to, until

LONG = 3600.0


async def test_aud_06_a_seal_follows_each_sae_alert(kafka: str, trial: Trial, tmp_path: Path) -> None:
    async with running(process(kafka, tmp_path, every=LONG)) as task:
        await seals_to(kafka, 1, task)
        for number in (2, 3):
            trial.raise_alert()
            committed = await trial.send()
            found = await seals_to(kafka, number, task)
            assert time.monotonic() - committed < 10.0
            assert found[-1].reason is SealReason.ALERT
        desk = partition_of(SAFETY_DESK)
        last = (await opened_seals(kafka))[-1]
        alerts = [
            record
            for record in trial.log.records
            if record.key == SAFETY_DESK.encode()
            and AlertRaised.type_name().encode() in (record.value or b"")
            and record.topic == EVENTS
        ]
        sealed = {
            leaf_hash(record.value or b"") for record in (await records(kafka, EVENTS)) if record.partition == desk
        }
        assert last.trees[desk].size == len(sealed) and {leaf_hash(each.value or b"") for each in alerts} <= sealed


async def test_a_log_that_grows_is_sealed_and_the_files_follow(kafka: str, trial: Trial, tmp_path: Path) -> None:
    sealer = process(kafka, tmp_path)
    async with running(sealer) as task:
        await seals_to(kafka, 1, task)
        trial.more()
        await trial.send()
        first, second = await seals_to(kafka, 2, task)
        assert (first.reason, second.reason) == (SealReason.START, SealReason.INTERVAL)

        async def written() -> bool:
            return len(lines(tmp_path)) == 2 and (tmp_path / "latest" / "seal.json").exists()

        await until(written, task)
        await asyncio.sleep(0.5)
        health = await sealer.health()
        assert health.healthy and health.detail["seal"] == 2 and health.detail["files"] is None
        assert health.detail["size"] == len(await records(kafka, EVENTS))
    assert lines(tmp_path) == [record.value for record in await records(kafka, CHECKPOINTS)]
    assert len(await seals(kafka)) == 2, "nothing grew since"


async def test_files_that_cannot_be_written_are_told_and_do_not_stop_the_sealing(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file stands here")
    sealer = process(kafka, tmp_path / "taken")
    async with running(sealer) as task:
        await seals_to(kafka, 1, task)
        trial.more()
        await trial.send()
        await seals_to(kafka, 2, task)
        health = await sealer.health()
        assert not health.healthy and health.detail["why"] == "the files are behind"
        (tmp_path / "taken").unlink()
        trial.more()
        await trial.send()
        await seals_to(kafka, 3, task)

        async def healthy() -> bool:
            return (await sealer.health()).healthy

        await until(healthy, task)
    assert len(lines(tmp_path / "taken")) == 3


async def test_aud_06_who_asks_gets_a_seal_of_all_that_stands_in_the_log_and_is_on_record(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    async with running(process(kafka, tmp_path, every=LONG)) as task:
        await seals_to(kafka, 1, task)
        for _ in range(30):
            trial.more()
        await trial.send()
        seal, raw = await demand_seal(kafka, SystemClock(), by="auditor-1", patience=20)
    (asked,) = [AccessRecord.read(record.value or b"") for record in await records(kafka, ACCESS)]
    assert (asked.kind, asked.detail) == (Access.CHECKPOINT_ASKED, {"by": "auditor-1"})
    assert (seal.reason, seal.asked) == (SealReason.DEMAND, (f"{asked.instance}/{asked.seq}",))
    last = (await opened_seals(kafka))[-1]
    assert (last.seal, last.seal.raw()) == (seal, raw)
    assert sum(tree.size for tree in last.trees) == len(await records(kafka, EVENTS))


async def test_without_a_sealer_who_asks_is_told(kafka: str, trial: Trial) -> None:
    with pytest.raises(Unavailable, match="no seal came within 1 s: does a sealer run"):
        await demand_seal(kafka, SystemClock(), by="auditor-1", patience=1)
