"""The subscription client speaks graphql-transport-ws with a real server on a real socket."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from hepatrail_events.errors import Unavailable
from hepatrail_services.importers.api_client import ApiError
from hepatrail_services.importers.api_subscription import subscribe

PROTOCOL = Subprotocol("graphql-transport-ws")
Answers = list[dict[str, Any]]


@asynccontextmanager
async def _server(answers: Answers, seen: Answers) -> AsyncIterator[str]:
    async def handle(socket: ServerConnection) -> None:
        seen.append(json.loads(await socket.recv()))
        await socket.send(json.dumps({"type": "connection_ack"}))
        seen.append(json.loads(await socket.recv()))
        for answer in answers:
            await socket.send(json.dumps(answer))
            if answer["type"] == "ping":
                seen.append(json.loads(await socket.recv()))

    async with serve(handle, "127.0.0.1", 0, subprotocols=[PROTOCOL]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def test_messages_come_in_order_until_the_server_completes() -> None:
    seen: Answers = []
    answers: Answers = [
        {"type": "next", "id": "1", "payload": {"data": {"n": 1}}},
        {"type": "ping"},
        {"type": "next", "id": "1", "payload": {"data": {"n": 2}}},
        {"type": "complete", "id": "1"},
    ]
    async with _server(answers, seen) as url:
        got = [data async for data in subscribe(url, "secret", "subscription { n }", {"after": "start"})]
    assert got == [{"n": 1}, {"n": 2}]
    assert seen[0] == {"type": "connection_init", "payload": {"Authorization": "Bearer secret"}}
    assert seen[1]["payload"] == {"query": "subscription { n }", "variables": {"after": "start"}}
    assert seen[2] == {"type": "pong"}


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "error", "id": "1", "payload": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]},
        {"type": "next", "id": "1", "payload": {"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]}},
    ],
)
async def test_a_refusal_has_its_code(answer: dict[str, Any]) -> None:
    async with _server([answer], []) as url:
        with pytest.raises(ApiError, match="no") as raised:
            await anext(subscribe(url, "secret", "subscription { n }"))
    assert raised.value.code == "FORBIDDEN"


@pytest.mark.parametrize("place", [lambda url: url, lambda url: url.rsplit(":", 1)[0] + ":1"])
async def test_a_lost_connection_is_told_apart_from_an_end(place: Callable[[str], str]) -> None:
    async with _server([], []) as url:
        with pytest.raises(Unavailable, match="subscription was"):
            await anext(subscribe(place(url), "secret", "subscription { n }"))
