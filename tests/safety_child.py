"""The safety process as a process of its own: `python safety_child.py BOOTSTRAP DSN`; prints `working` when it is."""

import asyncio
import logging
import sys

from hepatrail_infra.clock import SystemClock
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.safety.process import SafetyProcess


async def main(bootstrap: str, dsn: str) -> None:
    clock = SystemClock()
    process = SafetyProcess(bootstrap, dsn, CommandBus(bootstrap, "safety-test", clock), clock, org="Sponsor")
    task = asyncio.create_task(process.run())
    before = False
    while not task.done():
        working = (await process.health()).healthy
        if working and not before:
            sys.stdout.write("working\n")
            sys.stdout.flush()
        before = working
        await asyncio.wait([task], timeout=0.02)
    task.result()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))
