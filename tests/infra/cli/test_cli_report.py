"""`hepatrail report`: every outcome as files, the same for the same past instant, and put on record."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from export_commands import AccessLogInMemory, projected_log, stood_in
from hepatrail_cli import report
from hepatrail_cli.main import app
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.postgres import Dsns, reader_pool
from hepatrail_projections.endpoints.reading import OutcomeReader
from hepatrail_projections.reading import Reader
from hepatrail_services.access_log import Access
from hepatrail_services.outcome_report.csv_files import file_name
from trial_history import history

TRIAL = history(29, subjects=4, steps=120)


@pytest.fixture(scope="module")
async def projected(postgres_dsn: str) -> AsyncIterator[Dsns]:
    """A database with a random trial, which no test of this file changes."""
    async with projected_log(postgres_dsn, TRIAL.records) as dsns:
        yield dsns


@pytest.fixture
def log(projected: Dsns, monkeypatch: pytest.MonkeyPatch) -> AccessLogInMemory:
    """The access log of the command."""
    return stood_in(report, projected, monkeypatch)


async def ran(out: Path, *flags: str) -> Result:
    """The command has a loop of its own."""
    words = ["report", "--out", str(out), "--by", "statistician", *flags]
    return await asyncio.to_thread(CliRunner().invoke, app, words)


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def sums_hold(directory: Path) -> bool:
    command = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, cwd=directory).returncode == 0


async def test_the_same_past_instant_gives_the_same_bytes_and_every_table(
    tmp_path: Path, log: AccessLogInMemory, projected: Dsns
) -> None:
    at = TRIAL.now - timedelta(hours=1)
    for name in ("one", "other"):
        done = await ran(tmp_path / name, "--as-of", format_instant(at))
        assert done.exit_code == 0, done.output
    found = contents(tmp_path / "one")
    assert found == contents(tmp_path / "other")
    async with await reader_pool(projected.reader) as pool:
        read = await OutcomeReader(Reader(pool, SystemClock())).outcomes(at)
    tables = {f"tables/{file_name(each)}" for each in read.outcomes.tables}
    analysis = {f"analysis/{each}.json" for each in ("adtte", "adchg", "adae", "adex")}
    assert found.keys() == tables | analysis | {"report.html", "SHA256SUMS"}
    page = found["report.html"].decode()
    for table in read.outcomes.tables:
        assert table.title in page.replace("&gt;", ">").replace("&#x27;", "'"), table.code
    assert page.count("<svg") >= 5 and "Cumulative incidence" in page


async def test_the_analysis_rows_are_whole_datasets(tmp_path: Path, log: AccessLogInMemory) -> None:
    assert (await ran(tmp_path / "out")).exit_code == 0
    for path in (tmp_path / "out" / "analysis").iterdir():
        body = json.loads(path.read_bytes())
        assert (body["datasetJSONVersion"], body["records"]) == ("1.1.0", len(body["rows"]))
        assert all(len(row) == len(body["columns"]) for row in body["rows"])
        assert body["records"] > 0, path.name


async def test_the_sums_hold_and_the_report_is_on_record(tmp_path: Path, log: AccessLogInMemory) -> None:
    done = await ran(tmp_path / "out")
    assert done.exit_code == 0 and "provisional" in done.output
    assert sums_hold(tmp_path / "out")
    ((kind, detail),) = log.written
    assert kind is Access.EXPORT
    assert (detail["list"], detail["by"], detail["provisional"]) == ("report", "statistician", True)


async def test_what_cannot_go_on_record_is_not_handed_over(tmp_path: Path, log: AccessLogInMemory) -> None:
    log.away = True
    assert (await ran(tmp_path / "out")).exit_code == 1
    assert contents(tmp_path) == {}


async def test_an_instant_without_protocol_or_to_come_is_refused(tmp_path: Path, log: AccessLogInMemory) -> None:
    early = await ran(tmp_path / "out", "--as-of", "2020-01-01T00:00:00Z")
    assert (early.exit_code, "No protocol was in force at 2020-01-01" in early.stderr) == (2, True)
    late = await ran(tmp_path / "out", "--as-of", format_instant(SystemClock().now() + timedelta(days=1)))
    assert (late.exit_code, "has not come yet" in late.stderr) == (2, True)
    assert contents(tmp_path) == {}
