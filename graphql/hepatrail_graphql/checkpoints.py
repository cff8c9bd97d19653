"""Seals of the log, and proofs that an event is in one and that one goes on from another (AUD-06; RFC 6962).

A proof is checked here against the root in its checkpoint before it is answered, so that a database that was altered
gives an error, never a proof that does not hold. Who made the checkpoint is for the reader to check, with a key that
they have not from us: the notes are answered as they were signed.
"""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from hepatrail_events.errors import BadSignature, Broken, InvalidMessage
from hepatrail_events.transparency.checkpoint import (
    TREES,
    Checkpoint,
    consistency_text,
    inclusion_text,
)
from hepatrail_events.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from hepatrail_events.transparency.seal import Seal
from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.context import Info
from hepatrail_graphql.cursors import number_cursor, read_number_cursor
from hepatrail_graphql.enums import SealReason
from hepatrail_graphql.errors import bad_input, mirror_differs
from hepatrail_graphql.paging import Connection, Edge, PageInfo, check_first, last_cursor
from hepatrail_graphql.refusals import allow_whole_log, record_reading
from hepatrail_graphql.scalars import Version
from hepatrail_projections.checkpoint_seal import SealRow
from hepatrail_projections.proofs import ConsistencyRead, InclusionRead


@strawberry.type(description="The checkpoint of one tree in a seal.")
class SealedTree:
    """The checkpoint of one tree in a seal."""

    origin: str = strawberry.field(description="Name of the tree, and of the key that signs it.")
    size: Version = strawberry.field(description="How many leaves it has: committed events of the partition.")
    root_hash: str = strawberry.field(description="Its root, base64 of 32 bytes.")
    note: str = strawberry.field(description="The checkpoint as it was signed (C2SP signed-note, tlog-checkpoint).")


@strawberry.type(description="The checkpoints of all partitions of the event log at one moment, signed together.")
class CheckpointSeal:
    """The checkpoints of all partitions at one moment."""

    seal: int = strawberry.field(description="Its number: 1, 2, 3 and so on without a gap.")
    at: datetime = strawberry.field(description="When it was made.")
    reason: SealReason = strawberry.field(description="Why it was made.")
    log: str = strawberry.field(description="Name of the log.")
    hash: str = strawberry.field(description="SHA-256 of the record's bytes; the next seal carries it.")
    previous_hash: str = strawberry.field(description="The hash of the seal before; zeros in the first.")
    asked: list[str] = strawberry.field(description="Access records `<instance>/<seq>` that asked for it.")
    trees: list[SealedTree] = strawberry.field(description="The checkpoints, by partition of `hepatrail.events`.")
    history: SealedTree = strawberry.field(description="The checkpoint over all seals up to this one.")
    producer: str = strawberry.field(description="The program that made it.")
    record: str = strawberry.field(description="The record whole, as JSON text: keep it, and check the log against it.")


@strawberry.type(description="That an event is in a checkpoint: all that is needed to check it without us.")
class InclusionProof:
    """That an event is in a checkpoint."""

    seal: int = strawberry.field(description="The seal that holds the checkpoint.")
    origin: str = strawberry.field(description="Name of the tree.")
    tree_size: Version = strawberry.field(description="How many leaves the tree has.")
    root_hash: str = strawberry.field(description="Its root, base64 of 32 bytes.")
    leaf_index: Version = strawberry.field(description="Which leaf the event is, from 0.")
    leaf_hash: str = strawberry.field(description="SHA-256 of 0x00 and the event's bytes, base64.")
    hashes: list[str] = strawberry.field(description="The path from the leaf's sibling to the root, base64.")
    note: str = strawberry.field(description="The checkpoint as it was signed.")
    text: str = strawberry.field(description="The proof as a file that existing tools read (C2SP tlog-proof).")


@strawberry.type(description="That a partition's tree in one seal is a beginning of that in a later one.")
class ConsistencyProof:
    """That nothing of the earlier tree was altered or taken away."""

    from_seal: int = strawberry.field(description="The earlier seal.")
    to_seal: int = strawberry.field(description="The later seal.")
    origin: str = strawberry.field(description="Name of the tree.")
    from_size: Version = strawberry.field(description="How many leaves it had.")
    to_size: Version = strawberry.field(description="How many leaves it has.")
    hashes: list[str] = strawberry.field(description="The proof (RFC 9162 2.1.4), base64; none when nothing was added.")
    from_note: str = strawberry.field(description="The earlier checkpoint as it was signed.")
    to_note: str = strawberry.field(description="The later checkpoint as it was signed.")
    text: str = strawberry.field(description="The proof as existing witnesses take it (C2SP tlog-witness).")


async def checkpoint_seals(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many, 1 to 200.")],
    after: Annotated[str | None, strawberry.argument(description="Those behind this cursor: earlier ones.")] = None,
) -> Connection[CheckpointSeal]:
    """The seals of the log, the newest first; each reading is on record."""
    context = info.context
    await allow_whole_log(context, QUERIES, "checkpointSeals")
    check_first(first)
    before = None if after is None else read_number_cursor(after)
    await record_reading(context, "checkpointSeals", first=first, after=after)
    page = await context.services.reader.seals(first, before)
    edges = [Edge(cursor=number_cursor(row.seal), node=_seal(row)) for row in page.items]
    return Connection(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=last_cursor(edges)))


async def inclusion_proof(
    info: Info,
    event_id: Annotated[UUID, strawberry.argument(description="The event.")],
    seal: Annotated[int | None, strawberry.argument(description="In this seal; null: in the last.")] = None,
) -> InclusionProof | None:
    """That an event is in a seal; null when there is no such event or seal, or the seal is older than the event."""
    context = info.context
    await allow_whole_log(context, QUERIES, "inclusionProof")
    _check_seal(seal, "seal")
    await record_reading(context, "inclusionProof", eventId=str(event_id), seal=seal)
    with _mirrored():
        found = await context.services.reader.inclusion(event_id, seal)
    return None if found is None else _inclusion(found)


async def consistency_proof(
    info: Info,
    partition: Annotated[int, strawberry.argument(description="Partition of `hepatrail.events`, 0 to 11.")],
    from_seal: Annotated[int, strawberry.argument(description="The earlier seal.")],
    to_seal: Annotated[int, strawberry.argument(description="The later seal.")],
) -> ConsistencyProof | None:
    """That a partition's tree in one seal is a beginning of that in a later one; null when there is no such seal."""
    context = info.context
    await allow_whole_log(context, QUERIES, "consistencyProof")
    if not 0 <= partition < TREES:
        raise bad_input(f"partition must be 0 to {TREES - 1}.", field="partition", rule=f"0..{TREES - 1}")
    _check_seal(from_seal, "fromSeal")
    if from_seal > to_seal:
        raise bad_input("toSeal must not be before fromSeal.", field="toSeal", rule="fromSeal<=toSeal")
    await record_reading(context, "consistencyProof", partition=partition, fromSeal=from_seal, toSeal=to_seal)
    with _mirrored():
        found = await context.services.reader.consistency(partition, from_seal, to_seal)
    return None if found is None else _consistency(found)


@contextmanager
def _mirrored() -> Iterator[None]:
    """What the database lacks or has otherwise than the log is the caller's to know: LOG_MIRROR_DIFFERS."""
    try:
        yield
    except (Broken, InvalidMessage) as error:
        raise mirror_differs(str(error)) from None


def _check_seal(seal: int | None, field: str) -> None:
    if seal is not None and seal < 1:
        raise bad_input("Seals are numbered from 1.", field=field, rule=">=1")


def _checkpoint(note: str) -> Checkpoint:
    text, _, _ = note.rpartition("\n\n")
    try:
        return Checkpoint.parse(f"{text}\n")
    except BadSignature as error:
        raise mirror_differs(f"The database holds a checkpoint that is none: {error}.") from None


def _tree(note: str) -> SealedTree:
    checkpoint = _checkpoint(note)
    return SealedTree(
        origin=checkpoint.origin, size=Version(checkpoint.size), root_hash=_base64(checkpoint.root), note=note
    )


def _seal(row: SealRow) -> CheckpointSeal:
    with _mirrored():
        seal = Seal.read(row.raw)
    return CheckpointSeal(
        seal=row.seal,
        at=row.at,
        reason=SealReason(row.reason),
        log=row.log,
        hash=row.hash,
        previous_hash=seal.prevhash,
        asked=list(seal.asked),
        trees=[_tree(note) for note in seal.checkpoints],
        history=_tree(seal.history),
        producer=seal.producer,
        record=row.raw.decode(),
    )


def _inclusion(found: InclusionRead) -> InclusionProof:
    tree, leaf = _checkpoint(found.note), leaf_hash(found.event.raw)
    holds = verify_inclusion(leaf, found.index, tree.size, found.proof, tree.root)
    if leaf != found.leaf_hash or not holds:
        raise mirror_differs(f"The event in the database is not leaf {found.index} of {tree.origin} as sealed.")
    return InclusionProof(
        seal=found.seal,
        origin=tree.origin,
        tree_size=Version(tree.size),
        root_hash=_base64(tree.root),
        leaf_index=Version(found.index),
        leaf_hash=_base64(leaf),
        hashes=_all_base64(found.proof),
        note=found.note,
        text=inclusion_text(found.index, found.proof, found.note),
    )


def _consistency(found: ConsistencyRead) -> ConsistencyProof:
    first, second = _checkpoint(found.note_first), _checkpoint(found.note_second)
    holds = verify_consistency(first.size, second.size, first.root, second.root, found.proof)
    if first.origin != second.origin or not holds:
        raise mirror_differs(f"{second.origin} in the database does not go on from seal {found.first} as sealed.")
    return ConsistencyProof(
        from_seal=found.first,
        to_seal=found.second,
        origin=second.origin,
        from_size=Version(first.size),
        to_size=Version(second.size),
        hashes=_all_base64(found.proof),
        from_note=found.note_first,
        to_note=found.note_second,
        text=consistency_text(first.size, found.proof, found.note_second),
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _all_base64(hashes: Sequence[bytes]) -> list[str]:
    return [_base64(each) for each in hashes]
