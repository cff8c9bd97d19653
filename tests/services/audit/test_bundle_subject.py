"""Participants' bundles: what concerns one participant, each event proven, and nobody else (RET-01)."""

import json
import re
from pathlib import Path

import pytest

from bundling import export, files, packed_anew, run_verifier, small, verdict
from hepatrail_events.canonical import canonical_json
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import subject_stream
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.audit.bundle.source import read_bundle
from hepatrail_services.audit.verifier import verify
from sealed_log import sealed_history


async def test_a_participants_bundle_proves_each_event_and_names_nobody_else(tmp_path: Path) -> None:
    source, path = sealed_history(6, subjects=4).source(), tmp_path / "subject.zip"
    content = await export(source, path, subject_id="S-01")
    assert run_verifier(path)[1][-1] == "WHOLE"
    own = subject_stream("S-01").encode()
    values = {value for _, key, value, _ in source.topics[EVENTS, partition_of(own.decode())] if key == own}
    held = [json.loads(line) for line in files(path)["events/subject.jsonl"].splitlines()]
    assert values <= {each["value"].encode() for each in held}
    assert {json.loads(each["value"])["subject"] for each in held} <= {"study", "safety-desk", own.decode()}
    assert content.counts.events == len(held)
    for name, raw in files(path).items():
        # A rule may be called SES-02.
        assert not re.search(rb"\bS-(00|02|03|FAILED)\b", raw), name
    with pytest.raises(StartRefused, match=r"run the verify\.py"):
        await verify(read_bundle(path))


async def test_a_participants_event_that_is_altered_or_left_out_is_found(tmp_path: Path) -> None:
    path = tmp_path / "subject.zip"
    await export(small().source(), path, subject_id="S-00")
    lines = files(path)["events/subject.jsonl"].splitlines()
    own = [at for at, line in enumerate(lines) if b'subject-S-00\\"' in line]
    assert [json.loads(json.loads(line)["value"])["subject"] for line in lines].count("safety-desk") == 1

    def with_lines(changed: list[bytes]) -> Path:
        raw = b"".join(line + b"\n" for line in changed)
        return packed_anew(path, {"events/subject.jsonl": raw}, tmp_path / "forged.zip")

    altered = [line.replace(b'\\"88\\"', b'\\"78\\"') for line in lines]
    assert altered != lines
    assert "is not in the sealed tree" in verdict(with_lines(altered))
    missing = [line for at, line in enumerate(lines) if at != own[1]]
    assert "does not follow" in verdict(with_lines(missing))
    moved = canonical_json(json.loads(lines[own[1]]) | {"leaf": 0})
    assert "is not in the sealed tree" in verdict(
        with_lines([moved if at == own[1] else line for at, line in enumerate(lines)])
    )
