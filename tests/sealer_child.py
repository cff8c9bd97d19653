"""The sealer as a process of its own: `python sealer_child.py BOOTSTRAP DIRECTORY [DIE_AT]`.

Prints `sealing` when it is its turn and all is well. DIE_AT is where it kills itself at its next seal.
"""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from hepatrail_infra.clock import SystemClock
from hepatrail_services.audit.checkpoint_files import CheckpointFiles
from hepatrail_services.audit.sealer import Sealer
from hepatrail_services.audit.sealer_process import SealerProcess

SEED = bytes(range(32))
STEPS = {
    "before the transaction": (AIOKafkaProducer, "begin_transaction", False),
    "in the transaction": (AIOKafkaProducer, "send", False),
    "before the commit": (AIOKafkaProducer, "commit_transaction", False),
    "after the commit": (AIOKafkaProducer, "commit_transaction", True),
    "before it is remembered": (Sealer, "sealed", False),
    "before the files": (CheckpointFiles, "add", False),
    "between the files": (CheckpointFiles, "show", False),
}
"""Where a kill may strike: what is called there, and whether behind it."""


def die_at(step: str) -> None:
    """Lets this process kill itself there."""
    owner, name, behind = STEPS[step]
    original: Any = getattr(owner, name)

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def later(*given: Any, **named: Any) -> Any:
        if not behind:
            kill()
        result = await original(*given, **named)
        kill()
        return result

    def at_once(*given: Any, **named: Any) -> Any:
        kill()

    setattr(owner, name, later if asyncio.iscoroutinefunction(original) else at_once)


def process(bootstrap: str, directory: Path, instance: str = "sealer-0", every: float = 0.05) -> SealerProcess:
    """A sealer whose key the study has named already."""
    return SealerProcess(
        bootstrap,
        SystemClock(),
        seeds=(SEED,),
        publish=False,
        instance=instance,
        log_origin="hepatrail.test",
        every=every,
        directory=directory,
        org="Sponsor",
    )


async def main(bootstrap: str, directory: str, step: str | None = None) -> None:
    if step is not None:
        die_at(step)
    running = process(bootstrap, Path(directory))
    task = asyncio.create_task(running.run())
    said = False
    while not task.done():
        health = await running.health()
        if health.healthy and health.detail["turn"] and not said:
            said = True
            sys.stdout.write("sealing\n")
            sys.stdout.flush()
        await asyncio.wait([task], timeout=0.02)
    task.result()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))
