import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hepatrail_cli.health import refuse_with
from hepatrail_cli.supervisor import SUPERVISOR, Part, ServeProcess, keep_all, stop_all
from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.process import Launch, ServerProcess


class Sleeper:
    """A real process; its first `refusals` restarts are refused."""

    def __init__(self, directory: Path, refusals: int = 0) -> None:
        self._process = ServerProcess("sleeper", ((signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0)))
        self._directory = directory
        self._refusals = refusals
        self.starts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def start(self) -> None:
        if self.starts and self._refusals:
            self._refusals -= 1
            raise StartRefused("not yet")
        self.starts += 1
        self._process.spawn(Launch(["sleep", "60"], self._directory, self._directory / "out", dict(os.environ)))

    async def stop(self) -> None:
        await self._process.end()

    async def wait(self) -> int:
        return await self._process.wait()


async def until_started(part: Sleeper, starts: int) -> int:
    async with asyncio.timeout(10):
        while True:
            if part.starts >= starts and part.pid is not None:
                return part.pid
            await asyncio.sleep(0.02)


async def test_what_is_killed_is_started_again_and_all_ends_at_the_stop(tmp_path: Path) -> None:
    steady, stubborn = Sleeper(tmp_path), Sleeper(tmp_path, refusals=2)
    parts: dict[str, Part] = {"steady": steady, "stubborn": stubborn}
    told: list[tuple[int | None, int | None]] = []
    for part in (steady, stubborn):
        await part.start()
    keeper = asyncio.create_task(keep_all(parts, lambda: told.append((steady.pid, stubborn.pid))))
    first = await until_started(steady, 1)
    os.kill(first, signal.SIGKILL)
    second = await until_started(steady, 2)
    os.kill(await until_started(stubborn, 1), signal.SIGKILL)
    third = await until_started(stubborn, 2)
    await asyncio.sleep(0.05)
    assert second != first
    assert told[-1] == (second, third)
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
    await stop_all(parts)
    assert not any(psutil.pid_exists(pid) for pid in (first, second, third))


async def test_a_process_that_refuses_its_start_says_why_in_its_log(tmp_path: Path) -> None:
    process = ServeProcess("decider", tmp_path, {"PATH": os.environ["PATH"]})
    await process.start()
    assert await asyncio.wait_for(process.wait(), 20) == 2
    assert "hepatrail: HEPATRAIL_KAFKA is not set." in process.log.read_text()
    with pytest.raises(StartRefused, match="decider refused to start: hepatrail: HEPATRAIL_KAFKA is not set"):
        refuse_with(process, "decider")


async def test_a_process_that_an_earlier_supervisor_left_behind_is_ended_first(tmp_path: Path) -> None:
    directory = tmp_path / "processes" / "decider"
    directory.mkdir(parents=True)
    program = "import signal, time; print('up', flush=True); time.sleep(60)"
    # The word after -c stands for the module that a real one runs.
    left = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "hepatrail_cli", cwd=directory, stdout=subprocess.PIPE
    )
    assert left.stdout is not None
    await left.stdout.readline()
    process = ServeProcess("decider", tmp_path, {"PATH": os.environ["PATH"]})
    await process.start()
    assert await asyncio.wait_for(left.wait(), 5) == -signal.SIGTERM
    await process.stop()


def test_a_process_ends_within_seconds_of_its_supervisor() -> None:
    program = f"""
import asyncio, os, sys
os.environ[{SUPERVISOR!r}] = str(os.getppid())
from hepatrail_cli.serve import _until_told
from hepatrail_infra.settings import Settings
async def main(settings, stop):
    print("up", flush=True)
    await stop.wait()
    print("ended", flush=True)
asyncio.run(_until_told(main, Settings()))
"""
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {program!r}]); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "up\n"
        supervisor.kill()
        assert supervisor.stdout.readline() == "ended\n"
