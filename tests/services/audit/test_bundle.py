"""Bundles: the same bytes for the same seal, the log byte for byte, and a verifier of its own (RET-01, DAT-08)."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundling import S_00, export, files, key_of, packed_anew, run_verifier, small, verdict
from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.errors import Broken, StartRefused
from hepatrail_events.streams import STUDY
from hepatrail_infra.kafka_admin import ACCESS, CHECKPOINTS, DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_services.access_log import Access, AccessRecord
from hepatrail_services.audit.bundle.layout import of_line, to_line
from hepatrail_services.audit.bundle.source import read_bundle
from hepatrail_services.audit.source import MemorySource
from hepatrail_services.audit.verifier import verify
from log_commits import sample
from sealed_log import FORGERS_KEY, KEY, SealedLog, sealed_history


@pytest.fixture
async def bundle(tmp_path: Path) -> Path:
    await export(small().source(), tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


async def test_dat_08_the_same_instant_gives_the_same_bytes(tmp_path: Path) -> None:
    sealed = sealed_history(5, seals=2)
    first, second, later = (tmp_path / name for name in ("first.zip", "second.zip", "later.zip"))
    await export(sealed.source(), first)
    manifest = read_bundle(first).manifest
    assert (manifest.seal, manifest.at) == (2, sealed.seals[-1].at)
    # The log goes on: events, decisions, a seal, and the export itself in the access log.
    sample(sealed.log, S_00, creatinine="99")
    sealed.seal()
    source = sealed.source()
    exported = AccessRecord(instance="tool-1", seq=1, prevhash="0" * 64, at=sealed.log.tick(), kind=Access.EXPORT)
    source.topics[ACCESS, 0] = [(0, b"tool-1", exported.raw(), ())]
    await export(source, second, seal=2)
    assert first.read_bytes() == second.read_bytes()
    await export(source, later)
    assert later.read_bytes() != first.read_bytes()


_IN_A_PROCESS = """
import asyncio, sys
from pathlib import Path
from bundling import export
from sealed_log import sealed_history
asyncio.run(export(sealed_history(12, subjects=4, steps=120).source(), Path(sys.argv[1])))
"""


def test_dat_08_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    # Sets of texts have another order in each process.
    paths = [tmp_path / f"{seed}.zip" for seed in ("1", "2")]
    for path in paths:
        environment = {**os.environ, "PYTHONHASHSEED": path.stem, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", _IN_A_PROCESS, str(path)]
        subprocess.run(command, check=True, env=environment, timeout=120)
    assert paths[0].read_bytes() == paths[1].read_bytes()


async def test_a_bundle_is_a_zip_archive_for_everybody(bundle: Path) -> None:
    with ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert {(each.compress_type, each.date_time) for each in archive.infolist()} == {
            (ZIP_STORED, (1980, 1, 1, 0, 0, 0))
        }
        assert {stat.filemode(each.external_attr >> 16) for each in archive.infolist()} == {"-rw-r--r--"}
        names = set(archive.namelist())
    assert {"README.txt", "verify.py", "report.html", "manifest.json", "keys.txt", "seals.jsonl"} < names
    assert {f"events/{number:02}.{kind}" for number in range(12) for kind in ("jsonl", "offsets")} < names
    assert {"protocols/1.0.json", "schemas/AEReported.v1.schema.json", "decisions/11.jsonl"} < names


async def test_the_events_are_the_log_byte_for_byte(bundle: Path) -> None:
    source = small().source()
    report = await verify(read_bundle(bundle), decisions=True, headers=True)
    assert report.whole, report.problems
    assert report.heads == (await verify(source)).heads
    for partition in range(12):
        values = [value for _, _, value, _ in source.topics.get((EVENTS, partition), [])]
        assert files(bundle)[f"events/{partition:02}.jsonl"] == b"".join((value or b"") + b"\n" for value in values)
    seals = [value for _, _, value, _ in source.topics[CHECKPOINTS, 0]]
    assert files(bundle)["seals.jsonl"].split(b"\n")[:-1] == seals


async def test_its_own_verifier_says_whole_and_which_key_it_trusted(bundle: Path) -> None:
    code, lines = run_verifier(bundle)
    assert (code, lines[-1]) == (0, "WHOLE")
    assert "the log itself says so" in lines[-2]
    code, lines = run_verifier(bundle, "--key", key_of(small(), KEY))
    assert (code, lines[-1]) == (0, "WHOLE")
    assert "it goes back to yours" in lines[-2]
    code, lines = run_verifier(bundle, "--key", key_of(small(), FORGERS_KEY))
    assert code == 1
    assert lines[-1].startswith("BROKEN: no chain of keys")
    assert run_verifier(bundle)[1][0].endswith(sha256_hex(await asyncio.to_thread(bundle.read_bytes)))


def test_the_verifier_is_short_and_needs_one_library() -> None:
    source = (Path(__file__).parents[3] / "services/hepatrail_services/audit/bundle_verify.py").read_text("utf-8")
    assert len(source.splitlines()) <= 300
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert "hepatrail_services" not in imported
    standard = {"argparse", "base64", "json", "mmap", "re", "struct", "sys", "zlib", "collections", "hashlib", "typing"}
    assert imported - standard == {"cryptography"}


async def test_a_released_record_is_passed_over_as_the_log_passes_over_it(tmp_path: Path) -> None:
    sealed = small()
    garbage = sealed.log.raw(S_00, b"\xff garbage\nof two lines")
    sealed.log.release(garbage)
    sealed.log.skip_in_chain(S_00, garbage.value or b"")
    sample(sealed.log, S_00, creatinine="92")
    # This one its writer had not counted.
    sealed.log.release(sealed.log.raw(S_00, b'{"base64":"no record"}'))
    sample(sealed.log, S_00, creatinine="93")
    sealed.seal()
    path = tmp_path / "bundle.zip"
    await export(sealed.source(), path)
    assert verdict(path) == "WHOLE"
    report = await verify(read_bundle(path))
    assert report.whole, report.problems
    read = [row[1:3] async for rows in read_bundle(path).rows(EVENTS, partition_of(S_00)) for row in rows]
    assert (S_00.encode(), garbage.value) in read
    without = packed_anew(path, {"quarantine.jsonl": b""}, tmp_path / "forged.zip")
    assert "is no JSON" in verdict(without)


async def test_decisions_belong_to_the_sealed_events(tmp_path: Path) -> None:
    sealed = small()
    behind = len(sealed.log.records)
    sample(sealed.log, S_00, creatinine="95")
    source = sealed.source()
    decisions = source.topics[DECISIONS, partition_of(S_00)]
    # By the sealer's clock the last decision came before the seal; its events are not in it.
    early = json.loads(decisions[-1][2] or b"") | {"recordedat": "2026-01-01T00:00:00.000Z"}
    decisions[-1] = (*decisions[-1][:2], canonical_json(early), ())
    await export(source, tmp_path / "bundle.zip")
    held = files(tmp_path / "bundle.zip")[f"decisions/{partition_of(S_00):02}.jsonl"].splitlines()
    assert len(sealed.log.records) > behind
    assert held == [value for _, _, value, _ in decisions[:-1]]
    report = await verify(read_bundle(tmp_path / "bundle.zip"), decisions=True)
    assert report.whole, report.problems


async def test_what_cannot_be_bundled_is_refused_with_a_reason(tmp_path: Path) -> None:
    sealed, path = small(), tmp_path / "bundle.zip"
    with pytest.raises(StartRefused, match="There is no seal 3"):
        await export(sealed.source(), path, seal=3)
    with pytest.raises(StartRefused, match="no participant S-07"):
        await export(sealed.source(), path, subject_id="S-07")
    with pytest.raises(StartRefused, match="There is no seal yet"):
        await export(MemorySource(), path)
    shorter = sealed.source()
    shorter.topics[EVENTS, partition_of(S_00)].pop()
    with pytest.raises(Broken, match="LOG_SHORTER: 1 sealed events"):
        await export(shorter, path)
    unknown = sealed.source()
    unknown.topics[CHECKPOINTS, 0] = small(FORGERS_KEY).source().topics[CHECKPOINTS, 0]
    with pytest.raises(Broken, match="UNKNOWN_KEY"):
        await export(unknown, path)
    first, second = sealed.log.commit(S_00, *(2 * [_consent(sealed)]), decide=False)
    sealed.log.records.remove(second)
    sealed.seal()
    sealed.log.records.append(second)
    with pytest.raises(StartRefused, match="ends inside a commit of subject-S-00"):
        await export(sealed.source(), path)
    assert first.offset + 1 == second.offset
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


def _consent(sealed: SealedLog) -> ConsentRecorded:
    return ConsentRecorded(site_id="BFH", version="1", given_at=sealed.log.now, health_data_consent=True)


@settings(deadline=None)
@given(
    topic=st.sampled_from([EVENTS, DECISIONS, QUARANTINE, ACCESS, CHECKPOINTS]),
    key=st.none() | st.binary(max_size=9) | st.just(STUDY.encode()),
    value=st.none()
    | st.binary()
    | st.sampled_from(
        [b'{"subject":"study"}', b'{"stream":"study"}', b"{}", b'{"base64":null}', b'{"subject":\n"study"}']
    ),
)
def test_every_record_is_a_line_and_back(topic: str, key: bytes | None, value: bytes | None) -> None:
    line = to_line(topic, key, value)
    assert b"\n" not in line
    assert of_line(topic, line) == (key, value)
    line.decode()
