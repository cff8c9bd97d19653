"""What a proof read from the projections says: everything that is needed to verify it without them."""

from dataclasses import dataclass

from hepatrail_projections.event import EventRow


@dataclass(frozen=True, slots=True)
class InclusionRead:
    """That an event is leaf `index` of its partition's tree in the checkpoint `note` of a seal."""

    partition: int
    index: int
    seal: int
    note: str
    leaf_hash: bytes
    proof: tuple[bytes, ...]
    event: EventRow


@dataclass(frozen=True, slots=True)
class ConsistencyRead:
    """That a partition's tree in the seal `first` is a beginning of that in the seal `second`."""

    partition: int
    first: int
    second: int
    note_first: str
    note_second: str
    proof: tuple[bytes, ...]
