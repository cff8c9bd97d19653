"""What auditors may ask: seals and proofs, the trail, rejected commands, the access log, reviews."""

from datetime import datetime
from uuid import UUID

import asyncpg

from hepatrail_events.errors import Broken, InvalidMessage
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.transparency.merkle import consistency_proof, inclusion_proof, leaf_hash
from hepatrail_events.transparency.tiles import node_at_of, tiles_of_proof
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import DECISIONS
from hepatrail_projections.access_record import ANY_ACCESS, AccessFilter, AccessRow, access_after
from hepatrail_projections.audit_review import AUDIT_REVIEW, AuditReviewRow
from hepatrail_projections.checkpoint_seal import SealRow, seal_of, seals_before
from hepatrail_projections.decision import ANY_REJECTED, DecisionRow, RejectedFilter, rejected_after
from hepatrail_projections.event import EVENT
from hepatrail_projections.log_tile import leaf_index, read_tiles
from hepatrail_projections.offset import complete_to_of
from hepatrail_projections.proofs import ConsistencyRead, InclusionRead
from hepatrail_projections.safety_reading import SafetyReader
from hepatrail_projections.snapshots import Page, bounded, page
from hepatrail_projections.table import Connection
from hepatrail_projections.trail.reading import TrailStates, trail_after
from hepatrail_projections.trail.row import ANY_TRAIL, TrailFilter, TrailPlace, TrailRow
from hepatrail_projections.version import PROJECTION_VERSION

MIRROR_DIFFERS = "LOG_MIRROR_DIFFERS"
"""The code of `Broken` when the database lacks what it must hold of the log; `hepatrail audit verify` says more."""


class AuditReader(SafetyReader):
    """The part of `reading.Reader` that concerns auditors. Proofs are not checked here: whoever gets one does."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock | None = None, version: int = PROJECTION_VERSION) -> None:
        super().__init__(pool, clock, version)
        self._trail_states = TrailStates()

    async def seals(self, first: int, before: int | None = None) -> Page[SealRow]:
        """Seals, the newest first, those of smaller numbers than `before`."""
        async with self._snapshot() as connection:
            return page(await seals_before(connection, before, bounded(first) + 1), first)

    async def seal(self, number: int | None = None) -> SealRow | None:
        """A seal by its number, the last one without; None when there is none."""
        async with self._snapshot() as connection:
            return await seal_of(connection, number)

    async def inclusion(self, event_id: UUID, number: int | None = None) -> InclusionRead | None:
        """That an event is in a seal, the last one without a number.

        None when there is no such event or seal, or the seal does not cover the event yet. Raises Broken when the
        tree in the database lacks what the proof is made of.
        """
        async with self._snapshot() as connection:
            events = await EVENT.where(connection, "event_id = $1", event_id, limit=1)
            seal = await seal_of(connection, number)
            if not events or seal is None:
                return None
            event = events[0]
            index = await leaf_index(connection, event.partition, event.kafka_offset)
            if index is None:
                raise Broken(f"{event.stream}@{event.streamseq} is no leaf of its tree here.", code=MIRROR_DIFFERS)
            note, size = _checkpoint(seal, event.partition)
            if index >= size:
                return None
            return InclusionRead(
                partition=event.partition,
                index=index,
                seal=seal.seal,
                note=note,
                leaf_hash=leaf_hash(event.raw),
                proof=await _inclusion(connection, event.partition, index, size),
                event=event,
            )

    async def consistency(self, partition: int, first: int, second: int) -> ConsistencyRead | None:
        """That a partition's tree in the seal `first` is a beginning of that in `second`.

        None when there is no such partition or seal, or the first is not before the second. Raises Broken when the
        later tree is the smaller one, or the tree in the database lacks what the proof is made of.
        """
        if not 0 <= partition < TREES or first > second:
            return None
        async with self._snapshot() as connection:
            one, other = await seal_of(connection, first), await seal_of(connection, second)
            if one is None or other is None:
                return None
            (note_first, begin), (note_second, end) = (_checkpoint(seal, partition) for seal in (one, other))
            if begin > end:
                raise Broken(f"The tree of partition {partition} is smaller in seal {second}.", code="SEAL_SHRINKS")
            return ConsistencyRead(
                partition=partition,
                first=first,
                second=second,
                note_first=note_first,
                note_second=note_second,
                proof=await _consistency(connection, partition, begin, end),
            )

    async def trail(
        self, first: int, after: TrailPlace | None = None, chosen: TrailFilter = ANY_TRAIL
    ) -> Page[TrailRow]:
        """Rows of the trail by place, those behind `after`, up to the moment of completeness.

        A page is shorter than asked for, and says that there are more, when 2,000 events did not fill it. It is never
        empty then, so that its last row is where the next one begins.
        """
        wanted = bounded(first) + 1
        while True:
            async with self._snapshot() as connection:
                until = await complete_to_of(connection)
                if until is None:
                    return Page((), has_next=False)
                found = await trail_after(connection, self._trail_states, after, until, chosen, wanted)
            if found.rows or found.go_on is None:
                return Page(found.rows[:first], len(found.rows) > first or found.go_on is not None)
            after = found.go_on

    async def rejected(
        self, first: int, after: tuple[datetime, int, int] | None = None, chosen: RejectedFilter = ANY_REJECTED
    ) -> Page[DecisionRow]:
        """Rejected commands by (recordedAt, partition, offset), those behind `after`, up to completeness."""
        async with self._snapshot() as connection:
            until = await complete_to_of(connection, DECISIONS)
            limit = bounded(first) + 1
            rows = [] if until is None else await rejected_after(connection, after, until, chosen, limit)
        return page(rows, first)

    async def access(self, first: int, after: int | None = None, chosen: AccessFilter = ANY_ACCESS) -> Page[AccessRow]:
        """Records of the access log in the topic's order, those behind the offset `after`."""
        async with self._snapshot() as connection:
            return page(await access_after(connection, after, chosen, bounded(first) + 1), first)

    async def reviews(self) -> list[AuditReviewRow]:
        """The reviews of the trail, in their order."""
        async with self._snapshot() as connection:
            return await AUDIT_REVIEW.where(connection, "true")


def _checkpoint(seal: SealRow, partition: int) -> tuple[str, int]:
    try:
        return seal.checkpoint(partition)
    except InvalidMessage as error:
        raise Broken(f"Seal {seal.seal} in the database is none: {error}.", code=MIRROR_DIFFERS) from None


async def _inclusion(connection: Connection, partition: int, index: int, size: int) -> tuple[bytes, ...]:
    tiles = await read_tiles(connection, partition, tiles_of_proof(size, index=index))
    try:
        return inclusion_proof(node_at_of(lambda level, number: tiles[level, number]), index, size)
    except KeyError:
        raise _lacking(partition) from None


async def _consistency(connection: Connection, partition: int, first: int, second: int) -> tuple[bytes, ...]:
    tiles = await read_tiles(connection, partition, tiles_of_proof(second, first=first))
    try:
        return consistency_proof(node_at_of(lambda level, number: tiles[level, number]), first, second)
    except KeyError:
        raise _lacking(partition) from None


def _lacking(partition: int) -> Broken:
    return Broken(f"The tree of partition {partition} in the database has gaps.", code=MIRROR_DIFFERS)
