"""The access log of a command that somebody runs: a chain of its own for each run."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hepatrail_infra.clock import Clock
from hepatrail_services.access_log import AccessLog


def tool_instance() -> str:
    """`tool-` and 8 hex digits: the instance of one run."""
    return f"tool-{secrets.token_hex(4)}"


@asynccontextmanager
async def tool_access(bootstrap: str, clock: Clock) -> AsyncIterator[AccessLog]:
    """The access log for one run of a command; raises Unavailable when Kafka is away."""
    access = AccessLog(bootstrap, tool_instance(), clock)
    await access.start()
    try:
        yield access
    finally:
        await access.stop()
