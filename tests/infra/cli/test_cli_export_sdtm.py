"""`hepatrail export sdtm`: what it refuses, what it writes from a real Postgres, and what goes on record."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from export_commands import AccessLogInMemory as Log
from export_commands import projected_log, stood_in
from hepatrail_cli import export_sdtm
from hepatrail_cli.main import app
from hepatrail_events.types import format_instant
from hepatrail_infra.postgres import Dsns
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.access_log import Access
from hepatrail_services.exporters.dataset_json import Form, Origin
from hepatrail_services.exporters.domains import DOMAINS
from hepatrail_services.importers.mapping import read_mapping
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.source import read_directory
from sdtm_export_course import DAY, END, course
from sdtm_export_rows import exported, files_of, rows_at, streams_of

NAMES = sorted(each.stem for each in DOMAINS)
BESIDE = ["NOTES.md", "SHA256SUMS", "import_mapping.toml"]


@pytest.fixture(scope="module")
async def projected(postgres_dsn: str) -> AsyncIterator[Dsns]:
    """A database with the course, which no test of this file changes."""
    async with projected_log(postgres_dsn, course().records) as dsns:
        yield dsns


@pytest.fixture
def log(projected: Dsns, monkeypatch: pytest.MonkeyPatch) -> Log:
    """The access log of a command that finds that database."""
    return stood_in(export_sdtm, projected, monkeypatch)


def run(out: Path, *flags: str) -> Result:
    return CliRunner().invoke(app, ["export", "sdtm", "--out", str(out), "--by", "dr-li", *flags])


async def ran(out: Path, *flags: str) -> Result:
    """The command has a loop of its own."""
    return await asyncio.to_thread(run, out, *flags)


def _origin(at: datetime) -> Origin:
    events = [each.envelope for stream in streams_of(course().records).values() for each in stream]
    return Origin(
        study="CiPS-BAL",
        created=at,
        modified=max(each.recordedat for each in events if each.stream != "study" and each.recordedat <= at),
        system="hepatrail",
        version=export_sdtm.HEPATRAIL,
        metadata="MDV.1.0",
    )


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_an_export_looks_at_its_directory_before_it_starts_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEPATRAIL_KAFKA", raising=False)
    done = run(tmp_path / "none" / "out", "--data-dir", str(tmp_path / "data"))
    assert (done.exit_code, done.stderr) == (2, f"hepatrail: There is no directory {tmp_path / 'none'}.\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dm.json").write_text("{}")
    done = run(tmp_path / "out", "--data-dir", str(tmp_path / "data"))
    assert done.exit_code == 2
    assert "is there already: an export is never written over" in done.stderr
    done = run(tmp_path / "new", "--data-dir", str(tmp_path / "data"))
    assert done.exit_code == 2
    assert "No stack runs" in done.stderr
    assert run(tmp_path / "new", "--as-of", "yesterday").exit_code == 2
    assert _names(tmp_path) == ["out"]


@pytest.mark.parametrize("form", Form)
async def test_the_files_are_those_of_the_rows_as_of_the_instant(tmp_path: Path, log: Log, form: Form) -> None:
    at = END - 60 * DAY
    flags = ("--as-of", format_instant(at), "--format", form.value)
    done = await ran(tmp_path / "out", *flags)
    assert done.exit_code == 0, done.output
    found = _contents(tmp_path / "out")
    assert sorted(found) == sorted([*BESIDE, *(f"{name}.{form}" for name in NAMES)])
    subjects, protocol = rows_at(streams_of(course().records), at)
    expected = files_of(exported(subjects, protocol), form, _origin(at))
    assert {name: found[name] for name in expected} == expected
    (tmp_path / "again").mkdir()
    assert (await ran(tmp_path / "again", *flags)).exit_code == 0
    assert _contents(tmp_path / "again") == found
    assert _names(tmp_path) == ["again", "out"]


async def test_the_export_of_now_is_that_of_the_tables_and_goes_on_record(tmp_path: Path, log: Log) -> None:
    done = await ran(tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "8 participants as of" in done.output
    assert (
        "DM 8, EX 4, XP 3, MH 2, CM 3, PR 2, LB 18, VS 18, AE 8, FA 29, DS 30, SS 4, SV 5, XA 2, DE 1, RS 23"
        in done.output
    )
    sums = (tmp_path / "out" / "SHA256SUMS").read_bytes()
    [(kind, detail)] = log.written
    at = detail.pop("asOf")
    assert kind is Access.EXPORT
    assert detail == {
        "list": "sdtm",
        "by": "dr-li",
        "format": "json",
        "versions": f"hepatrail {export_sdtm.HEPATRAIL}, projection {PROJECTION_VERSION}, protocol 1.0",
        "participants": 8,
        "rows": 160,
        "sha256": hashlib.sha256(sums).hexdigest(),
        "provisional": True,
    }
    for line in sums.decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    subjects, protocol = rows_at(streams_of(course().records), END)
    expected = files_of(exported(subjects, protocol), Form.JSON, _origin(datetime.fromisoformat(at)))
    found = _contents(tmp_path / "out")
    for name, content in expected.items():
        assert found[name].partition(b'"rows":')[2] == content.partition(b'"rows":')[2], name


async def test_the_importer_reads_what_was_exported_with_the_mapping_beside_it(tmp_path: Path, log: Log) -> None:
    assert (await ran(tmp_path / "out", "--format", "ndjson")).exit_code == 0
    mapping = read_mapping(tmp_path / "out" / "import_mapping.toml")
    assert isinstance(mapping, RecordsMapping)
    assert (mapping.study, mapping.sites.ids) == ("CiPS-BAL", ("A-2", "BFH"))
    source = read_directory(tmp_path / "out", domains=mapping.domains)
    assert {name: len(rows) for name, rows in source.rows.items()} == {
        "DM": 8, "EX": 4, "XP": 3, "MH": 2, "CM": 3, "PR": 2, "LB": 18, "VS": 18, "SV": 5, "XA": 2, "AE": 8, "FA": 29,
        "DS": 30, "SS": 4, "DE": 1,
    }  # fmt: skip


async def test_what_cannot_be_put_on_record_is_not_handed_over(tmp_path: Path, log: Log) -> None:
    log.away = True
    done = await ran(tmp_path / "out")
    assert done.exit_code == 1
    assert "the access log is away" in done.stderr
    assert _names(tmp_path) == []


@pytest.mark.parametrize(
    ("as_of", "why"),
    [("2100-01-01T00:00:00Z", "has not come yet"), ("2020-01-01T00:00:00Z", "No protocol was in force")],
)
async def test_an_instant_that_has_no_answer_is_refused(tmp_path: Path, log: Log, as_of: str, why: str) -> None:
    done = await ran(tmp_path / "out", "--as-of", as_of)
    assert done.exit_code == 2
    assert why in done.stderr
    assert (_names(tmp_path), log.written) == ([], [])
