"""`hepatrail audit verify`: the log held to itself, to its seals, and to what the auditor took away earlier."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hepatrail_cli.audit.shell import BROKEN, run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.errors import BadSignature, StartRefused
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.transparency.note import VerifierKey
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.postgres import connection
from hepatrail_infra.settings import need
from hepatrail_projections.meta import live_schema
from hepatrail_services.audit.bundle.source import read_bundle
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.mirror_check import check_mirror
from hepatrail_services.audit.problems import Problems, Report
from hepatrail_services.audit.source import LogSource
from hepatrail_services.audit.taken_checkpoints import checkpoints_of, read_checkpoints
from hepatrail_services.audit.verifier import verify as verify_log


def verify(
    postgres: Annotated[bool, typer.Option("--postgres", help="Hold the mirror in Postgres to Kafka as well.")] = False,
    decisions: Annotated[bool, typer.Option("--decisions", help="Hold the ledger of decisions to the events.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Hold the headers of records to the events.")] = False,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint taken earlier, a seal, or seals (.jsonl); repeatable."),
    ] = None,
    key: Annotated[list[str] | None, typer.Option("--key", help="A verifier key that you trust; repeatable.")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Verify this bundle instead of Kafka.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object with the heads of all streams.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Verify that the log is complete and unaltered, trusting nothing but the log.

    Checks every stream's chain and commits, the canonical bytes of every event, the tree of every partition against
    every seal, and the signatures of the seals. With a checkpoint taken earlier nothing that was removed or rewritten
    since stays hidden, whoever holds the sealing key. Exit code 0 when the log is whole, 1 when it is broken, 2 when
    it could not be read.
    """
    report = run_audit(
        _verify(data_dir, bundle, checkpoint or [], key or [], postgres=postgres, decisions=decisions, headers=headers)
    )
    if json:
        typer.echo(orjson.dumps(report.json()).decode())
    else:
        for line in report.lines():
            typer.echo(line)
        typer.echo(report.last_line())
    if not report.whole:
        raise typer.Exit(BROKEN)


async def _verify(
    data_dir: Path,
    bundle: Path | None,
    files: Sequence[Path],
    keys: Sequence[str],
    *,
    postgres: bool,
    decisions: bool,
    headers: bool,
) -> Report:
    if bundle is not None and postgres:
        raise StartRefused("A bundle has no mirror: choose --bundle or --postgres.")
    pinned = _pinned(keys)
    notes = [note for path in files for note in read_checkpoints(path)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("seals", total=TREES)

        def tell(step: str, done: int, total: int) -> None:
            progress.update(bar, description=step, completed=done, total=total)

        async with _opened(data_dir, bundle, postgres=postgres) as (source, reader):
            report = await verify_log(
                source,
                pinned=pinned,
                checkpoints=checkpoints_of(notes, pinned),
                decisions=decisions,
                headers=headers,
                progress=tell,
            )
            return report if reader is None else report.with_problems(await _mirror(source, reader))


@asynccontextmanager
async def _opened(
    data_dir: Path, bundle: Path | None, *, postgres: bool
) -> AsyncIterator[tuple[LogSource, str | None]]:
    """Where the log is read from, and the reader's address of the mirror where it is asked for."""
    if bundle is not None:
        yield read_bundle(bundle), None
        return
    async with servers(data_dir, postgres=postgres) as found, Scan(found.bootstrap) as scan:
        yield KafkaSource(scan), need(found.reader, "postgres_reader") if postgres else None


async def _mirror(source: LogSource, reader: str) -> Problems:
    found = Problems()
    async with connection(reader, name="audit") as link:
        await check_mirror(source, link, await live_schema(link), found)
    return found


def _pinned(texts: Sequence[str]) -> tuple[VerifierKey, ...]:
    try:
        return tuple(VerifierKey.parse(text) for text in texts)
    except BadSignature as error:
        raise StartRefused(f"{error}; it looks like <name>+<8 hexadecimal digits>+<base64>.") from None
