"""The whole stack of one data directory: servers, processes, and the order in which they start and end."""

import asyncio
import logging
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hepatrail_cli.environment import PROCESSES, Addresses, process_environment, tool_environment
from hepatrail_cli.first_protocol import ChosenProtocol, choose_protocol, needs_publication, publish_protocol
from hepatrail_cli.health import wait_until_ready
from hepatrail_cli.issued_tokens import record_issued
from hepatrail_cli.log_origin import hold_clock
from hepatrail_cli.stack_files import (
    StackSecrets,
    forget_run,
    held_users,
    hold_clock_kind,
    write_environment,
    write_run,
)
from hepatrail_cli.supervisor import Part, ServeProcess, keep_all, stop_all
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_infra.clock import make_clock
from hepatrail_infra.embedded.instance import kept_port
from hepatrail_infra.embedded.jars import Progress
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_acls import ensure_acls
from hepatrail_infra.kafka_admin import ensure_topics
from hepatrail_infra.kafka_clients import shown
from hepatrail_infra.postgres import Dsns, connection, prepare_databases
from hepatrail_infra.settings import Settings
from hepatrail_infra.tokens import TokenSigner
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.access_tool import tool_access
from hepatrail_services.safety.ledger import ensure_safety

_log = logging.getLogger(__name__)

_SITE_ROLES = frozenset({Role.PRINCIPAL_INVESTIGATOR, Role.INVESTIGATOR, Role.COORDINATOR, Role.LABORATORY})
_TOKEN_LIFE = timedelta(days=1)


class Stack:
    """Started once, stopped once; whoever makes it holds the directory's lock."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        *,
        port: int | None = None,
        simulated_clock: bool = False,
        progress: Progress | None = None,
        protocol: ChosenProtocol | None = None,
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._port = port
        self._clock = hold_clock_kind(directory, simulated_clock)
        self._secrets = StackSecrets.load_or_create(directory)
        self._signer = TokenSigner.load_or_create(directory, settings.jwt_issuer, settings.jwt_audience)
        self._progress = progress
        self._protocol = protocol or choose_protocol(None)
        embedded = settings.kafka is None
        self._kafka_users = held_users(directory, self._secrets, settings.secure) if embedded else {}
        self._servers: dict[str, Part] = {}
        self._processes: dict[str, ServeProcess] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._ready: dict[str, Any] = {}

    async def start(self) -> dict[str, Any]:
        """Starts everything and returns the ready line; StartRefused says what is in the way."""
        api_port = kept_port(self._directory / "api.port", self._port)
        kafka, dsns = await self._start_servers()
        addresses = Addresses(kafka, dsns, api_port, self._metrics_ports(api_port), self._clock, self._kafka_users)
        await hold_clock(addresses.kafka_of("tool"), make_clock(self._clock))
        first = await needs_publication(addresses.kafka_of("tool"), self._protocol)
        write_environment(self._directory, tool_environment(addresses, self._settings, self._secrets, self._directory))
        for name in PROCESSES:
            environment = process_environment(name, addresses, self._settings, self._secrets, self._directory)
            self._processes[name] = ServeProcess(name, self._directory, environment)
        await asyncio.gather(*(process.start() for process in self._processes.values()))
        self._ready = self._ready_line(addresses)
        async with tool_access(addresses.kafka_of("tool"), make_clock(self._clock)) as access:
            for token in self._ready["tokens"].values():
                await record_issued(access, token, "hepatrail up")
        self._keeper = asyncio.create_task(keep_all({**self._servers, **self._processes}, self._write_run))
        if first:
            token = self._signer.sign(
                "hepatrail-up", Role.PRINCIPAL_INVESTIGATOR, self._settings.sponsor_org, [ALL_SITES]
            )
            await publish_protocol(self._ready["graphql"], token, self._protocol, make_clock(self._clock).now())
        await wait_until_ready(addresses.health_pages(), self._processes)
        self._write_run()
        return self._ready

    async def run(self) -> None:
        """Keeps everything running until cancelled; raises what ends the keeping."""
        assert self._keeper is not None
        await self._keeper

    async def stop(self) -> None:
        """Ends the processes, those that accept work first, then the servers; nothing of the stack is left."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError, ExceptionGroup):
                await self._keeper
        await stop_all(self._processes)
        await stop_all(self._servers)
        forget_run(self._directory)
        _log.info("stopped")

    async def _start_servers(self) -> tuple[str, Dsns]:
        try:
            # Unlike gather, a group ends the other start before it raises: nothing starts behind a refusal.
            async with asyncio.TaskGroup() as group:
                kafka, dsns = group.create_task(self._start_kafka()), group.create_task(self._start_postgres())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return kafka.result(), dsns.result()

    async def _start_kafka(self) -> str:
        if self._settings.kafka is not None:
            # Its users and their permissions are the operator's: `hepatrail prepare`.
            await ensure_topics(self._settings.kafka, self._settings.replication)
            return self._settings.kafka
        server = EmbeddedKafka(self._directory / "kafka", users=self._kafka_users, progress=self._progress)
        self._servers["kafka"] = server
        bootstrap = await server.start()
        await ensure_topics(bootstrap, self._settings.replication)
        if self._kafka_users:
            await ensure_acls(bootstrap)
        return shown(bootstrap)

    async def _start_postgres(self) -> Dsns:
        if self._settings.postgres is not None:
            admin = self._settings.postgres.get_secret_value()
        else:
            server = EmbeddedPostgres(self._directory / "postgres")
            self._servers["postgres"] = server
            admin = await server.start()
        vault = self._settings.vault.get_secret_value() if self._settings.vault else None
        dsns = await prepare_databases(admin, self._secrets.passwords, vault_admin_dsn=vault)
        async with connection(dsns.owner, name="up") as owner:
            await ensure_projection(owner)
            await ensure_safety(owner)
        return dsns

    def _metrics_ports(self, api_port: int) -> dict[str, int]:
        (self._directory / "ports").mkdir(exist_ok=True)
        taken = {api_port}
        ports = {}
        for name in PROCESSES:
            if name != "api":
                ports[name] = kept_port(self._directory / "ports" / name, None, frozenset(taken))
                taken.add(ports[name])
        return ports

    def _ready_line(self, addresses: Addresses) -> dict[str, Any]:
        place = f"127.0.0.1:{addresses.api_port}"
        return {
            "graphql": f"http://{place}/graphql",
            "websocket": f"ws://{place}/graphql",
            "kafka": addresses.kafka_of("auditor"),
            "postgres": addresses.dsns.reader,
            "tokens": {role.value: self._token(role) for role in Role},
            "clock": str(self._clock) if self._clock else None,
            "health": addresses.health_pages(),
            "processes": {},
        }

    def _token(self, role: Role) -> str:
        org = self._settings.site_org if role in _SITE_ROLES else self._settings.sponsor_org
        return self._signer.sign(f"{role.value.lower().replace('_', '-')}-1", role, org, [ALL_SITES], _TOKEN_LIFE)

    def _write_run(self) -> None:
        parts: dict[str, Part] = {**self._servers, **self._processes}
        self._ready["processes"] = {"hepatrail": os.getpid(), **{name: part.pid for name, part in parts.items()}}
        write_run(self._directory, self._ready)
