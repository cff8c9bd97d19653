"""Checkpoints (C2SP tlog-checkpoint) and the names of this log's trees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from hepatrail_events.errors import BadSignature
from hepatrail_events.transparency.exact_base64 import decode, encode

TREES: Final = 12
"""One a partition of the events."""
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of one tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a note's text; BadSignature unless it is exactly three lines in canonical form."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise BadSignature("a checkpoint has three lines")
        try:
            checkpoint = cls(lines[0], int(lines[1]), decode(lines[2]))
        except ValueError:
            raise BadSignature("a checkpoint's size or root cannot be read") from None
        if checkpoint.size < 0 or len(checkpoint.root) != HASH_BYTES or checkpoint.text() != text:
            raise BadSignature("a checkpoint's size or root is not in canonical form")
        return checkpoint


def log_name(origin: str, genesis: str) -> str:
    """The name of a log: the operator's, and the beginning of the hash of the study's first event (hex)."""
    return f"{origin}/{genesis[:16]}"


def events_origin(log: str, partition: int) -> str:
    """The origin of a partition's tree."""
    return f"{log}/events/{partition}"


def seals_origin(log: str) -> str:
    """The origin of the tree over all seals."""
    return f"{log}/seals"


def inclusion_text(index: int, proof: Sequence[bytes], note: str) -> str:
    """A proof of inclusion as a file (C2SP tlog-proof): leaf `index` is in the tree of the checkpoint `note`."""
    return f"{PROOF_HEADER}\nindex {index}\n{_hashes(proof)}\n{note}"


def read_inclusion(text: str) -> tuple[int, tuple[bytes, ...], str]:
    """Index, proof and checkpoint note of such a file; BadSignature when it is none."""
    header, _, rest = text.partition("\n")
    if header != PROOF_HEADER:
        raise BadSignature(f"a proof of inclusion begins with {PROOF_HEADER}")
    return _read_proof(rest, "index")


def consistency_text(old_size: int, proof: Sequence[bytes], note: str) -> str:
    """A proof of consistency as a file (the body of C2SP tlog-witness add-checkpoint)."""
    return f"old {old_size}\n{_hashes(proof)}\n{note}"


def read_consistency(text: str) -> tuple[int, tuple[bytes, ...], str]:
    """Old size, proof and checkpoint note of such a file; BadSignature when it is none."""
    return _read_proof(text, "old")


def _hashes(proof: Sequence[bytes]) -> str:
    return "".join(f"{encode(each)}\n" for each in proof)


def _read_proof(text: str, word: str) -> tuple[int, tuple[bytes, ...], str]:
    head, blank, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    number = first.removeprefix(f"{word} ")
    if not blank or not first.startswith(f"{word} ") or not _is_number(number) or len(lines) > MAX_HASHES:
        raise BadSignature(f"a proof has a line '{word} <number>', at most {MAX_HASHES} hashes, and a checkpoint")
    try:
        hashes = tuple(decode(line) for line in lines)
    except ValueError:
        raise BadSignature("a hash of the proof cannot be read") from None
    if any(len(each) != HASH_BYTES for each in hashes):
        raise BadSignature("a hash of the proof has not 32 bytes")
    return int(number), hashes, note


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text == "0" or not text.startswith("0"))
