"""A decider with the small rules as a process of its own: `python runtime_decider.py BOOTSTRAP INSTANCE LANES`.

Prints one line `serving` each time that its health turns green.
"""

import asyncio
import logging
import sys

from hepatrail_infra.clock import SystemClock
from hepatrail_services.decider.process import DeciderProcess
from runtime_support import NoteRules


async def main(bootstrap: str, instance: str, lanes: str) -> None:
    process = DeciderProcess(bootstrap, instance=instance, lanes=int(lanes), clock=SystemClock(), rules=NoteRules())
    task = asyncio.create_task(process.run())
    before = None
    while not task.done():
        health = await process.health()
        state = sorted(health.detail["lanes"]) if health.healthy else None
        if state != before:
            sys.stdout.write(f"{'serving ' + ','.join(state) if state else 'idle'}\n")
            sys.stdout.flush()
            before = state
        await asyncio.wait([task], timeout=0.02)
    task.result()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))
