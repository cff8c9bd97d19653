"""kill -9 of anything, at any time, under load: nothing acknowledged is lost, nothing is doubled."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from killing import kill_each_once
from logbook import Logbook
from stack import Stack, enrol

SUBJECTS = [f"CHAOS-{number:02d}" for number in range(6)]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    running = await Stack(tmp_path / "data").start()
    try:
        await running.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
        yield running
    finally:
        await running.stop()


async def _load(stack: Stack, subject: str, done: asyncio.Event, acknowledged: dict[str, list[str]]) -> int:
    """Observations of a participant until `done`, one after the other; how many there were."""
    number = 0
    while not done.is_set():
        number += 1
        command = str(uuid4())
        result = await stack.accept(
            "recordObservations",
            commandId=command,
            subjectId=subject,
            assessedAt=f"2026-01-06T0{number % 10}:{number % 60:02d}:00Z",
            rows=[{"code": "heart_rate", "value": str(60 + number % 60), "unit": "/min"}],
        )
        acknowledged[command] = result["eventIds"]
        await asyncio.sleep(0.1)
    return number


async def test_ret_04_nothing_acknowledged_is_lost_or_doubled_when_any_process_is_killed(stack: Stack) -> None:
    for subject in SUBJECTS:
        await enrol(stack, subject)
    acknowledged: dict[str, list[str]] = {}
    done = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(_load(stack, subject, done, acknowledged)) for subject in SUBJECTS]
        chance = random.Random(20260301)
        await kill_each_once(stack, chance, (0.5, 4.0))
        await asyncio.sleep(5)
        done.set()

    # How many there are is a matter of the machine; each participant must have had some in spite of everything.
    assert min(load.result() for load in loads) > 1
    book = await Logbook.read(stack.ready["kafka"])
    commits = book.by_command()
    for command, event_ids in acknowledged.items():
        assert [event["id"] for event in commits[command]] == event_ids, command
    for subject in SUBJECTS:
        version = len(book.streams[f"subject-{subject}"])
        position = f"subject-{subject}@{version}"
        await _projected(stack, subject, position)

    rebuilt = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "hepatrail_cli", "rebuild", "--data-dir", str(stack.data_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr


async def _projected(stack: Stack, subject: str, position: str) -> None:
    query = "query($id: ID!, $p: Position) { subject(id: $id, minPosition: $p) { id version } }"
    async with asyncio.timeout(60):
        while (answer := await stack.answer(query, {"id": subject, "p": position})) is None:
            await asyncio.sleep(0.5)
    assert answer["subject"]["version"] == int(position.rpartition("@")[2])
