"""Proofs out of the log itself: that an event is in what was sealed, and that one seal's tree continues another's.

Each is verified here before it is handed out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hepatrail_events.codec import parse_object
from hepatrail_events.errors import BadSignature, Broken, InvalidMessage, StartRefused
from hepatrail_events.transparency.checkpoint import Checkpoint, consistency_text, inclusion_text
from hepatrail_events.transparency.merkle import (
    consistency_proof,
    inclusion_proof,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from hepatrail_events.transparency.seal import Opened, Seal, open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS, PARTITIONS
from hepatrail_services.audit.leaves import LeafStore, leaves_of
from hepatrail_services.audit.source import LogSource
from hepatrail_services.audit.study_keys import StudyKeys


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Leaf `index` is in the tree of `checkpoint`, which is the partition's of seal `seal`; `text` is the file."""

    seal: int
    index: int
    checkpoint: Checkpoint
    text: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """The tree of `first` is a beginning of that of `second`; `text` is the file."""

    first: Checkpoint
    second: Checkpoint
    text: str


class Seals:
    """The seals of a log, opened under the keys that its study has published."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._publics: tuple[bytes, ...] | None = None

    async def open(self, number: int | None = None) -> Opened:
        """A seal, None for the last one.

        StartRefused when there is none, Broken when its signatures are not the study's. Raises Unavailable.
        """
        found: Seal | None = None
        async for rows in self._source.rows(CHECKPOINTS, 0):
            for seal in _seals(value for _, _, value in rows):
                if (number is None and (found is None or seal.seal > found.seal)) or (
                    seal.seal == number and found is None
                ):
                    found = seal
        if found is None:
            raise StartRefused("There is no seal." if number is None else f"There is no seal {number}.")
        try:
            return open_seal(found, await self._keys())
        except BadSignature as error:
            raise Broken(f"BAD_SIGNATURE in seal {found.seal}: {error}", code="BAD_SIGNATURE") from None

    async def _keys(self) -> Sequence[bytes]:
        if self._publics is None:
            keys = StudyKeys(self._source)
            await keys.read_on()
            self._publics = tuple(key.public for key in keys.keys)
        return self._publics


async def prove_inclusion(
    source: LogSource, event_id: UUID, *, partitions: Iterable[int] = range(PARTITIONS), number: int | None = None
) -> Inclusion:
    """That the event is in seal `number`, None for the last; looked for in these partitions.

    StartRefused when there is no such event or seal, or the seal is older; Broken when the log is not what was sealed.
    """
    opened = await Seals(source).open(number)
    partition, offset, value = await _find(source, event_id, partitions)
    leaves = await leaves_of(source, partition)
    tree = opened.trees[partition]
    _hold_to(leaves, tree, partition, opened.seal.seal)
    index = leaves.index_of(offset)
    if index is None or index >= tree.size:
        raise StartRefused(f"Event {event_id} is not in seal {opened.seal.seal}, which was made before it.")
    proof = inclusion_proof(leaves.node_at, index, tree.size)
    single = LeafStore()
    single.append(offset, value)
    if not verify_inclusion(single.node_at(0, 0), index, tree.size, proof, tree.root):
        raise Broken(f"ROOT_MISMATCH: the proof of event {event_id} does not hold", code="ROOT_MISMATCH")
    text = inclusion_text(index, proof, opened.seal.checkpoints[partition])
    return Inclusion(opened.seal.seal, index, tree, text)


async def prove_consistency(source: LogSource, partition: int, first: int, second: int) -> Consistency:
    """That the partition's tree of seal `second` continues that of seal `first`; errors as `prove_inclusion`."""
    if first > second:
        raise StartRefused(f"Seal {first} was made after seal {second}.")
    seals = Seals(source)
    old, new = await seals.open(first), await seals.open(second)
    leaves = await leaves_of(source, partition)
    before, after = old.trees[partition], new.trees[partition]
    _hold_to(leaves, before, partition, first)
    _hold_to(leaves, after, partition, second)
    if before.size > after.size:
        raise Broken(f"SEAL_SHRINKS: seal {second} covers fewer events than seal {first}", code="SEAL_SHRINKS")
    proof = consistency_proof(leaves.node_at, before.size, after.size)
    if not verify_consistency(before.size, after.size, before.root, after.root, proof):
        raise Broken(f"ROOT_MISMATCH: seal {second} does not continue seal {first}", code="ROOT_MISMATCH")
    return Consistency(before, after, consistency_text(before.size, proof, new.seal.checkpoints[partition]))


def _hold_to(leaves: LeafStore, tree: Checkpoint, partition: int, seal: int) -> None:
    place = f"{EVENTS}/{partition}"
    if len(leaves) < tree.size:
        missing = tree.size - len(leaves)
        raise Broken(f"LOG_SHORTER at {place}: {missing} events of seal {seal} are missing", code="LOG_SHORTER")
    if root_at(leaves.node_at, tree.size) != tree.root:
        message = f"the first {tree.size} events are not those of seal {seal}"
        raise Broken(f"ROOT_MISMATCH at {place}: {message}", code="ROOT_MISMATCH")


async def _find(source: LogSource, event_id: UUID, partitions: Iterable[int]) -> tuple[int, int, bytes]:
    """Partition, offset and value of the event."""
    text = str(event_id)
    mark = text.encode()
    for partition in partitions:
        async for rows in source.rows(EVENTS, partition):
            for offset, _, value in rows:
                if value is not None and mark in value and _id_of(value) == text:
                    return partition, offset, value
    raise StartRefused(f"There is no event {event_id} in the log.")


def _id_of(value: bytes) -> object:
    try:
        return parse_object(value).get("id")
    except InvalidMessage:
        return None


def _seals(values: Iterable[bytes | None]) -> Iterable[Seal]:
    for value in values:
        try:
            yield Seal.read(value or b"")
        except InvalidMessage:
            continue
