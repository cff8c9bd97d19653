"""The files of the seals: whole lines, nothing lost, nothing from another log."""

import json
from pathlib import Path

import pytest

from hepatrail_events.errors import LogShorter
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.transparency.note import VerifierKey, open_note
from hepatrail_events.transparency.seal import Seal
from hepatrail_services.audit.checkpoint_files import CheckpointFiles, write_seal
from hepatrail_services.audit.seals_topic import SealRecord
from sealed_log import KEY, SealedLog, sealed_history

DAY = "2026-01-05"


@pytest.fixture(scope="module")
def log() -> SealedLog:
    """A log under five seals."""
    return sealed_history(steps=20, seals=5)


@pytest.fixture(scope="module")
def records(log: SealedLog) -> list[SealRecord]:
    """They as they stand in the topic."""
    return [SealRecord(2 * number, seal.raw(), seal, None) for number, seal in enumerate(log.seals)]


def lines(directory: Path) -> list[bytes]:
    return [line for file in sorted(directory.glob("*.jsonl")) for line in file.read_bytes().splitlines()]


def test_each_seal_is_a_line_byte_for_byte_in_the_file_of_its_day(tmp_path: Path, records: list[SealRecord]) -> None:
    CheckpointFiles(tmp_path / "made").add(records)
    assert lines(tmp_path / "made") == [record.raw for record in records]
    days = {f"{record.seal.at:%Y-%m-%d}.jsonl" for record in records}
    assert {file.name for file in (tmp_path / "made").iterdir()} == days


def test_a_new_process_goes_on_behind_the_last_line(tmp_path: Path, records: list[SealRecord]) -> None:
    CheckpointFiles(tmp_path).add(records[:2])
    files = CheckpointFiles(tmp_path)
    assert files.last() == 2
    assert files.continues(records[2]) and not files.continues(records[3])
    files.add(records)
    assert lines(tmp_path) == [record.raw for record in records]
    files.hold_to(records[-1])


def test_a_line_that_was_cut_off_is_written_again(tmp_path: Path, records: list[SealRecord]) -> None:
    CheckpointFiles(tmp_path).add(records[:3])
    file = sorted(tmp_path.glob("*.jsonl"))[-1]
    file.write_bytes(file.read_bytes()[:-40])
    files = CheckpointFiles(tmp_path)
    assert files.last() == 2
    files.add(records)
    assert lines(tmp_path) == [record.raw for record in records]


def test_a_file_of_which_nothing_is_whole_is_as_none(tmp_path: Path, records: list[SealRecord]) -> None:
    CheckpointFiles(tmp_path).add(records[:1])
    (tmp_path / "2026-12-31.jsonl").write_bytes(b'{"asked":')
    files = CheckpointFiles(tmp_path)
    assert files.last() == 1
    assert (tmp_path / "2026-12-31.jsonl").read_bytes() == b""


def test_a_whole_line_that_is_no_seal_is_an_error_of_the_files(tmp_path: Path) -> None:
    (tmp_path / f"{DAY}.jsonl").write_bytes(b"{}\n")
    with pytest.raises(OSError, match="is no seal"):
        CheckpointFiles(tmp_path).last()


def test_what_does_not_follow_is_passed_over(tmp_path: Path, records: list[SealRecord]) -> None:
    other = sealed_history(2, steps=20, seals=2)
    strange = SealRecord(9, other.seals[1].raw(), other.seals[1], None)
    files = CheckpointFiles(tmp_path)
    files.add([records[0], strange, records[2], records[0], records[1]])
    assert lines(tmp_path) == [records[0].raw, records[1].raw]


def test_aud_06_files_that_know_more_than_the_topic_or_something_else_accuse_it(
    tmp_path: Path, records: list[SealRecord]
) -> None:
    files = CheckpointFiles(tmp_path)
    files.add(records[:4])
    files.hold_to(records[3])
    forged = records[3].seal.model_copy(update={"producer": "another"})
    for found in (records[2], records[4], SealRecord(6, forged.raw(), forged, None)):
        with pytest.raises(LogShorter, match=f"seal 4 in .* does not lead to seal {found.seal.seal} of the topic"):
            files.hold_to(found)


def test_after_an_error_of_the_disk_the_files_are_looked_at_again(tmp_path: Path, records: list[SealRecord]) -> None:
    files = CheckpointFiles(tmp_path)
    files.add(records[:2])
    (tmp_path / sorted(tmp_path.glob("*.jsonl"))[-1].name).write_bytes(records[0].raw + b"\n")
    assert files.last() == 2
    files.forget()
    assert files.last() == 1


def test_what_an_auditor_takes_away_opens_with_the_keys_beside_it(tmp_path: Path, records: list[SealRecord]) -> None:
    seal = records[-1].seal
    write_seal(tmp_path / "new" / "out", seal, KEY.public)
    out = tmp_path / "new" / "out"
    keys = [VerifierKey.parse(line) for line in (out / "keys.txt").read_text().splitlines()]
    assert len(keys) == TREES + 1
    for partition in range(TREES):
        text = (out / f"{partition}.checkpoint").read_text("utf-8")
        assert open_note(text, keys).startswith(f"{seal.log}/events/{partition}\n")
    assert open_note((out / "seals.checkpoint").read_text("utf-8"), keys).startswith(f"{seal.log}/seals\n5\n")
    assert Seal.read((out / "seal.json").read_bytes()) == seal
    assert json.loads((out / "seal.json").read_text())["seal"] == 5


def test_the_latest_seal_replaces_the_one_before(tmp_path: Path, records: list[SealRecord]) -> None:
    files = CheckpointFiles(tmp_path)
    for record in records:
        files.show(record.seal, KEY.public)
    assert Seal.read((tmp_path / "latest" / "seal.json").read_bytes()).seal == 5
    assert len(list((tmp_path / "latest").iterdir())) == TREES + 3
