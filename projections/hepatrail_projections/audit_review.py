"""`audit_review`: the periods of the trail that an auditor has reviewed (AUD-10)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class AuditReviewRow:
    """One review; `seal` and `seal_hash` name what exactly was reviewed, where the auditor stated it."""

    streamseq: int
    period_from: datetime
    period_to: datetime
    seal: int | None
    seal_hash: str | None
    findings: str | None
    reviewed_at: datetime
    reviewed_by: str
    event_ids: tuple[UUID, ...]


AUDIT_REVIEW = Table("audit_review", AuditReviewRow, ("streamseq",))
