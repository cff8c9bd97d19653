"""Checkpoints that an auditor kept: in every form in which they are handed out."""

from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.transparency.seal import open_seal, verifier_keys
from hepatrail_services.audit.taken_checkpoints import checkpoints_of, read_checkpoints
from sealed_log import FORGERS_KEY, KEY, sealed_history

LOG = sealed_history(5, subjects=1, steps=10)
SEAL = LOG.seals[-1]


def written(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "taken"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_note_a_seal_and_seals_line_by_line_are_read(tmp_path: Path) -> None:
    assert read_checkpoints(written(tmp_path, SEAL.history)) == (SEAL.history,)
    assert read_checkpoints(written(tmp_path, SEAL.raw())) == (*SEAL.checkpoints, SEAL.history)
    lines = b"".join(seal.raw() + b"\n" for seal in LOG.seals)
    assert len(read_checkpoints(written(tmp_path, lines))) == 13 * len(LOG.seals)


def test_they_say_what_was_sealed() -> None:
    opened = open_seal(SEAL, [KEY.public])
    notes = (*SEAL.checkpoints, SEAL.history)
    for pinned in ((), verifier_keys(LOG.name, KEY.public), verifier_keys(LOG.name, FORGERS_KEY.public)):
        assert checkpoints_of(notes, pinned) == (*opened.trees, opened.history)


def test_a_signature_of_a_pinned_key_must_hold() -> None:
    forged = SEAL.history.replace(f"\n{SEAL.seal}\n", f"\n{SEAL.seal + 1}\n", 1)
    assert checkpoints_of([forged])[0].size == SEAL.seal + 1, "it is the auditor's own"
    with pytest.raises(StartRefused, match="cannot be trusted"):
        checkpoints_of([forged], verifier_keys(LOG.name, KEY.public))


@pytest.mark.parametrize("content", [b"\xff\xfe", b'{"no":"seal"}'])
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StartRefused):
        read_checkpoints(written(tmp_path, content))


def test_text_that_is_no_note_is_refused(tmp_path: Path) -> None:
    for text in ("hello\n", "", "a\nb\nc\n"):
        with pytest.raises(StartRefused, match="cannot be trusted"):
            checkpoints_of(read_checkpoints(written(tmp_path, text)))
    with pytest.raises(StartRefused, match="cannot be read"):
        read_checkpoints(tmp_path / "absent")
