"""A seal: the checkpoints of all partitions at one moment, and its place in the tree over all seals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from pydantic import Field

from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.errors import BadSignature
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint, events_origin, seals_origin
from hepatrail_events.transparency.merkle import Frontier, leaf_hash
from hepatrail_events.transparency.note import SigningKey, VerifierKey, open_note
from hepatrail_events.types import Fact, Instant, read_fact

NO_SEAL: Final = "0" * 64
"""What the first seal names as the hash of the one before."""


class SealReason(StrEnum):
    """Why a seal was made."""

    START = "START"
    INTERVAL = "INTERVAL"
    ALERT = "ALERT"
    DEMAND = "DEMAND"
    ROTATION = "ROTATION"


class Seal(Fact):
    """One record of `hepatrail.checkpoints`: a signed note a partition, and one over all seals up to this."""

    seal: int = Field(ge=1, description="Number, without gaps")
    log: str = Field(max_length=200, description="Name of the log")
    at: Instant
    reason: SealReason
    asked: tuple[str, ...] = Field(default=(), description="Access records `<instance>/<seq>` that asked for it")
    prevhash: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the record before")
    checkpoints: tuple[str, ...] = Field(min_length=TREES, max_length=TREES, description="Notes, by partition")
    producer: str
    history: str = Field(description="Note over all seals up to this one; its leaf is `body_bytes`")

    def raw(self) -> bytes:
        """The record's value."""
        return canonical_json(self.payload())

    def body_bytes(self) -> bytes:
        """The leaf of the tree over all seals: everything but `history`."""
        return canonical_json({name: value for name, value in self.payload().items() if name != "history"})

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Reads a record's value; NotJson or InvalidEnvelope when it is none."""
        return read_fact(cls, parse_object(raw))


@dataclass(frozen=True, slots=True)
class Opened:
    """A seal whose signatures hold: its checkpoints, its own place, and the public keys that signed."""

    seal: Seal
    trees: tuple[Checkpoint, ...]
    history: Checkpoint
    signers: frozenset[bytes]


def verifier_keys(log: str, public: bytes) -> tuple[VerifierKey, ...]:
    """The 13 keys of one public key: partitions 0 to 11, then seals."""
    origins = (*(events_origin(log, partition) for partition in range(TREES)), seals_origin(log))
    return tuple(VerifierKey(origin, public) for origin in origins)


def open_seal(seal: Seal, publics: Iterable[bytes], known: Mapping[str, Checkpoint] | None = None) -> Opened:
    """Verifies all 13 notes, each under any of these public keys.

    `known` are notes that were verified before. Raises BadSignature naming the origin, also for a wrong origin or a
    history that does not end with this seal.
    """
    keys = tuple(publics)
    signers = set[bytes]()
    trees = tuple(
        _opened(note, events_origin(seal.log, partition), keys, known or {}, signers)
        for partition, note in enumerate(seal.checkpoints)
    )
    history = _opened(seal.history, seals_origin(seal.log), keys, {}, signers)
    if history.size != seal.seal:
        raise BadSignature(f"{history.origin}: a history of {history.size} seals stands in seal {seal.seal}")
    return Opened(seal, trees, history, frozenset(signers))


def _opened(
    note: str, origin: str, publics: Sequence[bytes], known: Mapping[str, Checkpoint], signers: set[bytes]
) -> Checkpoint:
    checkpoint = known.get(note)
    if checkpoint is None:
        checkpoint = _verified(note, origin, publics, signers)
    if checkpoint.origin != origin:
        raise BadSignature(f"{origin}: the checkpoint is of {checkpoint.origin}")
    return checkpoint


def _verified(note: str, origin: str, publics: Sequence[bytes], signers: set[bytes]) -> Checkpoint:
    error: BadSignature | None = None
    for public in publics:
        try:
            text = open_note(note, (VerifierKey(origin, public),))
        except BadSignature as refused:
            error = error or refused
        else:
            signers.add(public)
            return Checkpoint.parse(text)
    raise BadSignature(f"{origin}: {error or 'there is no key to verify it'}")


def make_seal(
    *,
    log: str,
    number: int,
    at: datetime,
    reason: SealReason,
    asked: Sequence[str],
    prevhash: str,
    trees: Sequence[tuple[int, bytes]],
    before: Frontier,
    producer: str,
    key: SigningKey,
) -> Seal:
    """A signed seal over `trees`, size and root by partition; `before` is the frontier over the seals so far.

    `before` stays as it is; ValueError when it does not hold `number` - 1 seals.
    """
    if before.size != number - 1:
        raise ValueError(f"seal {number} comes after {number - 1} seals, not after {before.size}")
    notes = tuple(
        key.sign(origin, Checkpoint(origin, size, root).text())
        for partition, (size, root) in enumerate(trees)
        for origin in (events_origin(log, partition),)
    )
    unsigned = Seal(
        seal=number,
        log=log,
        at=at,
        reason=reason,
        asked=tuple(asked),
        prevhash=prevhash,
        checkpoints=notes,
        producer=producer,
        history="",
    )
    history = before.copy()
    history.append(leaf_hash(unsigned.body_bytes()))
    origin = seals_origin(log)
    note = key.sign(origin, Checkpoint(origin, history.size, history.root()).text())
    return unsigned.model_copy(update={"history": note})
