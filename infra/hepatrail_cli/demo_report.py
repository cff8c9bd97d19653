"""What a statistician sees at the end of the demo: the outcomes over the API, and the report as files."""

import asyncio
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hepatrail_events.roles import Role
from hepatrail_services.importers.api_client import ApiClient

OUTCOMES = """query Outcomes($tables: [String!]) { endpoints(tables: $tables) { safetySet protocolVersion
tables { code title rows { code label level cells { column display interval { lower upper } } } } } }"""
_TABLES = ("TEAE_OVERVIEW", "OVERALL_SURVIVAL", "TRANSPLANT_FREE_SURVIVAL")


async def show_report(ready: Mapping[str, Any], data_dir: Path, out: Path, console: Console) -> list[str]:
    """Prints some outcomes and writes the report to `out`, in place of an earlier one; what was not as foreseen."""
    async with ApiClient(ready["graphql"], ready["tokens"][Role.SPONSOR]) as client:
        found = (await client.execute(OUTCOMES, {"tables": list(_TABLES)}))["endpoints"]
    overview, *curves = found["tables"]
    shown = Table(overview["title"], "n (%)", "95 % interval", "events")
    for row in overview["rows"]:
        counted, events = row["cells"]
        shown.add_row("  " * row["level"] + row["label"], counted["display"], _percents(counted), events["display"])
    console.print(shown)
    for curve in curves:
        points = [f"{row['label']} {_cell(row, 'SURVIVAL')}" for row in curve["rows"]]
        console.print(f"  {curve['title']}: {', '.join(points)}", highlight=False)
    complaints = [] if found["safetySet"] else ["No participant is in the safety set."]
    await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
    code, said = await _report(data_dir, out)
    console.print(f"  {said}", highlight=False, soft_wrap=True)
    return complaints if code == 0 else [*complaints, f"The report ended with exit code {code}."]


def _percents(cell: Mapping[str, Any]) -> str:
    limits = cell["interval"]
    return "" if limits is None else f"{float(limits['lower']):.1%} to {float(limits['upper']):.1%}"


def _cell(row: Mapping[str, Any], column: str) -> str:
    return next((str(cell["display"]) for cell in row["cells"] if cell["column"] == column), "")


async def _report(data_dir: Path, out: Path) -> tuple[int, str]:
    words: Sequence[object] = ("report", "--out", out, "--by", "the statistician of the demo", "--data-dir", data_dir)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hepatrail_cli",
        *map(str, words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return await process.wait(), output.decode(errors="replace").strip()
