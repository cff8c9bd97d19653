"""`submission`: reports of adverse events handed to their recipients (`events.md` 3.8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.facts import SubjectView
from hepatrail_projections.record_columns import RecordRow, record_columns
from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class SubmissionRow(RecordRow):
    """A submission in its latest version.

    `recipient` is EC, INSTITUTION, NMPA or DEVICE_AUTHORITIES, `kind` INITIAL, FOLLOW_UP or NULLIFICATION, `reference`
    the recipient's.
    """

    submission_id: UUID
    ae_id: UUID
    recipient: str
    kind: str
    submitted_at: datetime
    reference: str | None


SUBMISSION = Table("submission", SubmissionRow, ("subject_id", "submission_id"))


def submission_rows(view: SubjectView) -> tuple[SubmissionRow, ...]:
    """All submissions in the log's order."""
    return tuple(
        SubmissionRow(
            **record_columns(view.subject_id, record),
            submission_id=submission_id,
            ae_id=record.fact.ae_id,
            recipient=record.fact.to.value,
            kind=record.fact.kind.value,
            submitted_at=record.fact.submitted_at,
            reference=record.fact.reference,
        )
        for submission_id, record in view.submissions.items()
    )
