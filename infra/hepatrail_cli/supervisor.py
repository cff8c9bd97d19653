"""Keeps the parts of a stack running: whatever ends is started again, after a pause that grows while it fails."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import psutil

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.orphans import end_orphans, find_orphans
from hepatrail_infra.embedded.process import Launch, ServerProcess

_log = logging.getLogger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY_SECONDS = 30.0
SUPERVISOR = "HEPATRAIL_SUPERVISOR"
"""Holds the supervisor's process id; a process whose parent is another one then ends by itself."""

_MODULE = "hepatrail_cli"
_STEPS = ((signal.SIGTERM, 6.0), (signal.SIGKILL, 2.0))


class Part(Protocol):
    """A server or process that can be started, again and again, and ended."""

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        ...

    async def start(self) -> object:
        """Starts it; StartRefused when that cannot be done now."""
        ...

    async def stop(self) -> None:
        """Ends it and returns when it is gone."""
        ...

    async def wait(self) -> int:
        """Returns its exit code when it has ended."""
        ...


class ServeProcess:
    """One `hepatrail serve ...`, with its settings in the environment and its output in a log file."""

    def __init__(self, name: str, data_dir: Path, environment: Mapping[str, str]) -> None:
        self._process = ServerProcess(name, _STEPS)
        # Its working directory tells whose it is, should the supervisor be killed.
        self._directory = data_dir / "processes" / name
        self.log = data_dir / "logs" / f"{name}.log"
        self._name = name
        self._environment = environment

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code of the last run, None while running."""
        return self._process.code

    async def start(self) -> None:
        """Starts the process, after ending one that an earlier supervisor left behind."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(exist_ok=True)
        interpreter = frozenset({psutil.Process().name()})
        left = find_orphans([self._directory], interpreter, lambda command: _MODULE in command)
        await asyncio.to_thread(end_orphans, left, _STEPS)
        command = [sys.executable, "-m", _MODULE, "serve", self._name]
        environment = {**self._environment, SUPERVISOR: str(os.getpid())}
        self._process.spawn(Launch(command, self._directory, self.log, environment))

    async def stop(self) -> None:
        """Ends the process, by force after 6 s."""
        await self._process.end()

    async def wait(self) -> int:
        """Returns the exit code when the process has ended."""
        return await self._process.wait()


async def keep(name: str, part: Part, changed: Callable[[], None]) -> None:
    """Starts `part` again whenever it ends, for ever; `changed` is told after each start. Ends by cancellation."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE
    while True:
        began = loop.time()
        code = await part.wait()
        if loop.time() - began > STEADY_SECONDS:
            pause = FIRST_PAUSE
        _log.error("%s ended with code %d; it is started again in %.1f s", name, code, pause)
        while part.pid is None:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                await part.start()
            except StartRefused:
                _log.exception("%s could not be started; the next try is in %.1f s", name, pause)
        changed()


async def keep_all(parts: Mapping[str, Part], changed: Callable[[], None]) -> None:
    """Keeps all parts running until cancelled."""
    async with asyncio.TaskGroup() as group:
        for name, part in parts.items():
            group.create_task(keep(name, part, changed), name=f"keep {name}")


async def stop_all(parts: Mapping[str, Part]) -> None:
    """Ends parts at the same time; one that fails to end does not keep the others."""
    outcomes = await asyncio.gather(*(part.stop() for part in parts.values()), return_exceptions=True)
    for name, outcome in zip(parts, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            _log.error("%s could not be ended", name, exc_info=outcome)
