"""`checkpoint_seal`: every seal of the log, as it was written.

A seal is shown, not judged, here: whether its signatures hold and who may sign, `hepatrail audit verify` says.
"""

from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import BadSignature, InvalidPayload
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.seal import Seal
from hepatrail_projections.table import MAX_BIGINT, Connection, Json, Table


@dataclass(frozen=True, slots=True)
class SealRow:
    """One seal; `hash` is the SHA-256 of `raw` in hex, `sizes` the leaves of each partition's tree."""

    seal: int
    at: datetime
    reason: str
    log: str
    hash: str
    sizes: Json
    raw: bytes
    kafka_offset: int

    def checkpoint(self, partition: int) -> tuple[str, int]:
        """A partition's note, and the leaves of its tree, from the bytes; InvalidMessage when they are no seal."""
        note = Seal.read(self.raw).checkpoints[partition]
        return note, _size(note)


CHECKPOINT_SEAL = Table("checkpoint_seal", SealRow, ("seal",), append_only=True, places=("kafka_offset",))


def seal_row(raw: bytes, offset: int) -> SealRow:
    """The row of a record of `hepatrail.checkpoints`; InvalidMessage when it is no seal."""
    seal = Seal.read(raw)
    sizes = [_size(note) for note in seal.checkpoints]
    if "\0" in seal.log or max(seal.seal, *sizes) > MAX_BIGINT:
        raise InvalidPayload("the seal's log, number or sizes cannot be kept")
    return SealRow(
        seal=seal.seal,
        at=seal.at,
        reason=seal.reason.value,
        log=seal.log,
        hash=sha256_hex(raw),
        sizes=sizes,
        raw=raw,
        kafka_offset=offset,
    )


def _size(note: str) -> int:
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").size
    except BadSignature as error:
        raise InvalidPayload(f"a checkpoint of the seal cannot be read: {error}") from None


async def last_seal_number(connection: Connection) -> int:
    """The number of the last seal, 0 before any."""
    return int(await connection.fetchval("SELECT coalesce(max(seal), 0) FROM checkpoint_seal"))


async def seal_of(connection: Connection, number: int | None = None) -> SealRow | None:
    """A seal by its number, the last one without; None when there is none."""
    rows = await CHECKPOINT_SEAL.where(
        connection, "$1::bigint IS NULL OR seal = $1", number, order="seal DESC", limit=1
    )
    return rows[0] if rows else None


async def seals_before(connection: Connection, before: int | None, limit: int) -> list[SealRow]:
    """Seals of smaller numbers than `before`, all without, newest first."""
    return await CHECKPOINT_SEAL.where(
        connection, "$1::bigint IS NULL OR seal < $1", before, order="seal DESC", limit=limit
    )
