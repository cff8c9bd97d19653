"""`hepatrail up` as a process of its own, started and ended as anybody would: for the demo and for tests."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from hepatrail_events.errors import StartRefused
from hepatrail_infra.settings import PREFIX

_READY_SECONDS = 300.0
_STOP_SECONDS = 40.0
_SHOWN = 2_000


class StackProcess:
    """A stack in a directory that exists; what it says goes to `up.log` there. No `HEPATRAIL_*` reaches it."""

    def __init__(self, data_dir: Path, *, simulated_clock: bool = False) -> None:
        self._data_dir = data_dir
        self._options = ("--simulated-clock",) if simulated_clock else ()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> dict[str, Any]:
        """Starts it and returns the ready line; StartRefused with its own words when it does not come up."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        log = self._data_dir / "up.log"
        with log.open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "hepatrail_cli", "up", "--data-dir", str(self._data_dir), *self._options),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                # A Ctrl-C in the terminal is for whoever started the stack, who then ends it in order.
                start_new_session=True,
            )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _READY_SECONDS)
        except TimeoutError:
            line = b""
        if not line:
            said = log.read_text("utf-8", "replace")[-_SHOWN:].strip()
            raise StartRefused(f"The stack did not come up. It said: {said or 'nothing'}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    async def stop(self) -> int | None:
        """Ends it and returns its exit code; None when it was not started."""
        process = self._process
        if process is None:
            return None
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
        return await process.wait()
