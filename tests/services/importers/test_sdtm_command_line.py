"""`hepatrail import sdtm` on files of any format: what it reads, what it says, before it asks for a stack."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hepatrail_cli.main import app
from sdtm_files import WRITERS, dataset, lines, write_csv, write_xpt

COLUMNS = {"USUBJID": "string"}


def _import(directory: Path, *flags: str) -> Result:
    return CliRunner().invoke(app, ["import", "sdtm", str(directory), "--data-dir", str(directory / "none"), *flags])


@pytest.mark.parametrize("form", WRITERS)
def test_a_directory_in_any_format_is_read_up_to_the_question_for_the_stack(tmp_path: Path, form: str) -> None:
    ending, write = WRITERS[form]
    for name in ("dm", "ex", "lb", "ae", "sc"):
        write(tmp_path / f"{name}{ending}", name.upper(), COLUMNS, [])
    done = _import(tmp_path, "--mapping", "cdisc_msg.toml")
    assert done.exit_code == 2
    assert f"Not read: sc{ending}" in done.stdout
    assert "cannot be read" not in done.stderr
    assert "is missing" not in done.stderr


def test_files_that_hold_the_same_rows_are_named(tmp_path: Path) -> None:
    for name in ("dm", "ex", "lb", "ae"):
        write_csv(tmp_path / f"{name}.csv", name.upper(), COLUMNS, [])
    write_xpt(tmp_path / "ae.xpt", "AE", COLUMNS, [])
    assert "Same rows once more: ae.xpt" in _import(tmp_path).stdout


def test_a_broken_file_ends_with_exit_code_2_and_its_name(tmp_path: Path) -> None:
    for name in ("dm", "ex", "lb"):
        write_csv(tmp_path / f"{name}.csv", name.upper(), COLUMNS, [])
    (tmp_path / "ae.ndjson").write_bytes(lines(dataset("AE", COLUMNS, [["A-1"]], records=2)))
    done = _import(tmp_path)
    assert done.exit_code == 2
    assert "ae.ndjson cannot be read as Dataset-JSON 1.1 in lines: records is 2 and there are 1 rows" in " ".join(
        done.stderr.split()
    )
