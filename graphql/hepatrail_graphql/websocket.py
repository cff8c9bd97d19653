"""GraphQL over HTTP, websocket (`graphql-transport-ws`) and event streams: who asks is known before all else."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import orjson
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema import BaseSchema
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, SubscribeMessage
from strawberry.types import SubscriptionExecutionResult

from hepatrail_events.errors import Unavailable
from hepatrail_graphql.auth import Principal, Refused, bearer
from hepatrail_graphql.context import Context, Services
from hepatrail_graphql.desk_hub import DeskHub
from hepatrail_graphql.event_stream import EventStream
from hepatrail_graphql.refusals import Logins

LARGEST_REQUEST = 2 * 1024 * 1024
"""Bytes of a request's body; a command's own limit is the gateway's."""
SUBSCRIPTIONS_A_CONNECTION = 20
TRY_AGAIN_LATER = 1013
"""Close code while nobody can say who may come in: a client that is told 4403 would rightly give up."""
SLOW_CLIENT = 4490
"""Close code for a client that does not read; the reason holds its last cursor."""

_log = logging.getLogger(__name__)
_OVER = object()


class Adapter(ASGIWebSocketAdapter):
    """A connection whose client must read: nothing is dropped for a slow one, it is disconnected instead."""

    def __init__(self, view: Any, request: WebSocket, response: WebSocket) -> None:
        super().__init__(view, request, response)
        self._abandoned = asyncio.Event()
        self._last_cursor: str | None = None

    @property
    def _context(self) -> Context:
        context: Context = self.ws.state.context
        return context

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        """The client's messages, until it leaves or is left."""
        messages = super().iter_json(ignore_parsing_errors=ignore_parsing_errors)
        left = asyncio.create_task(self._abandoned.wait())
        try:
            while True:
                arriving = asyncio.ensure_future(anext(messages, _OVER))
                await asyncio.wait({arriving, left}, return_when=asyncio.FIRST_COMPLETED)
                if not arriving.done():
                    arriving.cancel()
                    await asyncio.wait({arriving})
                    await self._say_farewell()
                    return
                message = arriving.result()
                if message is _OVER:
                    return
                yield message
        finally:
            left.cancel()

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Sends as text, which is what the protocol is made of, or leaves a client whose buffers stay full."""
        if self._abandoned.is_set():
            raise WebSocketDisconnected
        text = orjson.dumps(message).decode()
        try:
            async with asyncio.timeout(self._context.services.times.slow_client):
                await self.ws.send_text(text)
        except WebSocketDisconnect:
            raise WebSocketDisconnected from None
        except TimeoutError:
            self._last_cursor = self._context.last_cursor
            _log.warning("slow client disconnected", extra={"cursor": self._last_cursor})
            self._abandoned.set()
            raise WebSocketDisconnected from None

    async def _say_farewell(self) -> None:
        reason = f"SLOW_CLIENT {self._last_cursor or ''}".strip()
        try:
            async with asyncio.timeout(self._context.services.times.slow_client):
                await self.close(SLOW_CLIENT, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return  # it does not even read the farewell


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """A connection outlives requests: every operation on it asks again whether its user is still let in."""

    async def handle_task_exception(self, error: Exception) -> None:
        """Logs what ended an operation, except that its client left or was left."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Starts an operation, or closes the connection after the token's end or a withdrawal."""
        principal = self.context.principal
        if principal is not None:
            try:
                await self.context.services.authenticator.check(principal)
            except Refused:
                await self.websocket.close(code=4403, reason="Forbidden")
                return
            except Unavailable:
                await self._come_again()
                return
        await super().handle_subscribe(message)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Lets a connection in; one whose token cannot be checked for now is asked to come again."""
        try:
            await super().handle_connection_init(message)
        except Unavailable:
            await self._come_again()

    async def _come_again(self) -> None:
        await self.websocket.close(code=TRY_AGAIN_LATER, reason="Tokens cannot be checked for now")


class Endpoint(GraphQL[Context, None]):
    """`/graphql`: a bearer token stands before every request and every connection."""

    websocket_adapter_class = Adapter
    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: BaseSchema, services: Services) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=services.times.connection_init,
            max_subscriptions_per_connection=SUBSCRIPTIONS_A_CONNECTION,
            # A token, not a cookie, stands behind a connection, so no page can borrow its user's rights.
            allowed_origins=("*",),
        )
        self._services = services
        self._desk = DeskHub(services.reader, services.notifications, services.clock, services.times)
        self._logins = Logins(services.access_log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request or serves one connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        try:
            principal = await self._authenticate(Request(scope).headers.get("authorization"))
        except Refused as refused:
            await self._refuse(refused)(scope, receive, send)
            return
        except Unavailable:
            await _error(503, "UNAVAILABLE", "Tokens cannot be checked for now; ask again.")(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await super().__call__(scope, _limited(receive), send)

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002
    ) -> Context:
        """What resolvers know of a request."""
        context = Context(self._services, self._desk, traceparent=request.headers.get("traceparent"))
        if isinstance(request, Request):
            context.principal = cast(Principal, request.state.principal)
            context.resume = request.headers.get("last-event-id")
        else:
            context.authorization = request.headers.get("authorization")
        request.state.context = context
        return context

    async def _create_streaming_response(
        self,
        request: Request,
        result: SubscriptionExecutionResult,
        protocol: object,  # noqa: ARG002  `graphql-sse` is the only one
        sub_response: Response,  # noqa: ARG002
    ) -> Response:
        """The results of an operation as an event stream; the library's own reads one ahead of its client."""
        return EventStream(cast(AsyncGenerator[Any, None], result), request.state.context)

    def encode_json(self, data: object) -> bytes:
        """An answer as JSON; a participant's course is hundreds of kilobytes."""
        return orjson.dumps(data)

    async def on_ws_connect(self, context: Context) -> None:
        """Lets a connection in whose header or `connection_init` payload has a valid token; may raise Unavailable."""
        given = {str(key).lower(): value for key, value in (context.connection_params or {}).items()}
        header = given.get("authorization") or context.authorization
        if header is None and isinstance(given.get("token"), str):
            header = f"Bearer {given['token']}"
        try:
            context.principal = await self._authenticate(header if isinstance(header, str) else None)
        except Refused:
            raise ConnectionRejectionError from None

    async def _authenticate(self, header: str | None) -> Principal:
        try:
            principal = await self._services.authenticator.authenticate(bearer(header))
        except Refused as refused:
            await self._logins.refused(refused, asyncio.get_running_loop().time())
            raise
        await self._logins.entered(principal)
        return principal

    def _refuse(self, refused: Refused) -> JSONResponse:
        answer = _error(401, "UNAUTHENTICATED", refused.message, field=refused.field)
        answer.headers["www-authenticate"] = "Bearer"
        return answer


def _error(status: int, code: str, message: str, **more: str) -> JSONResponse:
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code, **more}}]}
    return JSONResponse(body, status_code=status)


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def take() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_REQUEST:
            raise HTTPException(413, f"A request may have at most {LARGEST_REQUEST} bytes.")
        return message

    return take
