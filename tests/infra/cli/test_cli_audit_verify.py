"""`hepatrail audit verify` as an auditor runs it: what it prints, and how it ends."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forging import change, rechain, rows_of
from hepatrail_cli.main import app
from hepatrail_events.streams import subject_stream
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.source import MemorySource
from projection_kafka import write
from projection_log import LogRecord
from sealed_log import FORGERS_KEY, KEY, sealed_history

LOG = sealed_history(5, subjects=2, steps=30)
STREAM = subject_stream("S-00")


def records(source: MemorySource) -> list[LogRecord]:
    return [
        LogRecord(topic, partition, offset, key, value, tuple(headers))
        for (topic, partition), rows in source.topics.items()
        for offset, key, value, headers in rows
    ]


async def verified(*options: str) -> tuple[int, str, str]:
    """Exit code, what it printed, and what it said besides."""
    done = await asyncio.to_thread(CliRunner().invoke, app, ["audit", "verify", *options])
    return done.exit_code, done.stdout, done.stderr


async def test_aud_06_a_whole_log_ends_with_0(kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEPATRAIL_KAFKA", kafka)
    await write(kafka, LOG.records())
    code, out, _ = await verified("--decisions", "--headers")
    assert code == 0 and out.splitlines()[-1].startswith("whole: ") and "12 trees agree with 3 seals" in out
    key = str(verifier_keys(LOG.name, KEY.public)[12])
    seal = tmp_path / "seal.json"
    seal.write_bytes(LOG.seals[-1].raw())
    code, out, _ = await verified("--key", key, "--checkpoint", str(seal), "--json")
    report = json.loads(out)
    assert code == 0 and report["whole"] and report["seals"] == 3
    assert report["keys"] == "those given, and 13 checkpoints taken earlier agree"
    assert report["heads"][STREAM]["streamseq"] > 1
    code, out, _ = await verified("--key", str(verifier_keys(LOG.name, FORGERS_KEY.public)[12]))
    assert code == 1 and "KEY_NOT_INTRODUCED at hepatrail.checkpoints/0" in out


async def test_aud_06_a_broken_log_ends_with_1_and_names_the_first_broken_link(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEPATRAIL_KAFKA", kafka)
    source = LOG.source()
    partition = partition_of(STREAM)
    rows = rows_of(source, EVENTS, partition)
    at = next(index for index, row in enumerate(rows) if row[1] == STREAM.encode() and index > 2)
    change(rows, at, lambda body: body.update(actorid="dr-no"))
    await write(kafka, records(source))
    code, out, _ = await verified()
    first, count = out.splitlines()[-2:]
    assert code == 1 and count == "(2 problems in all)"
    assert first.startswith(f"broken: BROKEN_CHAIN at hepatrail.events/{partition}@") and f", {STREAM}@" in first
    assert first.endswith("prevhash is not the hash of the event before")
    assert rechain(rows, at) > 0


async def test_what_cannot_be_read_ends_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEPATRAIL_KAFKA", "127.0.0.1:9")
    code, out, err = await verified()
    assert (code, out) == (2, "") and err.splitlines()[-1].startswith("could not read: Kafka does not answer")
    for options in (
        ("--key", "no key"),
        ("--checkpoint", str(tmp_path / "absent")),
        ("--bundle", str(tmp_path / "absent")),
        ("--bundle", "x", "--postgres"),
        ("--no-such-option",),
    ):
        assert (await verified(*options))[0] == 2, options
    monkeypatch.delenv("HEPATRAIL_KAFKA")
    code, _, err = await verified("--data-dir", str(tmp_path / "nothing"))
    assert code == 2 and "could not read: " in err
