"""Checkpoints that an auditor took away earlier, in any of the forms in which they are handed out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hepatrail_events.errors import BadSignature, InvalidMessage, StartRefused
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.note import VerifierKey, open_note
from hepatrail_events.transparency.seal import Seal
from hepatrail_services.audit.seal_keys import claims

_MAX_BYTES = 64 * 1024 * 1024


def read_checkpoints(path: Path) -> tuple[str, ...]:
    """The signed notes in a file: one note (`.checkpoint`), a seal's record, or seals line by line (`.jsonl`).

    Of a seal they are those of the 12 partitions and the one of the tree over all seals. StartRefused when the file
    cannot be read or is none of the three.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise StartRefused(f"{path} is too large to be a checkpoint.")
        raw = path.read_bytes()
    except OSError as error:
        raise StartRefused(f"{path} cannot be read: {error.strerror}.") from None
    if not raw.lstrip().startswith(b"{"):
        try:
            return (raw.decode(),)
        except UnicodeDecodeError:
            raise StartRefused(f"{path} is neither a checkpoint nor a seal.") from None
    return tuple(note for line in raw.splitlines() if line.strip() for note in _notes_of(path, line))


def checkpoints_of(notes: Sequence[str], pinned: Sequence[VerifierKey] = ()) -> tuple[Checkpoint, ...]:
    """What the notes say; each is taken for true, because the auditor has kept it.

    A signature line of a key in `pinned` is verified all the same. StartRefused names what is no checkpoint or is
    not signed by the key that it names.
    """
    return tuple(_checkpoint(note, pinned) for note in notes)


def _notes_of(path: Path, line: bytes) -> Iterator[str]:
    try:
        seal = Seal.read(line)
    except InvalidMessage as error:
        raise StartRefused(f"{path} holds a line that is no seal: {error}.") from None
    yield from (*seal.checkpoints, seal.history)


def _checkpoint(note: str, pinned: Sequence[VerifierKey]) -> Checkpoint:
    try:
        checkpoint = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
        keys = [VerifierKey(checkpoint.origin, key.public) for key in pinned]
        if claims(note, checkpoint.origin, [key.public for key in keys]):
            open_note(note, keys)
    except BadSignature as error:
        raise StartRefused(f"A checkpoint that was given cannot be trusted: {error}.") from None
    return checkpoint
