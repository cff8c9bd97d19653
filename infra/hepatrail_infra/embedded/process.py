"""A server process of ours: started, watched, ended.

The supervisor ends its servers itself, in its own order. They are not tied to its life: a server that died
with it would have no time to shut down. What a killed supervisor leaves behind, `orphans` finds and ends.
"""

import asyncio
import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hepatrail_events.errors import StartRefused

_log = logging.getLogger(__name__)

_POLL = 0.05
_KEPT_OUTPUT = 10 * 1024 * 1024
_TAIL = 64 * 1024

Steps = Sequence[tuple[signal.Signals, float]]
"""How a process is ended: each signal with the seconds it is given before the next is sent."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started. `user` is (uid, gid) when it must not run as the one who starts it."""

    command: Sequence[str]
    directory: Path
    output: Path
    environment: Mapping[str, str]
    user: tuple[int, int] | None = None


class ServerProcess:
    """At most one running child; may be started again after it ended."""

    def __init__(self, name: str, steps: Steps) -> None:
        self._name = name
        self._steps = steps
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def code(self) -> int | None:
        """The exit code of the last run (negative: the signal that ended it), None while running."""
        return self._child.poll() if self._child is not None else None

    def spawn(self, launch: Launch) -> None:
        """Start the process; its standard output and error are appended to `launch.output`.

        Raises `StartRefused` when the program may not be run.
        """
        self._child = popen(self._name, launch)
        _log.info("%s started: process %d", self._name, self._child.pid)

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit code (negative: a signal)."""
        if self._child is None:
            raise RuntimeError(f"{self._name} was never started")
        # Polled, because not every event loop's child watcher knows of children it did not start.
        while (code := self._child.poll()) is None:  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        return code

    async def end(self) -> None:
        """End the process, gently first; nothing happens when it does not run."""
        for step, patience in self._steps:
            if self._child is None or self._child.poll() is not None:
                return
            self._child.send_signal(step)
            try:
                await asyncio.wait_for(self.wait(), patience)
            except TimeoutError:
                _log.warning("%s did not end within %.0f s of %s", self._name, patience, step.name)


def run_tool(name: str, launch: Launch) -> None:
    """Run a program to its end; blocks. Raises `StartRefused` with its last line when it fails."""
    since = size_of(launch.output)
    code = popen(name, launch).wait()
    if code != 0:
        why = last_error(launch.output, since, ("rror", "xception", "FATAL"))
        raise StartRefused(f"{name} ended with code {code}: {why} (log: {launch.output}).")


def popen(name: str, launch: Launch) -> subprocess.Popen[bytes]:
    """Starts a program whose output is appended to `launch.output`; StartRefused when it may not be run."""
    rotate(launch.output)
    uid, gid = launch.user or (None, None)
    with launch.output.open("ab") as output:
        try:
            return subprocess.Popen(  # noqa: S603
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=launch.directory,
                env=dict(launch.environment),
                user=uid,
                group=gid,
                extra_groups=None if launch.user is None else [],
                # Ctrl-C in a terminal goes to its whole process group; the supervisor ends the servers last.
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            raise StartRefused(f"{name} cannot be started: {error}.") from error


def rotate(file: Path) -> None:
    """Set a log file that has grown past 10 MiB aside, in place of the one set aside before."""
    if file.exists() and file.stat().st_size > _KEPT_OUTPUT:
        file.replace(file.with_name(file.name + ".1"))


def size_of(file: Path) -> int:
    """Bytes in `file`, 0 when there is none: where what a new run writes begins."""
    return file.stat().st_size if file.exists() else 0


def last_error(file: Path, since: int, words: Sequence[str]) -> str:
    """The last line of `file` after byte `since` that holds one of `words`, else its last line, else a dash."""
    if not file.exists():
        return "-"
    with file.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        # Shorter than before: set aside meanwhile, so all of it is new.
        log.seek(max(since if since <= size else 0, size - _TAIL))
        lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in words)]
    return (telling or lines or ["-"])[-1]
