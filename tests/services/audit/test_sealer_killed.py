"""A sealer that is killed, doubled or ousted: numbers without gaps, and never two roots for one size."""

import asyncio
import sys
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from runtime_support import records
from sealer_child import STEPS, process
from sealer_kafka import Trial, lines, opened_seals, running, seals, seals_to, until

CHILD = Path(__file__).parents[2] / "sealer_child.py"


async def _child(kafka: str, directory: Path, *step: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), kafka, str(directory), *step, stdout=asyncio.subprocess.PIPE
    )


async def test_aud_06_killed_at_any_step_it_leaves_no_gap_and_never_two_roots_for_a_size(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    for step in STEPS:
        before = len(await records(kafka, CHECKPOINTS))
        child = await _child(kafka, tmp_path, step)
        trial.more()
        await trial.send()
        assert await asyncio.wait_for(child.wait(), 60) == -9, step
        assert len(await seals(kafka)) - before in (0, 1), step
    last = await _child(kafka, tmp_path)
    try:
        trial.more()
        await trial.send()

        async def whole() -> bool:
            found = await opened_seals(kafka)
            stored = [record.value for record in await records(kafka, CHECKPOINTS)]
            events = len(await records(kafka, EVENTS))
            return sum(tree.size for tree in found[-1].trees) == events and lines(tmp_path) == stored

        await until(whole, seconds=60)
    finally:
        last.kill()
        await last.wait()


async def test_of_two_sealers_one_seals_and_the_other_follows_it(kafka: str, trial: Trial, tmp_path: Path) -> None:
    one, other = process(kafka, tmp_path / "a", "sealer-a"), process(kafka, tmp_path / "b", "sealer-b")
    async with running(one) as first, running(other) as second:

        async def settled() -> bool:
            both = [await each.health() for each in (one, other)]
            return all(each.healthy for each in both) and sum(each.detail["turn"] for each in both) == 1

        await until(settled)
        for _ in range(3):
            trial.more()
            await trial.send()
            await asyncio.sleep(0.2)
        await seals_to(kafka, 2, first)
        before = len(await seals(kafka))
        ended, left, task = (first, other, second) if (await one.health()).detail["turn"] else (second, one, first)
        ended.cancel()
        trial.more()
        await trial.send()
        await seals_to(kafka, before + 1, task)
        assert (await left.health()).detail["turn"]
        kept = tmp_path / ("b" if left is other else "a")

        async def followed() -> bool:
            return lines(kept) == [seal.raw() for seal in await seals(kafka)]

        await until(followed, task)


async def test_a_process_under_a_name_that_is_taken_ends_the_one_before(
    kafka: str, trial: Trial, tmp_path: Path
) -> None:
    async with running(process(kafka, tmp_path)) as first:
        await seals_to(kafka, 1, first)
        async with running(process(kafka, tmp_path)):
            await asyncio.wait([first], timeout=30)
            assert first.done()
            with pytest.raises(StartRefused, match="Another process runs as sealer-0"):
                first.result()
