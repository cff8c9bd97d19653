"""The API as an ASGI application: GraphQL, its websocket, and the pages that operators and monitors read."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from hepatrail_graphql.context import Services
from hepatrail_graphql.readiness import readiness
from hepatrail_graphql.schema import SCHEMA
from hepatrail_graphql.websocket import Endpoint
from hepatrail_infra.telemetry import METRICS_TYPE, metrics_text
from hepatrail_projections.version import PROJECTION_VERSION

COLLECT_EVERY = (50_000, 20, 20)
"""Thresholds of the garbage collector: an answer is tens of thousands of objects, hardly any of them in a cycle."""

Running = Callable[[], AbstractAsyncContextManager[None]]


def create_app(services: Services, running: Running | None = None) -> Starlette:
    """The application over services that are given whole; `running` starts and stops them around its life."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        gc.set_threshold(*COLLECT_EVERY)
        if running is None:
            yield
            return
        async with running():
            yield

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(_request: Request) -> Response:
        state = await readiness(services)
        return JSONResponse({"ready": state.healthy, **state.detail}, status_code=200 if state.healthy else 503)

    async def metrics(_request: Request) -> Response:
        return Response(metrics_text(), media_type=METRICS_TYPE)

    async def running_version(_request: Request) -> Response:
        body = {"version": version("hepatrail"), "projection": PROJECTION_VERSION, "clock": services.clock.label}
        return JSONResponse(body)

    endpoint = Endpoint(SCHEMA, services)
    return Starlette(
        routes=[
            Route("/graphql", endpoint, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", endpoint),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/version", running_version),
        ],
        lifespan=lifespan,
    )
