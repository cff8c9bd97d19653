"""Outcomes from a process of their own: a second of one core, which a process that serves alerts does not have.

It is started by the first question, holds what it knows of the participants for the next one, and ends with its
parent, however that ends.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Coroutine
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from hepatrail_events.errors import Unavailable
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_projections.endpoints.answer import OutcomesRead

if TYPE_CHECKING:
    from hepatrail_projections.endpoints.reading import OutcomeReader


class OutcomeWorker:
    """Answers one question after the other, of participants at all sites."""

    def __init__(self, dsn: str, simulated_clock: Path | None = None) -> None:
        """`dsn` is that of the role `hepatrail_reader`; nothing is connected or started yet."""
        self._arguments = (dsn, simulated_clock)
        self._executor: ProcessPoolExecutor | None = None

    async def outcomes(self, as_of: datetime | None = None) -> OutcomesRead:
        """As `OutcomeReader.outcomes`; Unavailable also when the process was lost: the next question has another."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), initializer=_begin, initargs=self._arguments
            )
        executor = self._executor
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, _answer, as_of)
        except BrokenProcessPool as error:
            if self._executor is executor:
                self._executor = None
            raise Unavailable("the process that works the outcomes out was lost") from error

    async def stop(self) -> None:
        """Ends the process, after the question that it is at."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)


class _Worker:
    """The worker's own process: one loop, and a reader that is made anew when Postgres was away."""

    def __init__(self, dsn: str, simulated_clock: Path | None) -> None:
        self._dsn, self._clock = dsn, make_clock(simulated_clock)
        self._runner = asyncio.Runner()
        self._pool: asyncpg.Pool | None = None
        self._reader: OutcomeReader | None = None

    def run(self, work: Coroutine[Any, Any, OutcomesRead]) -> OutcomesRead:
        return self._runner.run(work)

    async def outcomes(self, as_of: datetime | None) -> OutcomesRead:
        # Here, because the parent imports this file too, and needs nothing of what works the outcomes out.
        from hepatrail_projections.endpoints.reading import OutcomeReader
        from hepatrail_projections.reading import Reader

        if self._reader is None:
            self._pool = await reader_pool(self._dsn, size=1, name="outcomes")
            self._reader = OutcomeReader(Reader(self._pool, self._clock))
        return await self._reader.outcomes(as_of)


_worker: _Worker | None = None


def _begin(dsn: str, simulated_clock: Path | None) -> None:
    global _worker
    # Ctrl-C is for the parent, which ends this process; a parent that was killed cannot.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = _Worker(dsn, simulated_clock)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _answer(as_of: datetime | None) -> OutcomesRead:
    assert _worker is not None
    return _worker.run(_worker.outcomes(as_of))
