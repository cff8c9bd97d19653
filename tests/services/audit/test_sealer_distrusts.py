"""What the sealer finds at its start and does not believe: forged hints, a shorter log, seals of others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hepatrail_events.errors import LogShorter
from hepatrail_events.streams import STUDY
from hepatrail_events.transparency.merkle import leaf_hash
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import Seal, SealReason
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.demand import demand_seal
from hepatrail_services.audit.resume import RESUME
from projection_kafka import fresh_topics, write
from projection_log import LogRecord
from runtime_support import records
from sealer_child import process
from sealer_kafka import Trial, lines, running, seals, seals_to, until
from sealer_world import SealerWorld, name_key


async def _write_seals(kafka: str, trial: Trial, **forged: object) -> None:
    """Puts the seals that the trial's own sealer made into the topic, with other hints beside the last."""
    made = []
    for seal, resume in trial.written:
        hints = replace(resume, **forged) if seal is trial.written[-1][0] else resume  # type: ignore[arg-type]
        headers = ((RESUME, hints.raw()),)
        made.append(LogRecord(CHECKPOINTS, 0, 0, seal.log.encode(), seal.raw(), headers))
    await write(kafka, made)


def _kafka_offsets(found: Sequence[Any]) -> tuple[tuple[int, ...], tuple[bytes, ...]]:
    ends: dict[int, Any] = {record.partition: record for record in found}
    return (
        tuple(ends[partition].offset + 1 if partition in ends else 0 for partition in range(12)),
        tuple(leaf_hash(ends[partition].value or b"") if partition in ends else b"" for partition in range(12)),
    )


@pytest.mark.parametrize("forgery", ["none", "places", "frontiers", "history", "beyond the end", "access"])
async def test_aud_06_forged_hints_change_nothing(kafka: str, trial: Trial, tmp_path: Path, forgery: str) -> None:
    trial.seal()
    offsets, last = _kafka_offsets(await records(kafka, EVENTS))
    hints: dict[str, object] = {"offsets": offsets, "last": last, "access": 0}
    study = partition_of(STUDY)
    if forgery == "places":
        hints["offsets"] = tuple(offset and offset - 1 for offset in offsets)
    elif forgery == "beyond the end":
        hints["offsets"] = tuple(offset + 1000 * (number == study) for number, offset in enumerate(offsets))
    elif forgery == "access":
        hints["access"] = 1000
    elif forgery == "frontiers":
        hints["frontiers"] = tuple(tuple(leaf_hash(b"forged") for _ in each) for each in trial.written[-1][1].frontiers)
    elif forgery == "history":
        hints["history"] = (leaf_hash(b"forged"),)
    await _write_seals(kafka, trial, **hints)
    async with running(process(kafka, tmp_path)) as task:
        trial.more()
        await trial.send()
        found = await seals_to(kafka, 2, task)
        assert found[1].reason is SealReason.INTERVAL
        await demand_seal(kafka, SystemClock(), by="auditor-1", patience=20)
    await seals(kafka)


async def test_aud_06_a_log_shorter_than_its_seals_is_not_sealed_again(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    trial.more()
    trial.seal()
    await _write_seals(kafka, trial)
    with pytest.raises(LogShorter, match="1 sealed events at the end of partition"):
        await asyncio.wait_for(process(kafka, tmp_path).run(), 30)
    assert len(await records(kafka, CHECKPOINTS)) == 1


async def test_aud_06_a_topic_of_seals_that_was_cut_is_accused_by_the_files(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    async with running(process(kafka, tmp_path)) as task:
        await seals_to(kafka, 1, task)
        trial.more()
        await trial.send()
        await seals_to(kafka, 2, task)

        async def written() -> bool:
            return len(lines(tmp_path)) == 2

        await until(written, task)
    kept = await records(kafka, EVENTS)
    first = (await records(kafka, CHECKPOINTS))[0]
    for left, number in ((kept, 0), ([*kept, first], 1)):
        await fresh_topics(kafka)
        await write(kafka, [LogRecord(each.topic, each.partition, 0, each.key, each.value) for each in left])
        with pytest.raises(LogShorter, match=rf"the topic ends with seal {number}, .* holds seal 2"):
            await asyncio.wait_for(process(kafka, tmp_path).run(), 30)
        assert len(await records(kafka, CHECKPOINTS)) == number


async def test_seals_of_nobody_stop_it(kafka: str, trial: Trial, tmp_path: Path) -> None:
    stranger = SealerWorld(keys=(SigningKey(b"\7" * 32),))
    name_key(stranger, stranger.keys[0])
    stranger.seal()
    seal, _ = stranger.written[0]
    await write(kafka, [LogRecord(CHECKPOINTS, 0, 0, seal.log.encode(), seal.raw())])
    with pytest.raises(LogShorter, match="is signed by a key of this study"):
        await asyncio.wait_for(process(kafka, tmp_path).run(), 30)


async def test_a_seal_that_is_put_again_is_passed_over(kafka: str, trial: Trial, tmp_path: Path) -> None:
    async with running(process(kafka, tmp_path)) as task:
        await seals_to(kafka, 1, task)
        trial.more()
        await trial.send()
        await seals_to(kafka, 2, task)
    first = (await records(kafka, CHECKPOINTS))[0]
    await write(kafka, [LogRecord(CHECKPOINTS, 0, 0, first.key, first.value), LogRecord(CHECKPOINTS, 0, 0, None, b"?")])
    async with running(process(kafka, tmp_path)) as task:
        trial.more()
        await trial.send()

        async def third() -> bool:
            return len(lines(tmp_path)) == 3

        await until(third, task)
    last = (await records(kafka, CHECKPOINTS))[-1]
    assert Seal.read(last.value or b"").seal == 3
