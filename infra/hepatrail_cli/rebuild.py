"""`hepatrail rebuild`: the projections anew from the log, proven, and switched over in one row."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, FAILED, DataDir, run
from hepatrail_infra.settings import need
from hepatrail_projections.rebuild import RebuildReport, listed
from hepatrail_projections.rebuild import rebuild as rebuild_projection

_STEPS = {"build": "reading the log", "prove": "comparing", "switch": "switching"}


def rebuild(
    accept: Annotated[bool, typer.Option("--accept", help="Switch although something differs.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave earlier builds that are not live.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Build all projections anew beside the live ones, prove them by digests, and switch.

    Everything goes on meanwhile; it may be interrupted and run again. Without a running stack, as after an upgrade
    that changed the projections, it starts the servers of --data-dir for itself. Exit code 1 when something differs
    and was not accepted.
    """
    report = run(_rebuild(data_dir, accept, keep))
    if json:
        typer.echo(orjson.dumps(asdict(report)).decode())
    else:
        _show(report, Console())
    if not report.switched:
        raise typer.Exit(FAILED)


async def _rebuild(data_dir: Path, accept: bool, keep: bool) -> RebuildReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("connecting", total=None)

        def tell(step: str, done: int, total: int) -> None:
            progress.update(bar, description=_STEPS.get(step, step), completed=done, total=total)

        async with servers(data_dir) as found:
            owner = need(found.owner, "postgres_owner")
            return await rebuild_projection(found.bootstrap, owner, accept=accept, keep=keep, progress=tell)


def _show(report: RebuildReport, console: Console) -> None:
    for name, digest in sorted(report.digests.items()):
        console.print(f"{name:<16} {digest}", highlight=False)
    for line in listed(report.differences):
        console.print(f"[yellow]differs:[/] {line}", highlight=False)
    if report.switched:
        console.print(f"[green]{report.schema} is live, in place of {report.replaced}.")
    elif report.same_version:
        console.print("[bold red]Not switched: the same version must come out the same; find out why before --accept.")
    else:
        console.print("[yellow]Not switched: look at what differs, then run it again with --accept.")
