"""`hepatrail import sdtm` says what it cannot use before it asks for a stack."""

from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hepatrail_cli.main import app

MAPPING = files("hepatrail_services.importers").joinpath("cdisc_pilot.toml").read_text(encoding="utf-8")


@pytest.fixture
def domains(tmp_path: Path) -> Path:
    for name in ("dm", "ex", "lb"):
        (tmp_path / f"{name}.csv").write_text("USUBJID\n", encoding="utf-8")
    return tmp_path


def _import(directory: Path, *flags: str) -> Result:
    return CliRunner().invoke(app, ["import", "sdtm", str(directory), "--data-dir", str(directory / "none"), *flags])


def test_a_mapping_without_reports_cannot_read_them(domains: Path) -> None:
    start, rest = MAPPING.split("[ae.reports]")
    mapping = domains / "mapping.toml"
    mapping.write_text(start + rest[rest.index("[ae.stand_in]") :], encoding="utf-8")
    done = _import(domains, "--mapping", str(mapping), "--ae-reports")
    assert done.exit_code == 2
    assert "The mapping has no ae.reports" in done.stderr


@pytest.mark.parametrize(
    ("present", "flags", "missing"),
    [
        ((), (), "as ae.csv or ae.csv.gz"),
        (("ae",), ("--ae-reports",), "as ae_reports_original.csv or"),
        (("ae_reports_original",), (), None),
        (("ae", "ae_reports_original"), (), None),
    ],
    ids=["neither", "no reports", "only reports", "both"],
)
def test_ae_is_read_from_its_own_file_or_where_there_is_none_from_that_of_the_reports(
    domains: Path, present: tuple[str, ...], flags: tuple[str, ...], missing: str | None
) -> None:
    for name in present:
        (domains / f"{name}.csv").write_text("USUBJID\n", encoding="utf-8")
    done = _import(domains, *flags)
    assert done.exit_code == 2
    if missing is None:
        assert "is missing" not in done.stderr
        if len(present) == 2:
            assert "Not read: ae_reports_original.csv" in done.stdout
    else:
        assert missing in " ".join(done.stderr.split())
