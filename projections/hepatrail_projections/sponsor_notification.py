"""`sponsor_notification`: when the sponsor first knew of an adverse event (`events.md` 3.8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import OriginRow, origin_columns
from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class SponsorNotificationRow(OriginRow):
    """One notification; `notified_at` is the sponsor's awareness."""

    event_id: UUID
    ae_id: UUID
    notified_at: datetime


SPONSOR_NOTIFICATION = Table("sponsor_notification", SponsorNotificationRow, ("subject_id", "event_id"))


def sponsor_notification_rows(view: SubjectView) -> tuple[SponsorNotificationRow, ...]:
    """All notifications in the log's order."""
    return tuple(
        SponsorNotificationRow(
            **origin_columns(view.subject_id, record),
            event_id=record.event_ids[0],
            ae_id=record.fact.ae_id,
            notified_at=record.fact.notified_at,
        )
        for record in view.notifications
    )
