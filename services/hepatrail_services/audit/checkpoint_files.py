"""Copies of the seals as files that an auditor can take away.

    <yyyy-mm-dd>.jsonl        the records of a day's seals, one a line, as they stand in the topic
    latest/seal.json          the last record
    latest/<p>.checkpoint     its notes, by partition; latest/seals.checkpoint over all seals
    latest/keys.txt           the verifier keys of these notes, one a line

Everything raises OSError where the disk does.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import InvalidMessage, LogShorter
from hepatrail_events.transparency.seal import NO_SEAL, Seal, verifier_keys
from hepatrail_services.audit.seals_topic import SealRecord

LATEST = "latest"
_LINES = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl"
_TAIL = 1 << 20


class CheckpointFiles:
    """The files of one directory; one process writes them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._number = -1
        self._hash = NO_SEAL

    def last(self) -> int:
        """The number of the last seal in the files, 0 without any; a line that was cut off while written is removed."""
        if self._number < 0:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._number, self._hash = 0, NO_SEAL
            for file in sorted(self.directory.glob(_LINES), reverse=True):
                line = _last_line(file)
                if line is not None:
                    self._number, self._hash = Seal.read(line).seal, sha256_hex(line)
                    break
        return self._number

    def add(self, records: Sequence[SealRecord]) -> None:
        """Appends those that follow on the last line, in their order, and passes over all others."""
        self.last()
        for record in records:
            if self.continues(record):
                _append(self.directory / f"{record.seal.at:%Y-%m-%d}.jsonl", record.raw)
                self._number, self._hash = record.seal.seal, sha256_hex(record.raw)

    def continues(self, record: SealRecord) -> bool:
        """Whether the seal follows on the last line."""
        return (record.seal.seal, record.seal.prevhash) == (self.last() + 1, self._hash)

    def hold_to(self, record: SealRecord) -> None:
        """Raises LogShorter unless this, the last seal of the topic, is the last line: the topic is not what it was."""
        if self.last() != record.seal.seal or self._hash != sha256_hex(record.raw):
            raise LogShorter(
                f"LOG_SHORTER: seal {self.last()} in {self.directory} does not lead to seal {record.seal.seal} of the "
                "topic. If the log was restored from a backup, move that directory away."
            )

    def forget(self) -> None:
        """After an error of the disk: looks again at what stands in the files."""
        self._number = -1

    def show(self, seal: Seal, public: bytes) -> None:
        """Makes this seal, signed by the key, the one in `latest`."""
        write_seal(self.directory / LATEST, seal, public)


def write_seal(directory: Path, seal: Seal, public: bytes) -> None:
    """Writes record, notes and verifier keys of a seal; each file is replaced whole."""
    directory.mkdir(parents=True, exist_ok=True)
    for partition, note in enumerate(seal.checkpoints):
        _replace(directory / f"{partition}.checkpoint", note.encode())
    _replace(directory / "seals.checkpoint", seal.history.encode())
    _replace(directory / "keys.txt", "".join(f"{key}\n" for key in verifier_keys(seal.log, public)).encode())
    _replace(directory / "seal.json", seal.raw() + b"\n")


def _append(file: Path, line: bytes) -> None:
    with file.open("ab") as lines:
        lines.write(line + b"\n")
        lines.flush()
        os.fsync(lines.fileno())


def _last_line(file: Path) -> bytes | None:
    """The last whole line that is a seal; what comes after it is cut off the file."""
    with file.open("r+b") as lines:
        size = lines.seek(0, os.SEEK_END)
        lines.seek(max(0, size - _TAIL))
        tail = lines.read()
        whole = tail[: tail.rfind(b"\n") + 1]
        if len(whole) < len(tail):
            lines.truncate(size - len(tail) + len(whole))
    found = whole.splitlines()
    if not found:
        return None
    try:
        Seal.read(found[-1])
    except InvalidMessage as error:
        raise OSError(f"the last line of {file} is no seal ({error.code})") from error
    return found[-1]


def _replace(file: Path, content: bytes) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.write_bytes(content)
    beside.replace(file)
