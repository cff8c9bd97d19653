"""Sleeping until something was projected, without sleeping over what happens while one still reads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from hepatrail_graphql.ports import Notifications

Woken = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def waking(notifications: Notifications, timeout: float) -> AsyncIterator[Woken]:  # noqa: ASYNC109
    """Listens from now on. What it gives waits for the first change since, at most the seconds it is given.

    `timeout` bounds the listening as a whole.
    """
    change = asyncio.create_task(notifications.wait_change(timeout))

    async def woken(patience: float) -> None:
        if patience > 0:
            await asyncio.wait([change], timeout=patience)

    try:
        yield woken
    finally:
        change.cancel()
        with suppress(asyncio.CancelledError):
            await change
