"""Servers that an earlier supervisor of the same data directory left behind, found and ended.

A process is one of them when its name and its command line are a server's and its working directory *is*
(same device and inode, so not merely the same path in another container) the server's directory. Signals
go through psutil, which compares process id and start time first: a reused id is never hit. The caller
holds the directory's `InstanceLock`, so that nobody else's live server can be among them.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from hepatrail_events.errors import StartRefused
from hepatrail_infra.embedded.process import Steps

_log = logging.getLogger(__name__)


def find_orphans(
    directories: Iterable[Path], names: frozenset[str], ours: Callable[[list[str]], bool]
) -> list[psutil.Process]:
    """The processes called one of `names` that work in one of `directories` and whose command line is `ours`."""
    paths = [path for path in directories if path.is_dir()]
    inodes = {_inode(path) for path in paths}
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() in names and _works_in(process, paths, inodes) and ours(process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end_orphans(processes: list[psutil.Process], steps: Steps) -> None:
    """End them, gently first, and return when all are gone.

    Only those whose parent is not among them get the gentle signals: servers end their own children. Raises
    `StartRefused` when they belong to another user or do not go.
    """
    ids = {process.pid for process in processes}
    for number, (step, patience) in enumerate(steps):
        last = number == len(steps) - 1
        for process in processes:
            try:
                if last or process.ppid() not in ids:
                    _log.warning("ending process %d, left behind: %s", process.pid, step.name)
                    process.send_signal(step)
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied as error:
                raise StartRefused(
                    f"Process {process.pid} of another user is using this data directory; end it first."
                ) from error
        processes = _still_running(processes, patience)
        if not processes:
            return
    raise StartRefused(f"Process {processes[0].pid}, left behind by an earlier start, cannot be ended.")


def _still_running(processes: list[psutil.Process], patience: float) -> list[psutil.Process]:
    """Those left after at most `patience` seconds; dead ones that nobody has reaped yet do not count."""
    deadline = time.monotonic() + patience
    while True:
        processes = [process for process in processes if _runs(process)]
        if not processes or time.monotonic() > deadline:
            return processes
        time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _works_in(process: psutil.Process, paths: list[Path], inodes: set[tuple[int, int]]) -> bool:
    try:
        where = Path(f"/proc/{process.pid}/cwd") if sys.platform == "linux" else Path(process.cwd())
        return _inode(where) in inodes
    except FileNotFoundError:
        return False
    except (PermissionError, psutil.AccessDenied):
        # A container's root may not look into another user's process; the command line is open to all.
        command = process.cmdline()
        return any(os.fspath(path) in command for path in paths)
