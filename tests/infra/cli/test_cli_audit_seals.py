"""`hepatrail audit checkpoint`, `prove` and `keys` on a real Kafka with a sealer: lines, files and exit codes."""

import asyncio
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hepatrail_cli.main import app
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import read
from hepatrail_events.streams import STUDY
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint, read_consistency, read_inclusion
from hepatrail_events.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from hepatrail_events.transparency.note import VerifierKey, open_note
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from projection_kafka import fresh_topics, write
from projection_log import LogRecord
from runtime_support import records
from sealer_child import process
from sealer_kafka import Trial, running, seals_to


async def audit(bootstrap: str, *words: str) -> Result:
    """One command, in a thread because it runs its own loop."""
    environment = {"HEPATRAIL_KAFKA": bootstrap}
    return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *words], env=environment)


def opened(note: str, keys: list[VerifierKey]) -> Checkpoint:
    return Checkpoint.parse(open_note(note, keys))


async def test_aud_06_an_auditor_takes_checkpoints_and_proofs_away(kafka: str, tmp_path: Path) -> None:
    trial, out = Trial(kafka), tmp_path / "out"
    await trial.send()
    async with running(process(kafka, tmp_path / "kept", every=3600.0)) as sealer:
        await seals_to(kafka, 1, sealer)
        trial.more()
        await trial.send()
        taken = await audit(kafka, "checkpoint", "--out", str(out), "--by", "auditor-1")
        events = await records(kafka, EVENTS)
    assert taken.exit_code == 0, taken.output
    line = re.fullmatch(
        r"seal 2 \(DEMAND\) at [0-9T:.-]+Z: (\d+) events; SHA-256 of the seal ([0-9a-f]{64})\n", taken.stdout
    )
    assert line is not None, taken.stdout
    assert int(line[1]) == len(events)
    assert line[2] == sha256_hex((out / "seal.json").read_bytes().rstrip(b"\n"))

    printed = await audit(kafka, "keys")
    assert printed.exit_code == 0
    assert printed.stdout == (out / "keys.txt").read_text()
    keys = [VerifierKey.parse(text) for text in printed.stdout.splitlines()]
    assert len(keys) == TREES + 1

    record = next(record for record in events if record.key == trial.stream.encode())
    event_id = read(record.value or b"").envelope.id
    proven = await audit(
        kafka, "prove", str(event_id), "--stream", trial.stream, "--out", str(out / "event.tlog-proof")
    )
    assert proven.exit_code == 0, proven.output
    index, proof, note = read_inclusion((out / "event.tlog-proof").read_text("utf-8"))
    tree = opened(note, keys)
    assert verify_inclusion(leaf_hash(record.value or b""), index, tree.size, proof, tree.root)
    assert proven.stdout == f"leaf {index} of {tree.size} in {tree.origin}, seal 2\n"

    partition = partition_of(trial.stream)
    between = await audit(kafka, "prove", "--from", "1", "--to", "2", "--partition", str(partition))
    assert between.exit_code == 0, between.output
    old, proof, note = read_consistency(between.stdout)
    later = opened(note, keys)
    assert (later.origin, later.size - old) == (tree.origin, 1)
    assert between.stderr == f"the first {old} of {later.size} leaves in {later.origin} are those of seal 1\n"
    earlier = opened((await seals_to(kafka, 2))[0].checkpoints[partition], keys)
    assert verify_consistency(old, later.size, earlier.root, later.root, proof)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("prove",), "Give either an event, or --from, --to and --partition."),
        (("prove", "--from", "1", "--to", "2"), "Give either an event"),
        (("prove", "11111111-2222-4333-8444-555555555555", "--partition", "3"), "Give either an event"),
        (("prove", "11111111-2222-4333-8444-555555555555"), "There is no seal."),
        (("keys",), "There is no seal."),
        (("checkpoint", "--timeout", "1"), "no seal came within 1 s: does a sealer run?"),
    ],
)
async def test_what_cannot_be_done_ends_with_2_and_a_sentence(
    kafka: str, words: tuple[str, ...], sentence: str
) -> None:
    refused = await audit(kafka, *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"could not read: {sentence}")


async def test_aud_06_a_log_that_is_not_what_was_sealed_ends_with_1(kafka: str, tmp_path: Path) -> None:
    trial = Trial(kafka)
    await trial.send()
    async with running(process(kafka, tmp_path)) as sealer:
        await seals_to(kafka, 1, sealer)
    events, sealed = await records(kafka, EVENTS), await records(kafka, CHECKPOINTS)
    study = [record for record in events if record.key == STUDY.encode()]
    await fresh_topics(kafka)
    await write(kafka, [LogRecord(each.topic, each.partition, 0, each.key, each.value) for each in (*study, *sealed)])
    partition = partition_of(trial.stream)
    broken = await audit(kafka, "prove", "--from", "1", "--to", "1", "--partition", str(partition))
    assert broken.exit_code == 1
    assert broken.stdout.startswith(f"broken: LOG_SHORTER at hepatrail.events/{partition}: ")
