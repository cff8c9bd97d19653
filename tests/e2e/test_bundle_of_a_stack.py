"""`audit export` of a running stack, `audit import` into an empty directory, and a stack on what was imported."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bundling import files, run_verifier
from logbook import committed
from sae_reports import reported
from stack import Stack, enrol, running_stack

PHRASE = "bled into the left groin after line removal"
TEXT = "query($id: ID!) { subject(id: $id) { adverseEvents { verbatim { value state } } } }"


async def hepatrail(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepatrail_cli", *words]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


async def ran(*words: str) -> list[str]:
    """A command that must end with 0; the lines that it prints."""
    done = await hepatrail(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


async def access_records(stack: Stack, kind: str) -> list[dict[str, Any]]:
    values = [json.loads(record.value) for record in await committed(stack.ready["kafka"], "hepatrail.access")]
    return [value for value in values if value["kind"] == kind]


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack(subjects=["BFH-001", "BFH-002"]) as running:
        await reported(running, "BFH-001", verbatim=PHRASE)
        yield running


async def test_ret_01_export_and_import_of_a_stack(stack: Stack, tmp_path: Path) -> None:
    data, path = str(stack.data_dir), tmp_path / "trial.zip"
    lines = await ran("audit", "export", "--out", str(path), "--with-text", "--by", "auditor-1", "--data-dir", data)
    number = int(lines[-1].split()[1])
    assert lines[-1].startswith(f"seal {number} at ")
    code, said = run_verifier(path, "--text-keys")
    assert (code, said[-1]) == (0, "WHOLE")
    assert PHRASE in files(path)["report.html"].decode()
    (record,) = await access_records(stack, "EXPORT")
    assert record["detail"]["sha256"] == lines[-1].split()[-1]
    assert (record["detail"]["withText"], record["detail"]["by"]) == (True, "auditor-1")
    # The same seal again, from the same stack: the same bytes, although the export itself is on record now.
    again = tmp_path / "again.zip"
    await ran("audit", "export", "--out", str(again), "--with-text", "--seal", str(number), "--data-dir", data)
    assert await asyncio.to_thread(again.read_bytes) == await asyncio.to_thread(path.read_bytes)
    refused = await hepatrail("audit", "import", str(path), "--data-dir", data)
    assert refused.returncode == 2
    assert "into an empty system only" in refused.stderr
    await _import(path, tmp_path / "restored")


async def _import(path: Path, directory: Path) -> None:
    lines = await ran("audit", "import", str(path), "--with-text", "--data-dir", str(directory))
    assert lines[0] == "the digests of all tables are those of the bundle"
    assert lines[1].endswith("keys of text taken over")
    assert lines[-1].startswith("whole: ")
    restored = await Stack(directory).start()
    try:
        assert len(await access_records(restored, "IMPORT")) == 1
        answer = await restored.graphql(TEXT, {"id": "BFH-001"})
        assert answer["subject"]["adverseEvents"][0]["verbatim"]["value"] == PHRASE
        # The study goes on where it was.
        await enrol(restored, "BFH-003")
    finally:
        await restored.stop()


async def test_a_participants_export_needs_no_text_and_says_so(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    await ran("audit", "export", "--out", str(path), "--subject", "BFH-001", "--data-dir", str(stack.data_dir))
    assert run_verifier(path)[1][-1] == "WHOLE"
    assert not any(b"BFH-002" in raw or PHRASE.encode() in raw for raw in files(path).values())
    nobody = await hepatrail(
        "audit", "export", "--out", str(path), "--subject", "X-9", "--data-dir", str(stack.data_dir)
    )
    assert nobody.returncode == 2
    assert nobody.stderr.startswith("could not read: ")
