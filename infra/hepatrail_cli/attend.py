"""One process at work: served with its health page, ended when told or when its work ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from hepatrail_infra.settings import Settings
from hepatrail_infra.telemetry import Health, serve_metrics


async def attend(
    settings: Settings,
    stop: asyncio.Event,
    work: Coroutine[Any, Any, None],
    health: Callable[[], Awaitable[Health]],
    finish: Callable[[], None] | None = None,
) -> None:
    """Runs `work` until `stop` is set, with `/metrics` and `/healthz` when a port is set for them.

    `finish` asks the work to end; without one it is cancelled, which it bears at any moment. Raises what it raises.
    """
    async with AsyncExitStack() as pages:
        task = asyncio.create_task(work)
        pages.push_async_callback(asyncio.wait, {task})
        pages.callback(task.cancel)
        if settings.metrics_port is not None:
            server = await serve_metrics(settings.metrics_port, health, settings.host)
            pages.callback(server.close)
        stopped = asyncio.create_task(stop.wait())
        pages.callback(stopped.cancel)
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if task.done() or finish is not None:
            if finish is not None:
                finish()
            await task
