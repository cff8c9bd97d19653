"""One subscription over `graphql-transport-ws`, the protocol that the API speaks on its websocket."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from hepatrail_events.errors import Unavailable
from hepatrail_services.importers.api_client import ApiError

_PROTOCOL = Subprotocol("graphql-transport-ws")
_ID = "1"


async def subscribe(
    url: str, token: str, query: str, variables: Mapping[str, Any] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """Yields the `data` of each message until the server completes.

    Raises `ApiError` when the subscription is refused and `Unavailable` when the connection is lost: whoever needs
    every message subscribes again after the last cursor seen.
    """
    try:
        async with connect(url, subprotocols=[_PROTOCOL]) as socket:
            await socket.send(_message("connection_init", payload={"Authorization": f"Bearer {token}"}))
            async for raw in socket:
                message = orjson.loads(raw)
                match message["type"]:
                    case "connection_ack":
                        payload = {"query": query, "variables": dict(variables or {})}
                        await socket.send(_message("subscribe", id=_ID, payload=payload))
                    case "ping":
                        await socket.send(_message("pong"))
                    case "next":
                        yield _data(message["payload"])
                    case "error":
                        raise _refused(message["payload"])
                    case "complete":
                        return
    except (OSError, WebSocketException) as error:
        raise Unavailable(f"The subscription was lost: {error}") from error
    raise Unavailable("The subscription was closed by the server.")


def _message(kind: str, **more: Any) -> str:
    return orjson.dumps({"type": kind, **more}).decode()


def _data(payload: Mapping[str, Any]) -> dict[str, Any]:
    if payload.get("errors"):
        raise _refused(payload["errors"])
    data: dict[str, Any] = payload["data"]
    return data


def _refused(errors: list[dict[str, Any]]) -> ApiError:
    return ApiError(str(errors[0].get("message")), errors[0].get("extensions", {}).get("code"))
