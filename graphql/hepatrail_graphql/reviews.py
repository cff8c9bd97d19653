"""Reviews of the audit trail: which periods an auditor has gone through, and by which seal (AUD-10)."""

from datetime import datetime

import strawberry

from hepatrail_graphql.authorize import QUERIES
from hepatrail_graphql.common import Provenance, provenance
from hepatrail_graphql.context import Info
from hepatrail_graphql.fields import of_row
from hepatrail_graphql.refusals import allow_whole_log, record_reading
from hepatrail_projections.audit_review import AuditReviewRow


@strawberry.type(description="That an auditor has reviewed what was recorded in a period; `reviewAuditTrail` says so.")
class AuditTrailReview:
    """That an auditor has reviewed what was recorded in a period."""

    row: strawberry.Private[AuditReviewRow]

    period_from: datetime = of_row("period_from", "Begin of the period.", name="from")
    period_to: datetime = of_row("period_to", "End of the period.", name="to")
    seal: int | None = of_row("seal", "The seal up to which the log was reviewed, where the auditor stated it.")
    seal_hash: str | None = of_row("seal_hash", "SHA-256 of that seal's record: what exactly was reviewed.")
    findings: str | None = of_row("findings", "What was found.")
    reviewed_at: datetime = of_row("reviewed_at", "When the review was recorded.")
    reviewed_by: str = of_row("reviewed_by", "The auditor's account.")
    provenance: Provenance = of_row(
        lambda row: provenance("study", row.event_ids), "The event that the review rests on."
    )


async def audit_trail_reviews(info: Info) -> list[AuditTrailReview]:
    """The periods that were reviewed, in the order of the reviews; each reading is on record."""
    context = info.context
    await allow_whole_log(context, QUERIES, "auditTrailReviews")
    await record_reading(context, "auditTrailReviews")
    return [AuditTrailReview(row=row) for row in await context.services.reader.reviews()]
