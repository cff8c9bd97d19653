"""The projector: from the log to the tables, for ever."""

import asyncio
import logging

from hepatrail_events.errors import Conflict, Unavailable
from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import Health, counter
from hepatrail_projections.catch_up import catch_up
from hepatrail_projections.engine import Engine, open_engine
from hepatrail_projections.quarantine_topic import QuarantineTopic
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.tail import Tail, tail_of
from hepatrail_projections.version import PROJECTION_VERSION

GROUP = "hepatrail-projector"

_log = logging.getLogger(__name__)
_NEAR_THE_END = 1_000
_FAR_BEHIND = 5_000
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)

RESTARTS = counter("projector_restarts", "Times the projector started over", ["why"])


class Projector:
    """Catches up, then follows the live tail; starts over by itself when Kafka or Postgres was away.

    `run` ends only by being cancelled or by an error that nobody but a person can mend: `LogShorter`, an
    `InvalidMessage` that halts, or a bug. The process then exits non-zero.
    """

    def __init__(self, bootstrap: str, dsn: str, clock: Clock, version: int = PROJECTION_VERSION) -> None:
        self._bootstrap = bootstrap
        self._dsn = dsn
        self._clock = clock
        self._version = version
        self._healthy = asyncio.Event()
        self._engine: Engine | None = None

    async def run(self) -> None:
        """Projects until cancelled."""
        sink = QuarantineTopic(self._bootstrap, self._clock)
        failures = 0
        try:
            while True:
                self._healthy.clear()
                try:
                    await self._run_once(sink)
                    failures = 0
                except (Unavailable, Conflict) as error:
                    failures = 0 if self._healthy.is_set() else failures + 1
                    RESTARTS.labels(type(error).__name__).inc()
                    _log.warning("the projector starts over: %s", error)
                    await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
        finally:
            await sink.close()

    async def health(self) -> Health:
        """Healthy while the tail is followed; with the schema, what is parked, and how complete the tables are."""
        engine = self._engine
        if engine is None:
            return Health(False, {"why": "not connected"})
        memory = engine.projection.memory
        return Health(
            self._healthy.is_set(),
            {"schema": engine.projection.schema, "parked": sorted(memory.parked), "study": memory.study.version},
        )

    async def _run_once(self, sink: QuarantineTopic) -> None:
        engine = await open_engine(self._dsn, self._clock, sink, version=self._version)
        self._engine = engine
        try:
            await engine.retry_parked()
            await catch_up(engine, self._bootstrap, until_behind=_NEAR_THE_END)
            engine.change_source()
            await self._follow(engine)
        finally:
            self._engine = None
            await engine.close()

    async def _follow(self, engine: Engine) -> None:
        """Projects what is written from now on; returns when the log runs away from it, because catching up is faster.

        Healthy while everything can be fetched.
        """
        async with tail_of(self._bootstrap, GROUP, READ_TOPICS, lambda: engine.next_offsets) as tail:
            while _behind(engine, tail) <= _FAR_BEHIND:
                records = await tail.next_records()
                if records:
                    await engine.apply(records)
                await engine.idle(tail.seen)
                if tail.complete:
                    self._healthy.set()


def _behind(engine: Engine, tail: Tail) -> int:
    """How many offsets lie between what was projected and what is committed."""
    offsets = engine.next_offsets
    return sum(max(0, (each.stable or 0) - offsets[partition]) for partition, each in tail.seen.items())
