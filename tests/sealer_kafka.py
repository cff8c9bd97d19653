"""The sealer on a real Kafka, as its tests use it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.seal import NO_SEAL, Opened, Seal, open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_services.audit.sealer_process import SealerProcess
from projection_kafka import write
from runtime_support import records
from sealed_log import KEY, NEXT_KEY
from sealer_world import SealerWorld, name_key


class Trial(SealerWorld):
    """A log whose events reach Kafka when told; it has named the sealer's key."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__()
        self._bootstrap = bootstrap
        self._sent = 0
        name_key(self, KEY)

    async def send(self) -> float:
        """Writes what is new, in one transaction; when that was."""
        new, self._sent = self.log.records[self._sent :], len(self.log.records)
        await write(self._bootstrap, new)
        return time.monotonic()


@asynccontextmanager
async def running(sealer: SealerProcess) -> AsyncIterator["asyncio.Task[None]"]:
    """A sealer in this process."""
    task = asyncio.create_task(sealer.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(
    holds: Callable[[], Awaitable[Any]], task: "asyncio.Task[None] | None" = None, seconds: float = 30
) -> Any:
    """What `holds` answers once that is true; raises what ends the sealer meanwhile."""
    async with asyncio.timeout(seconds):
        while True:
            if task is not None and task.done():
                task.result()
            if answer := await holds():
                return answer
            await asyncio.sleep(0.02)


async def seals(bootstrap: str) -> list[Seal]:
    """All seals, each held to the one before it and to the events, as a reader finds them."""
    return [each.seal for each in await opened_seals(bootstrap)]


async def opened_seals(bootstrap: str) -> list[Opened]:
    """They, opened; an AssertionError says which is not what it should be."""
    roots: dict[int, list[bytes]] = defaultdict(lambda: [Frontier().root()])
    trees: dict[int, Frontier] = defaultdict(Frontier)
    found = [
        open_seal(Seal.read(record.value or b""), [KEY.public, NEXT_KEY.public])
        for record in await records(bootstrap, CHECKPOINTS)
    ]
    for record in await records(bootstrap, EVENTS):
        trees[record.partition].append(leaf_hash(record.value or b""))
        roots[record.partition].append(trees[record.partition].root())
    history, before = Frontier(), NO_SEAL
    for number, opened in enumerate(found, 1):
        assert (opened.seal.seal, opened.seal.prevhash) == (number, before)
        history.append(leaf_hash(opened.seal.body_bytes()))
        assert (opened.history.size, opened.history.root) == (number, history.root())
        for partition, tree in enumerate(opened.trees):
            assert tree.root == roots[partition][tree.size], f"seal {number}, partition {partition}"
        before = sha256_hex(opened.seal.raw())
    return found


async def seals_to(bootstrap: str, number: int, task: "asyncio.Task[None] | None" = None) -> list[Seal]:
    """Waits until there are so many."""

    async def enough() -> list[Seal] | None:
        found = await records(bootstrap, CHECKPOINTS)
        return [Seal.read(record.value or b"") for record in found] if len(found) >= number else None

    await until(enough, task)
    return await seals(bootstrap)


def lines(directory: Path) -> list[bytes]:
    return [line for file in sorted(directory.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
