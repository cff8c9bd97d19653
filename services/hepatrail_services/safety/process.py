"""The safety process: one works, others stand by; it starts over by itself when Kafka or Postgres was away."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from hepatrail_events.errors import Conflict, Unavailable
from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import Health, counter
from hepatrail_services.safety.catching_up import catch_up
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.ledger import Ledger, ReadTo, open_ledger
from hepatrail_services.safety.raising import DeskBus, Raiser
from hepatrail_services.safety.reactor import Reactor
from hepatrail_services.safety.status import Reporter
from hepatrail_services.safety.tail import tail_of

_log = logging.getLogger(__name__)
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_RETRY_SECONDS = 30.0

RESTARTS = counter("safety_restarts", "Times the safety process started over", ["why"])


class SafetyProcess:
    """Reads every commit, raises what an officer must see, and says each second how it is.

    `org` is the organisation in whose name the system acts. `run` may be cut off anywhere; it ends only by being
    cancelled or by an error that a person must mend: LogShorter, Halted (study or desk cannot be read), StartRefused,
    or a bug. The process then exits non-zero.
    """

    def __init__(
        self,
        bootstrap: str,
        dsn: str,
        bus: DeskBus,
        clock: Clock,
        *,
        org: str,
        patience: float = 5.0,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        """`bus` is started and stopped here; `patience` are the seconds after which the desk is asked again."""
        self._bootstrap = bootstrap
        self._dsn = dsn
        self._bus = bus
        self._clock = clock
        self._org = org
        self._patience = patience
        self._retry_seconds = retry_seconds
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
            raiser = Raiser(self._bus, self._clock, self._org, commons.holds_alert, self._patience)
            read_to = await ledger.read_to()
            reactor = Reactor(ledger, raiser, self._clock, commons, read_to, await ledger.held())
            reporter = self._reporter = Reporter(ledger, reactor, raiser, self._clock, await ledger.status())
            await _until_first_ends(reporter.run(), self._work(reactor, reporter, read_to))
        finally:
            await _close(ledger)

    async def _work(self, reactor: Reactor, reporter: Reporter, read_to: Mapping[int, ReadTo]) -> None:
        await catch_up(reactor, self._bootstrap, read_to)
        loop = asyncio.get_running_loop()
        async with tail_of(reactor, self._bootstrap) as tail:
            reporter.follow(tail)
            retry_at = loop.time() + self._retry_seconds
            while True:
                await reactor.take(await tail.next_records())
                if loop.time() >= retry_at:
                    await reactor.retry_halted()
                    retry_at = loop.time() + self._retry_seconds


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
