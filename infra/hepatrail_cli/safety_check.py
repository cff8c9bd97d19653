"""Whether safety works, as the API sees it, and why not: for those who are told when it does not."""

import asyncio

import asyncpg

from hepatrail_events.errors import Unavailable
from hepatrail_graphql.health import DeskWatch, SafetyHealth, safety_health
from hepatrail_graphql.times import Times
from hepatrail_infra.clock import Clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_projections.reading import Reader


class SafetyCheck:
    """Asks Postgres as a heartbeat does, by a connection of its own: a busy API is no outage."""

    def __init__(self, dsn: str, clock: Clock, times: Times | None = None) -> None:
        self._dsn = dsn
        self._clock = clock
        self._times = times or Times()
        self._watch = DeskWatch()
        self._pool: asyncpg.Pool | None = None

    async def why(self) -> str | None:
        """Why safety does not work, without a word about a participant; None when it does."""
        try:
            if self._pool is None:
                self._pool = await reader_pool(self._dsn, size=1, name="safety check")
            read = await Reader(self._pool, self._clock).desk_after(None)
        # A statement that Postgres refuses or breaks off leaves the question as open as a Postgres that is away.
        except (Unavailable, asyncpg.PostgresError):
            return "The database cannot be asked."
        steady = asyncio.get_running_loop().time()
        return why_not(safety_health(read, self._watch, self._times, now=self._clock.now(), steady=steady), self._times)

    def close(self) -> None:
        """Lets the connection go."""
        if self._pool is not None:
            self._pool.terminate()


def why_not(health: SafetyHealth, times: Times) -> str | None:
    """The first reason for which nobody may rely on alerts; None when there is none."""
    if health.processed_to is None:
        return "The safety process has never reported."
    if not health.fresh:
        return f"The safety process has not reported for more than {times.status_fresh:g} s."
    if health.lag_seconds > times.lag_unhealthy:
        return f"The safety process is more than {times.lag_unhealthy:g} s behind."
    if not health.safety_healthy:
        return "The safety process does not do all of its work, or its alerts do not reach the API."
    if not health.scheduler_healthy:
        return "Escalations and reporting clocks may not be told in time."
    return None
