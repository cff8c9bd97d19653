"""The safety process: one works, others stand by; it starts over by itself when Kafka or Postgres was away."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from hepatrail_events.errors import Conflict, Unavailable
from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import Health, counter
from hepatrail_projections.tail import tail_of
from hepatrail_services.safety.catching_up import FOLLOWED, catch_up
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.ledger import Ledger, ReadTo, open_ledger
from hepatrail_services.safety.reactor import Reactor
from hepatrail_services.safety.scheduler import EVERY, Scheduler
from hepatrail_services.safety.sending import CommandPort, Sender
from hepatrail_services.safety.status import Reporter

GROUP = "hepatrail-safety"

_log = logging.getLogger(__name__)
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_RETRY_SECONDS = 30.0

RESTARTS = counter("safety_restarts", "Times the safety process started over", ["why"])

Beside: TypeAlias = Callable[[Commons, Sender], Coroutine[Any, Any, None]]
"""Work that runs beside the process once the desk is read, such as an outbox; it never ends by itself."""


class SafetyProcess:
    """Reads every commit, raises what an officer must see, lets time do the same, and says each second how it is.

    `org` is the organisation in whose name the system acts. `run` may be cut off anywhere; it ends only by being
    cancelled or by an error that a person must mend: LogShorter, Halted (study or desk cannot be read), StartRefused,
    or a bug. The process then exits non-zero.
    """

    def __init__(
        self,
        bootstrap: str,
        dsn: str,
        bus: CommandPort,
        clock: Clock,
        *,
        org: str,
        patience: float = 5.0,
        retry_seconds: float = _RETRY_SECONDS,
        extra: Beside | None = None,
    ) -> None:
        """`bus` is started and stopped here; `patience` are the seconds after which a decider is asked again."""
        self._bootstrap = bootstrap
        self._dsn = dsn
        self._bus = bus
        self._clock = clock
        self._org = org
        self._patience = patience
        self._retry_seconds = retry_seconds
        self._extra = extra
        self._reporter: Reporter | None = None

    async def run(self) -> None:
        """Works until cancelled."""
        failures, started = 0, False
        try:
            while True:
                try:
                    if not started:
                        await self._bus.start()
                        started = True
                    await self._run_once()
                except (Unavailable, Conflict) as error:
                    failures = 0 if self._was_working() else failures + 1
                    RESTARTS.labels(type(error).__name__).inc()
                    _log.warning("the safety process starts over: %s", error)
                self._reporter = None
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
        finally:
            await self._bus.stop()

    async def health(self) -> Health:
        """Healthy while the tail is followed and the desk answers."""
        return Health(False, {"why": "not connected"}) if self._reporter is None else self._reporter.health()

    def _was_working(self) -> bool:
        return self._reporter is not None and self._reporter.working

    async def _run_once(self) -> None:
        ledger = await open_ledger(self._dsn)
        try:
            commons = Commons()
            sender = Sender(self._bus, self._clock, self._org, commons, self._patience)
            read_to = await ledger.read_to()
            reactor = Reactor(ledger, sender, self._clock, commons, read_to, await ledger.held())
            scheduler = Scheduler(commons, sender, self._clock, reactor.timers, retry_seconds=self._retry_seconds)
            earlier = await ledger.status()
            reporter = self._reporter = Reporter(ledger, reactor, sender, scheduler, self._clock, earlier)
            work = [
                reporter.run(),
                self._work(reactor, scheduler, reporter, read_to),
                scheduler.escalate(),
                scheduler.place_holds(),
            ]
            if self._extra is not None:
                work.append(_once_read(commons, sender, self._extra))
            await _until_first_ends(*work)
        finally:
            await _close(ledger)

    async def _work(
        self, reactor: Reactor, scheduler: Scheduler, reporter: Reporter, read_to: Mapping[int, ReadTo]
    ) -> None:
        """The one task that owns the participants' streams: commits, and what time makes due between them."""
        await catch_up(reactor, self._bootstrap, read_to)
        loop = asyncio.get_running_loop()
        async with tail_of(self._bootstrap, GROUP, FOLLOWED, lambda: reactor.next_offsets) as tail:
            reporter.follow(tail)
            retry_at, tick_at = loop.time() + self._retry_seconds, loop.time()
            while True:
                await reactor.take(await tail.next_records())
                if loop.time() >= retry_at:
                    await reactor.retry_halted()
                    retry_at = loop.time() + self._retry_seconds
                if loop.time() >= tick_at and reporter.read_whole:
                    await scheduler.tick_participants(reactor.participants, reporter.read_to)
                    tick_at = loop.time() + EVERY


async def _once_read(commons: Commons, sender: Sender, beside: Beside) -> None:
    await commons.read.wait()
    await beside(commons, sender)


async def _until_first_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Runs parts that never end by themselves; raises the first error, after the others have stopped."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


async def _close(ledger: Ledger) -> None:
    try:
        await ledger.close()
    except Unavailable as error:
        _log.warning("the connection could not be closed in order: %s", error)
