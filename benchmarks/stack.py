"""What the whole stack needs at rest, and how soon it is ready."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.limits import Line
from stack import Stack

READY_LIMIT_SECONDS = 10.0
RESIDENT_LIMIT_GB = 1.2
_REST_SECONDS = 20.0


async def measure_stack() -> list[Line]:
    """The lines of the report about the stack; these limits are absolute, as a laptop's owner feels them."""
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack(Path(directory) / "data")
        await stack.start()
        await stack.stop()
        begin = time.perf_counter()
        await stack.start()
        ready = time.perf_counter() - begin
        try:
            await asyncio.sleep(_REST_SECONDS)
            resident = stack.resident() / 1e9
        finally:
            await stack.stop()
    return [
        Line("stack ready, when installed", f"{ready:.1f} s", "-", ready, READY_LIMIT_SECONDS),
        Line("stack resident at rest", f"{resident:.2f} GB", "-", resident, RESIDENT_LIMIT_GB),
    ]
