"""The results of one operation as server-sent events: `graphql-sse` in its mode of distinct connections.

An operation is sent as ever, with `accept: text/event-stream`; its results are events `next`, its end is the event
`complete`. An event of the safety desk has its cursor as `id:`, so that a client whose connection broke has it at hand:
it may ask again `after` that cursor, or send the same request with `Last-Event-ID`, which goes before `after`.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.http import process_result
from strawberry.types import ExecutionResult

from hepatrail_graphql.context import Context
from hepatrail_graphql.errors import slow_client

_log = logging.getLogger(__name__)
_OVER = object()
_COMPLETE = b"event: complete\ndata:\n\n"
_ALIVE = b":\n\n"
HEADERS = {
    "cache-control": "no-cache, no-transform",
    # Asks a proxy to hand over what comes at once.
    "x-accel-buffering": "no",
}


class _SlowClient(Exception):
    """The client's buffers stay full; everything up to `cursor` was handed over."""

    def __init__(self, cursor: str | None) -> None:
        super().__init__()
        self.cursor = cursor


class EventStream(Response):
    """Sends results until there are no more, or the client leaves or does not read.

    The next result is asked for when the one before was handed to the connection: nothing is read ahead. A client
    that does not read is left, as on a websocket; where it still takes it, the last event says from where to go on.
    """

    media_type = "text/event-stream"

    def __init__(self, results: AsyncGenerator[Any, None], context: Context) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._results = results
        self._context = context
        self._times = context.services.times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answers the request."""
        left = asyncio.create_task(_left(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._results):
                await self._stream(send, left)
        except _SlowClient as slow:
            await self._say_farewell(send, slow.cursor)
        finally:
            left.cancel()

    async def _stream(self, send: Send, left: "asyncio.Task[None]") -> None:
        while not left.done():
            arriving = asyncio.ensure_future(anext(self._results, _OVER))
            while not arriving.done() and not left.done():
                await asyncio.wait(
                    {arriving, left}, timeout=self._times.keep_alive, return_when=asyncio.FIRST_COMPLETED
                )
                if not arriving.done() and not left.done():
                    await self._write(send, _ALIVE)
            if left.done():
                arriving.cancel()
                await asyncio.wait({arriving})
                return
            result = arriving.result()
            if result is _OVER:
                await self._write(send, _COMPLETE, more=False)
                return
            await self._write(send, event(process_result(cast(ExecutionResult, result)), self._context.offered))

    async def _write(self, send: Send, body: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._times.slow_client):
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError:
            raise _SlowClient(self._context.last_cursor) from None

    async def _say_farewell(self, send: Send, cursor: str | None) -> None:
        _log.warning("slow client disconnected", extra={"cursor": cursor})
        error = slow_client(cursor)
        try:
            await self._write(send, event({"data": None, "errors": [error.formatted]}, cursor) + _COMPLETE, more=False)
        except _SlowClient:
            return  # it does not even read the farewell: its connection just ends


def event(payload: Any, cursor: str | None) -> bytes:
    """An event `next`; JSON as it is written here has no line breaks."""
    identity = f"id: {cursor}\n".encode() if cursor else b""
    return b"event: next\n" + identity + b"data: " + orjson.dumps(payload) + b"\n\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
