"""`hepatrail audit compare`: what the projections hold against what the log says."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from hepatrail_cli.audit.building import shown_progress
from hepatrail_cli.audit.shell import BROKEN, run_audit
from hepatrail_cli.audit.values import text_of
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_infra.settings import need
from hepatrail_projections.digests import ValueDifference
from hepatrail_projections.rebuild import listed
from hepatrail_projections.replay import CompareReport
from hepatrail_projections.replay import compare as compare_projection


def compare(
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Build the projections anew from the log, and list every row in which the live ones differ.

    Nothing is switched, and what was built is dropped. Exit code 1 when something differs, 2 when it could not be
    read.
    """
    report = run_audit(_compare(data_dir))
    if json:
        typer.echo(orjson.dumps(asdict(report)).decode())
    else:
        for line in lines(report):
            typer.echo(line)
    if report.differences:
        raise typer.Exit(BROKEN)


async def _compare(data_dir: Path) -> CompareReport:
    async with servers(data_dir) as found:
        with shown_progress() as tell:
            return await compare_projection(found.bootstrap, need(found.owner, "postgres_owner"), tell)


def lines(report: CompareReport) -> list[str]:
    """A report as text: the differences by table, then value by value, and what came of it."""
    count = len(report.differences)
    result = "no difference" if not count else f"{count} differ" if count > 1 else "1 differs"
    return [
        *listed(report.differences),
        *map(_line, report.values),
        f"compared {len(report.digests)} tables, {report.rows} rows: {result}",
    ]


def _line(value: ValueDifference) -> str:
    place = f"{value.table} {value.key}"
    if value.column is None:
        return f"{place}: {'only in the log' if value.old is None else 'only in the projection'}"
    return f"{place}: {value.column} is {text_of(value.old)}, by the log {text_of(value.new)}"
