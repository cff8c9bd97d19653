"""`hepatrail import` and `hepatrail simulate` say in one sentence what is missing, before they touch a stack."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatrail_cli.main import app
from hepatrail_services.simulation.generate import generate_trial
from hepatrail_services.simulation.trial import read_trial

RUNNER = CliRunner()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    columns = {
        "dm": "USUBJID,SITEID,DMDTC,SEX,AGE,AGEU,ARMCD,DTHDTC",
        "ex": "USUBJID,EXSEQ,EXSTDTC",
        "lb": "USUBJID",
        "ae": "USUBJID",
    }
    for name, header in columns.items():
        (tmp_path / f"{name}.csv").write_text(f"{header}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--url", "http://127.0.0.1:1/graphql"], "Give --url and --token together"),
        (["--data-dir", "nowhere"], "No stack runs in nowhere"),
        (["--mapping", "absent.toml"], "The mapping absent.toml cannot be read"),
    ],
)
def test_an_import_without_access_is_refused(source: Path, options: list[str], sentence: str) -> None:
    result = RUNNER.invoke(app, ["import", "sdtm", str(source), *options])
    assert result.exit_code == 2
    assert sentence in result.output


def test_an_import_of_no_directory_is_refused(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["import", "sdtm", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "is no directory" in result.output


def test_a_trial_is_written_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "trial.jsonl"
    result = RUNNER.invoke(app, ["simulate", "--seed", "5", "--participants", "3", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert read_trial(out) == generate_trial(5, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Say what to do with the trial"),
        (["--trial", "absent.jsonl", "--play", "nowhere"], "The trial absent.jsonl cannot be read"),
        (["--play", "nowhere"], "No stack runs in nowhere"),
    ],
)
def test_a_simulation_without_a_purpose_is_refused(options: list[str], sentence: str) -> None:
    result = RUNNER.invoke(app, ["simulate", *options])
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
