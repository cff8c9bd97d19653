"""`hepatrail serve api`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeVar
from uuid import UUID

import uvicorn

from hepatrail_cli.notifiers import make_notifiers
from hepatrail_cli.safety_check import SafetyCheck
from hepatrail_events.errors import CommandRejected, Unavailable
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.asgi import create_app
from hepatrail_graphql.auth import Authenticator, Withdrawn
from hepatrail_graphql.context import Services
from hepatrail_graphql.keys import key_set
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_infra.vault import Vault
from hepatrail_projections.endpoints.worker import OutcomeWorker
from hepatrail_projections.listen import Notifications
from hepatrail_projections.reading import Reader
from hepatrail_services.access_log import AccessLog
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.deciders.catalogue import COMMANDS
from hepatrail_services.gateway import Gateway
from hepatrail_services.notifying.outage import OutageWatch
from hepatrail_services.notifying.turn import Turn

_log = logging.getLogger(__name__)

_PAUSE = 0.5
_CHECK_SECONDS = 1.0
_GOODBYE_SECONDS = 3

Made = TypeVar("Made")


class _Server(uvicorn.Server):
    """Leaves the signals to the process around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Serves the API until told to stop; raises what ends the reading of decisions for good."""
    async with _outage_watch(settings) as watch, _services(settings) as (services, bus):
        config = uvicorn.Config(
            create_app(services),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        try:
            await _until(stop, serving, bus, watch)
        finally:
            server.should_exit = True
            await serving


async def _until(
    stop: asyncio.Event, serving: "asyncio.Task[None]", bus: CommandBus, watch: "asyncio.Task[None] | None"
) -> None:
    stopped = asyncio.create_task(stop.wait())
    ends = {stopped, serving} if watch is None else {stopped, serving, watch}
    try:
        while not any(task.done() for task in ends):
            bus.check()
            await asyncio.wait(ends, timeout=_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if watch is not None and watch.done():
            watch.result()
    finally:
        stopped.cancel()


@asynccontextmanager
async def _outage_watch(settings: Settings) -> AsyncIterator["asyncio.Task[None] | None"]:
    """Tells when safety does not work, also while the API itself waits for a server; None: nobody is to be told."""
    notifiers = make_notifiers(settings)
    if not notifiers:
        yield None
        return
    dsn, clock = secret(settings.postgres_reader, "postgres_reader"), make_clock(settings.simulated_clock)
    check, turn = SafetyCheck(dsn, clock), Turn(dsn, "hepatrail outage")
    watch = OutageWatch(check.why, notifiers, turn.mine, clock, link=settings.notify_link)
    task = asyncio.create_task(watch.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        turn.end()
        check.close()


@asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[tuple[Services, CommandBus]]:
    bootstrap, dsn = need(settings.kafka, "kafka"), secret(settings.postgres_reader, "postgres_reader")
    clock = make_clock(settings.simulated_clock)
    vault = Vault(secret(settings.vault_use, "vault_use"), settings.master_key())
    bus, access_log = CommandBus(bootstrap, settings.instance, clock), AccessLog(bootstrap, settings.instance, clock)
    notifications = Notifications(dsn)
    keys = key_set(need(settings.jwks, "jwks"))
    async with AsyncExitStack() as started:
        pool = await _patiently(lambda: reader_pool(dsn, name="api"))
        started.push_async_callback(pool.close)
        for part in (vault, bus, access_log, notifications):
            await _patiently(part.start)
            started.push_async_callback(part.stop)
        reader = Reader(pool, clock)
        outcomes = OutcomeWorker(dsn, settings.simulated_clock)
        started.push_async_callback(outcomes.stop)

        async def withdrawn() -> Withdrawn:
            rows = await reader.access_withdrawn()
            return Withdrawn(
                frozenset(row.token_subject for row in rows if row.token_subject),
                frozenset(row.jti for row in rows if row.jti),
            )

        async def alert_subject(alert_id: UUID) -> str | None:
            alert = await reader.alert(alert_id)
            if alert is None:
                raise CommandRejected("There is no such alert.", rule="DSK-02", field="alertId")
            return alert.subject_id

        async def known_subject(subject_id: str) -> bool:
            return await reader.stream_version(subject_stream(subject_id)) > 0

        yield (
            Services(
                gateway=Gateway(
                    bus,
                    vault,
                    clock,
                    access_log,
                    commands=COMMANDS,
                    alert_subject=alert_subject,
                    known_subject=known_subject,
                ),
                decisions=bus,
                reader=reader,
                outcomes=outcomes,
                notifications=notifications,
                vault=vault,
                authenticator=Authenticator(
                    keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience, withdrawn=withdrawn
                ),
                access_log=access_log,
                clock=clock,
            ),
            bus,
        )


async def _patiently(start: Callable[[], Awaitable[Made]]) -> Made:
    """What `start` makes, however long Kafka or Postgres is away; the process ends sooner only by a signal."""
    while True:
        try:
            return await start()
        except Unavailable as error:
            _log.warning("waiting: %s", error)
        await asyncio.sleep(_PAUSE)
