"""RET-01: a bundle verifies on a machine that has nothing of ours: an empty virtual environment and one library."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bundling import export, files, packed_anew, run_verifier
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.kafka_log import partition_of
from sealed_log import KEY, sealed_history

_SECONDS = 240
EVENTS_FILE = f"events/{partition_of(subject_stream('S-00')):02}.jsonl"


@pytest.fixture(scope="module")
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a new environment with `cryptography` and nothing else; skips where no index has it."""
    home = tmp_path_factory.mktemp("auditor") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=_SECONDS, capture_output=True)
    python = str(home / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "1"]
    wanted = f"cryptography=={version('cryptography')}"
    try:
        done = subprocess.run([*install, wanted], timeout=_SECONDS, capture_output=True, text=True, env=_without_ours())
    except subprocess.TimeoutExpired:
        pytest.skip(f"no package index gave {wanted} within {_SECONDS} s")
    if done.returncode:
        pytest.skip(f"no package index gives {wanted}: {done.stderr.strip().splitlines()[-1:]}")
    return python


def _ran(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-I", *arguments], capture_output=True, text=True, timeout=_SECONDS)


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


async def test_ret_01_the_bundle_verifies_in_an_empty_environment(empty_python: str, tmp_path: Path) -> None:
    for module in ("hepatrail_services", "hepatrail_events", "orjson", "pydantic", "aiokafka"):
        assert "ModuleNotFoundError" in _ran(empty_python, "-c", f"import {module}").stderr
    sealed = sealed_history(11, subjects=3)
    whole, subject = tmp_path / "whole.zip", tmp_path / "subject.zip"
    await export(sealed.source(), whole)
    await export(sealed.source(), subject, subject_id="S-00")
    key = str(verifier_keys(sealed.name, KEY.public)[12])
    for path in (whole, subject):
        code, lines = run_verifier(path, "--key", key, python=empty_python)
        assert (code, lines[-1]) == (0, "WHOLE")
    # One result is altered, and manifest and archive are made to fit.
    altered = files(whole)[EVENTS_FILE].replace(b'"88"', b'"78"', 1)
    forged = packed_anew(whole, {EVENTS_FILE: altered}, tmp_path / "forged.zip")
    code, lines = run_verifier(forged, python=empty_python)
    assert code == 1
    assert lines[-1].startswith(f"BROKEN: partition {partition_of(subject_stream('S-00'))}")


async def test_what_is_no_file_is_not_called_broken(empty_python: str, tmp_path: Path) -> None:
    await export(sealed_history(11, subjects=1, steps=5).source(), tmp_path / "bundle.zip")
    script = tmp_path / "verify.py"
    script.write_bytes(files(tmp_path / "bundle.zip")["verify.py"])
    done = _ran(empty_python, str(script), str(tmp_path / "none.zip"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("could not read: ")
    assert shutil.which("hepatrail", path=str(Path(empty_python).parent)) is None
