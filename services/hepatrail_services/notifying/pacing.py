"""How long to wait before the next try: exponential back-off with jitter, and a slow pace where a person must act."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hepatrail_services.notifying.notifier import Undelivered


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds. Nothing is ever given up: what is due is tried until it is delivered or due no more."""

    first: float = 1.0
    longest: float = 60.0
    refused: float = 300.0
    """Before a try of which only a person can change the outcome."""
    longest_asked: float = 900.0
    """The most that the other side is left alone when it asks for it."""

    def pause(self, failures: int, failed: Undelivered, chance: float) -> float:
        """Seconds after the `failures`-th failure in a row (1, 2, …); `chance` in [0, 1) spreads them over half."""
        full = min(self.longest, self.first * 2.0 ** min(failures - 1, 30)) if failed.retryable else self.refused
        asked = min(failed.after or 0.0, self.longest_asked)
        return max(full * (0.5 + 0.5 * chance), asked)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Waits:
    """A clock that never jumps, the waiting by it, and chance: given in, so that tests let hours pass in no time."""

    now: Callable[[], float] = _loop_time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = field(default=random.random)
