"""`sealing_key`: the keys that may sign seals, in the order of their publication."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class SealingKeyRow:
    """One key, 32 bytes in base64."""

    streamseq: int
    public_key: str
    reason: str
    published_at: datetime
    published_by: str
    event_ids: tuple[UUID, ...]


SEALING_KEY = Table("sealing_key", SealingKeyRow, ("streamseq",))
