"""A thousand officers on one API process: how soon an alert is with the last of them, and what each costs in memory."""

import asyncio
import json
import resource
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.limits import Line
from desk_seeding import desk_system
from hepatrail_events.roles import Role
from officers import ALERTS
from sae_reports import token_for
from stack import Stack

SUBSCRIBERS = 1_000
ROUNDS = 10
REACHED_SECONDS = 1.0
_CONNECTING_AT_ONCE = 40
_SOCKETS = 4_096
_REST_SECONDS = 5.0
_PATIENCE = 30.0


class Crowd:
    """Everybody who is connected; an alert's arrivals are told by the id in it, without reading the rest."""

    def __init__(self) -> None:
        self._awaited = ""
        self._arrived: list[float] = []
        self._all = asyncio.Event()

    async def listen(self, socket: ClientConnection) -> None:
        """Takes what one subscriber is sent."""
        async for raw in socket:
            if self._awaited and self._awaited in (raw if isinstance(raw, str) else raw.decode()):
                self._arrived.append(time.perf_counter())
                if len(self._arrived) == SUBSCRIBERS:
                    self._all.set()

    def await_alert(self, alert_id: str) -> None:
        """From now on this alert is counted."""
        self._awaited, self._arrived = alert_id, []
        self._all.clear()

    async def reached(self) -> float:
        """The moment at which the last of them had it."""
        async with asyncio.timeout(_PATIENCE):
            await self._all.wait()
        return max(self._arrived)


def allow_sockets() -> None:
    """Lets this process, and the stack that it starts, have a socket for each subscriber."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _SOCKETS if hard == resource.RLIM_INFINITY else min(_SOCKETS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def measure_subscribers(stack: Stack) -> list[Line]:
    """The lines of the report about many subscribers."""
    async with desk_system(stack.ready["kafka"]) as system:
        before = _resident(stack)
        async with _gathered(stack) as crowd:
            await asyncio.sleep(_REST_SECONDS)
            grown = _resident(stack) - before
            seconds = []
            for _ in range(ROUNDS):
                alert_id = uuid4()
                crowd.await_alert(str(alert_id))
                begin = time.perf_counter()
                await system.raise_alert(alert_id=alert_id)
                seconds.append(await crowd.reached() - begin)
    shown = f"median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s"
    name = f"{SUBSCRIBERS:,} subscribers"
    return [
        Line(f"{name}: an alert is with all of them", shown, "-", max(seconds), REACHED_SECONDS),
        Line(f"{name}: memory of the API for each", f"{grown / SUBSCRIBERS / 1024:.0f} KiB", "-"),
    ]


@asynccontextmanager
async def _gathered(stack: Stack) -> AsyncIterator[Crowd]:
    """All subscribers, each on a connection of its own: officers of the whole trial and investigators of one site."""
    tokens = (token_for(stack, "officer-crowd"), token_for(stack, "pi-crowd", Role.PRINCIPAL_INVESTIGATOR))
    crowd, places = Crowd(), asyncio.Semaphore(_CONNECTING_AT_ONCE)
    ready = [asyncio.Event() for _ in range(SUBSCRIBERS)]

    async def subscriber(number: int) -> None:
        async with places:
            socket = await _subscribed(stack.ready["websocket"], tokens[number % len(tokens)])
        async with socket:
            ready[number].set()
            await crowd.listen(socket)

    tasks = [asyncio.create_task(subscriber(number)) for number in range(SUBSCRIBERS)]
    try:
        await asyncio.gather(*(each.wait() for each in ready))
        yield crowd
        if ended := [task for task in tasks if task.done()]:
            raise RuntimeError(f"{len(ended)} subscribers were left")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _subscribed(address: str, token: str) -> ClientConnection:
    """A connection whose first heartbeat has come."""
    socket = await connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], open_timeout=_PATIENCE)
    await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
    await socket.recv()
    payload = {"query": ALERTS, "variables": {"after": "now"}}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    await socket.recv()
    return socket


def _resident(stack: Stack) -> int:
    # Proportional, as the report on the stack counts: pages that processes share count once.
    return int(psutil.Process(stack.pid("api")).memory_full_info().pss)
