"""`hepatrail audit replay`: what the system showed at an instant, from the log alone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from hepatrail_cli.audit.building import shown_progress
from hepatrail_cli.audit.shell import READ_FAILED, instant, run_audit
from hepatrail_cli.servers import Servers, servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import need
from hepatrail_infra.vault import Vault
from hepatrail_projections.digests import counted
from hepatrail_projections.digests import digests as digests_of
from hepatrail_projections.event import EVENT
from hepatrail_projections.replay import Replay
from hepatrail_projections.replay import replay as replay_log
from hepatrail_projections.replay_reader import ReplayReader, StandingClock
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access

if TYPE_CHECKING:
    from hepatrail_cli.audit.replay_api import Answer, Keys


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command was asked for."""

    as_of: datetime
    subject: str | None
    query: str | None
    variables: dict[str, Any]
    digests: bool
    by: str


@dataclass(slots=True)
class _Done:
    """What came of it."""

    events: int = 0
    streams: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    answer: "Answer | None" = None


def replay(
    as_of: Annotated[str, typer.Option("--as-of", help="The instant, RFC 3339: 2026-03-10T08:30:00Z.")],
    subject: Annotated[
        str | None,
        typer.Option(help="Only the study, the desk and this participant: faster; ENR-05, which counts all, is off."),
    ] = None,
    query: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A GraphQL document that is answered as of then.")
    ] = None,
    variables: Annotated[str, typer.Option(help="The document's variables, a JSON object.")] = "{}",
    digests: Annotated[bool, typer.Option("--digests", help="Print the digest of every table.")] = False,
    by: Annotated[str, typer.Option(help="Who asks, for the access log.")] = "audit replay",
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Rebuild the projections as of an instant in a schema that is thrown away, and answer from there.

    A document is answered as to an auditor then; the answer is JSON on stdout, and that it was asked goes to the
    access log. Free text opens while the vault has its keys. Exit code 2 when it could not be read, or the answer has
    errors.
    """
    asked = _Asked(
        as_of=instant(as_of),
        subject=subject,
        query=None if query is None else query.read_text("utf-8"),
        variables=_object(variables),
        digests=digests,
        by=by,
    )
    done = run_audit(_replay(data_dir, asked))
    for name, digest in done.digests.items():
        typer.echo(f"{name:<20} {digest}")
    if done.answer is not None:
        typer.echo(orjson.dumps(done.answer.body, option=orjson.OPT_INDENT_2).decode())
    typer.echo(
        f"replayed {done.events} events in {done.streams} streams as of {format_instant(asked.as_of)}: "
        f"{len(done.rows)} tables, {sum(done.rows.values())} rows",
        err=done.answer is not None,
    )
    if done.answer is not None and done.answer.errors:
        raise typer.Exit(READ_FAILED)


async def _replay(data_dir: Path, asked: _Asked) -> _Done:
    async with servers(data_dir) as found, _built(found, asked) as replayed:
        link, done = replayed.connection, _Done()
        done.rows = await counted(link, replayed.schema)
        done.events = done.rows[EVENT.name]
        done.streams = await link.fetchval(f"SELECT count(DISTINCT stream) FROM {EVENT.name}")  # noqa: S608
        if asked.digests:
            done.digests = await digests_of(link, replayed.schema)
        if asked.query is not None:
            done.answer = await _answer(found, replayed, asked, asked.query)
        return done


@asynccontextmanager
async def _built(found: Servers, asked: _Asked) -> AsyncIterator[Replay]:
    owner = need(found.owner, "postgres_owner")
    async with AsyncExitStack() as stack:
        with shown_progress() as tell:
            replayed = await stack.enter_async_context(
                replay_log(found.bootstrap, owner, as_of=asked.as_of, subject=asked.subject, progress=tell)
            )
        yield replayed


async def _answer(found: Servers, replayed: Replay, asked: _Asked, query: str) -> "Answer":
    # The whole schema comes with it, which takes two seconds: only who asks a question waits for it.
    from hepatrail_cli.audit.replay_api import ask, auditor

    actor, clock = auditor(asked.by), StandingClock(asked.as_of)
    async with (
        tool_access(found.bootstrap, make_clock(found.settings.simulated_clock)) as access,
        _keys(found) as keys,
        await reader_pool(found.reader or need(found.owner, "postgres_owner"), name="replay") as pool,
    ):
        detail = {
            "list": "replay",
            "asOf": format_instant(asked.as_of),
            "subject": asked.subject,
            "document": sha256_hex(query.encode()),
        }
        await access.write(Access.TRAIL_READ, actor, detail={name: each for name, each in detail.items() if each})
        reader = ReplayReader(pool, replayed.schema, asked.as_of)
        return await ask(reader, clock, keys, access, actor, query, asked.variables)


@asynccontextmanager
async def _keys(found: Servers) -> AsyncIterator["Keys"]:
    from hepatrail_cli.audit.replay_api import NoKeys

    settings = found.settings
    if settings.vault_use is None:
        yield NoKeys()
        return
    vault = Vault(settings.vault_use.get_secret_value(), settings.master_key())
    await vault.start()
    try:
        yield vault
    finally:
        await vault.stop()


def _object(text: str) -> dict[str, Any]:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"the variables are no JSON: {error}") from None
    if not isinstance(body, dict):
        raise typer.BadParameter("the variables must be a JSON object")
    return body
