"""The API over a real Postgres and a real vault; only the deciders, the clock and the access log are stood in for."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
import uvicorn

from hepatrail_events.commands import Actor
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import CommandRejected, Unavailable
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.types import SealedText
from hepatrail_graphql.asgi import create_app
from hepatrail_graphql.auth import Authenticator, Withdrawn
from hepatrail_graphql.context import Services, Times
from hepatrail_graphql.keys import KeySet
from hepatrail_infra.embedded.instance import replace_text
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_infra.tokens import KEY_FILE, TokenSigner
from hepatrail_infra.vault import Vault
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.listen import Notifications
from hepatrail_projections.meta import SafetyStatus, write_safety_status
from hepatrail_projections.reading import Reader
from hepatrail_services.access_log import Access
from hepatrail_services.gateway import Pending
from projection_log import LogWriter
from projection_tables import Tables

MASTER_KEY = bytes(range(64))
QUICK = Times(read_wait=0.4, page_anyway=0.5, heartbeat=1.0, connection_init=timedelta(seconds=2))


class StandingClock:
    """Tells the time that the test says."""

    label = ""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at


class Log:
    """An access log in memory."""

    def __init__(self) -> None:
        self.refusals: list[dict[str, Any]] = []
        self.written: list[tuple[Access, str | None, dict[str, Any]]] = []
        self.away = False

    async def refused(self, actor: Actor | None, command: str, **fields: Any) -> None:
        self.refusals.append({"actor": actor and actor.id, "command": command, **fields})

    async def write(
        self, kind: Access, actor: Actor | None = None, *, detail: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        if self.away:
            raise Unavailable("the access log is away")
        self.written.append((kind, actor.id if actor else None, {**fields, **(detail or {})}))


@dataclass
class Deciders:
    """Stands in for gateway and deciders: answers what the test says."""

    sent: list[tuple[str, dict[str, Any], Actor]] = field(default_factory=list)
    answer: Decision | Pending | CommandRejected | Exception | None = None

    async def submit(self, name: str, raw_input: Mapping[str, Any], actor: Actor, **_: Any) -> Decision | Pending:
        self.sent.append((name, dict(raw_input), actor))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or Pending(UUID(raw_input["commandId"]), "study")


class Alive:
    alive = True


def decision(command_id: UUID, stream: str, **changes: Any) -> Decision:
    """An accepted command of `dr-li`."""
    now = datetime(2026, 1, 5, 2, tzinfo=UTC)
    given: dict[str, Any] = {
        "commandid": command_id,
        "commandtype": "recordConsent",
        "stream": stream,
        "bodyhash": "0" * 64,
        "verdict": Verdict.ACCEPTED,
        "version": 1,
        "recordedat": now,
        "receivedat": now,
        "actorid": "dr-li",
        "actorrole": "INVESTIGATOR",
        "studyseq": 1,
        "producer": "test",
    }
    return Decision(**{**given, **changes})


@cache
def _signing_key() -> str:
    """A key in PEM, one for all worlds: to make one takes as long as a test."""
    with TemporaryDirectory() as directory:
        TokenSigner.load_or_create(Path(directory), "", "")
        return (Path(directory) / KEY_FILE).read_text()


@dataclass
class World:
    """One API and everything below it."""

    tables: Tables
    services: Services
    signer: TokenSigner
    log: LogWriter
    clock: StandingClock
    vault: Vault
    gateway: Deciders
    access: Log
    port: int = 0
    projected: int = 0
    # Plain HTTP: a client that may need certificates reads all of them, at every start.
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(verify=False))

    @classmethod
    @asynccontextmanager
    async def opened(cls, dsns: Dsns, directory: Path, **changes: Any) -> AsyncIterator[Self]:
        """A world without any event; `changes` replace services."""
        tables = await Tables.create(dsns)
        clock, access, gateway = StandingClock(datetime(2026, 6, 1, tzinfo=UTC)), Log(), Deciders()
        vault, notifications = Vault(dsns.vault_use, MASTER_KEY, dsns.vault_destroy), Notifications(dsns.reader)
        await vault.start()
        await notifications.start()
        replace_text(directory / KEY_FILE, _signing_key(), 0o600)
        signer = TokenSigner.load(directory, "hepatrail-embedded", "hepatrail")
        reader = Reader(tables.pool, clock)

        async def withdrawn() -> Withdrawn:
            rows = await reader.access_withdrawn()
            return Withdrawn(
                frozenset(row.token_subject for row in rows if row.token_subject),
                frozenset(row.jti for row in rows if row.jti),
            )

        async def keys() -> Mapping[str, Any]:
            return signer.jwks()

        services = Services(
            gateway=gateway,
            decisions=Alive(),
            reader=reader,
            outcomes=OutcomeReader(reader),
            notifications=notifications,
            vault=vault,
            authenticator=Authenticator(
                KeySet(keys),
                issuer="hepatrail-embedded",
                audience="hepatrail",
                withdrawn=withdrawn,
                fresh_seconds=0.1,
            ),
            access_log=access,
            clock=clock,
            times=QUICK,
        )
        services = replace(services, **changes)
        world = cls(tables, services, signer, LogWriter(), clock, vault, gateway, access)
        try:
            async with world._serving():
                yield world
        finally:
            await world._http.aclose()
            await notifications.stop()
            await vault.stop()
            await tables.close()

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = uvicorn.Config(
            create_app(self.services), port=self.port, log_config=None, lifespan="on", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        while not server.started:  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await serving

    def token(self, role: Role | str = Role.INVESTIGATOR, sites: Sequence[str] = (ALL_SITES,), sub: str = "") -> str:
        """A token for a role."""
        return self.signer.sign(sub or Role(role).value.lower(), Role(role), "org", sites)

    async def project(self, *, complete: bool = True) -> None:
        """Projects what was written to the log since."""
        records = self.log.records[self.projected :]
        self.projected = len(self.log.records)
        await self.tables.project(records)
        if complete:
            await self.complete_to(self.log.now)

    async def complete_to(self, instant: datetime) -> None:
        """Every partition was seen read to its end at the instant."""
        await self.tables.value(
            "WITH moved AS (UPDATE projection_offset SET complete_to = $1 WHERE topic = ANY ($2) RETURNING 1) "
            "SELECT count(*) FROM moved",
            instant,
            [EVENTS, DECISIONS],
        )

    async def safety(self, alert_seq: int, version: int, **changes: Any) -> None:
        """The safety process writes its row."""
        now = self.clock.now()
        given = {"processed_to": now, "scheduled_to": now, "safety_healthy": True, "scheduler_healthy": True}
        status = SafetyStatus(alert_seq, version, parked=[], **{**given, **changes})
        async with connection(self.tables.dsns.writer) as link:
            await write_safety_status(link, status)

    async def seal(self, subject_id: str, text: str, path: str = "verbatim") -> SealedText:
        """Free text as the gateway seals it."""
        return self.vault.seal(await self.vault.key_for(subject_id, create=True), uuid4(), path, text)

    def url(self, path: str = "/graphql") -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def post(
        self, query: str, variables: dict[str, Any] | None = None, token: str | None = None
    ) -> httpx.Response:
        """One request; without a token, an investigator's of all sites."""
        return await self._http.post(
            self.url(),
            json={"query": query, "variables": variables or {}},
            headers={"authorization": f"Bearer {token or self.token()}"},
        )

    async def get(self, path: str) -> httpx.Response:
        """One page."""
        return await self._http.get(self.url(path))

    async def ask(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """The `data` of an answer without errors."""
        body = (await self.post(query, variables, token)).json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def error(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """The extensions of the first error of an answer, with its message."""
        body = (await self.post(query, variables, token)).json()
        assert body.get("errors"), body
        first = body["errors"][0]
        return {"message": first["message"], **first["extensions"]}
