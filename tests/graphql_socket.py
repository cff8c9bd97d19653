"""A websocket of a client of the API, by the protocol `graphql-transport-ws`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from graphql_world import World
from hepatrail_events.roles import Role


class Socket:
    """One connection of `graphql-transport-ws`."""

    def __init__(self, connected: ClientConnection) -> None:
        self.raw = connected

    @classmethod
    @asynccontextmanager
    async def opened(cls, world: World, token: str | None = None) -> AsyncIterator[Self]:
        """An acknowledged connection; without a token, a safety officer's."""
        async with connect(
            world.url().replace("http", "ws"), subprotocols=[Subprotocol("graphql-transport-ws")]
        ) as connected:
            socket = cls(connected)
            officer = world.token(Role.SAFETY_OFFICER)
            await socket.send("connection_init", payload={"Authorization": f"Bearer {token or officer}"})
            assert (await socket.receive())["type"] == "connection_ack"
            yield socket

    async def send(self, kind: str, **more: Any) -> None:
        """One message."""
        await self.raw.send(json.dumps({"type": kind, **more}))

    async def receive(self, seconds: float = 5.0) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(seconds):
            message: dict[str, Any] = json.loads(await self.raw.recv())
            return message

    async def subscribe(self, query: str, name: str = "1", **variables: Any) -> None:
        """Begins an operation."""
        await self.send("subscribe", id=name, payload={"query": query, "variables": variables})

    async def next(self, field_name: str = "saeAlerts", seconds: float = 5.0) -> Any:
        """The next event of a subscription."""
        message = await self.receive(seconds)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"][field_name]

    async def next_but_beats(self, seconds: float = 5.0) -> Any:
        """The next event that is no heartbeat."""
        while (event := await self.next(seconds=seconds))["__typename"] == "Heartbeat":
            pass
        return event

    async def beat(self, seconds: float = 5.0) -> Any:
        """The next heartbeat."""
        while (event := await self.next(seconds=seconds))["__typename"] != "Heartbeat":
            pass
        return event

    async def failure(self, seconds: float = 5.0) -> Any:
        """The error that ends a subscription."""
        while True:
            message = await self.receive(seconds)
            if message["type"] == "error":
                return message["payload"][0]
            if message["payload"].get("errors"):
                return message["payload"]["errors"][0]
