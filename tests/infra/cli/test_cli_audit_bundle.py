"""`hepatrail audit export` and `import`: what they refuse, and with which exit code."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bundling import export, files
from hepatrail_cli.main import app
from sealed_log import sealed_history


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    asyncio.run(export(sealed_history(2, subjects=1, steps=5).source(), tmp_path / "bundle.zip"))
    return tmp_path / "bundle.zip"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", *words])
    return done.exit_code, done.output


def test_an_export_needs_a_log_and_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEPATRAIL_KAFKA", raising=False)
    out = str(tmp_path / "out.zip")
    assert run("export", "--data-dir", str(tmp_path))[0] == 2
    code, said = run("export", "--out", out, "--data-dir", str(tmp_path / "none"))
    assert code == 2
    assert said.startswith("could not read: No stack runs")
    code, said = run("export", "--out", str(tmp_path / "none" / "out.zip"), "--data-dir", str(tmp_path))
    assert (code, said) == (2, f"could not read: There is no directory {tmp_path / 'none'}.\n")
    assert run("export", "--out", out, "--seal", "0")[0] == 2
    assert not list(tmp_path.iterdir())


def test_an_import_looks_at_the_file_before_it_starts_anything(bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    code, said = run("import", str(tmp_path / "none.zip"), "--data-dir", str(data))
    assert code == 2
    assert said.startswith("could not read: ")
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(files(bundle)["README.txt"])
    code, said = run("import", str(damaged), "--data-dir", str(data))
    assert code == 1
    assert said.startswith("broken: BUNDLE_DAMAGED")
    code, said = run("import", str(bundle), "--with-text", "--data-dir", str(data))
    assert code == 2
    assert "exported without --with-text" in said
    assert not data.exists()
