"""How things are timed: medians and percentiles of calls, calls a second at a number in flight."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Ask = Callable[[int], Awaitable[None]]


@dataclass(frozen=True)
class Latency:
    """Seconds of one call, over all calls."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1000:.1f} ms, p99 {self.p99 * 1000:.1f} ms"


async def one_at_a_time(ask: Ask, calls: int, warm_up: int = 20) -> Latency:
    """Calls `ask` one after the other; the first `warm_up` calls do not count."""
    seconds = [await _seconds(ask, number) for number in range(calls + warm_up)]
    return _latency(seconds[warm_up:])


async def in_turn(ask: Ask, peer: Ask, calls: int, warm_up: int = 100) -> tuple[Latency, Latency]:
    """Calls `ask` and `peer` in turn, one at a time, so that both meet machine and servers in the same state."""
    pairs = [(await _seconds(ask, number), await _seconds(peer, number)) for number in range(calls + warm_up)]
    ours, theirs = zip(*pairs[warm_up:], strict=True)
    return _latency(ours), _latency(theirs)


async def _seconds(ask: Ask, number: int) -> float:
    begin = time.perf_counter()
    await ask(number)
    return time.perf_counter() - begin


def _latency(seconds: Sequence[float]) -> Latency:
    return Latency(p50=statistics.median(seconds), p99=statistics.quantiles(seconds, n=100)[98])


async def in_flight(ask: Ask, calls: int, at_once: int, warm_up: int = 200) -> float:
    """Calls a second with `at_once` of them under way at any time; the calls before, one by one, do not count."""
    for number in range(warm_up):
        await ask(number)
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await ask(number)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return calls / (time.perf_counter() - begin)
