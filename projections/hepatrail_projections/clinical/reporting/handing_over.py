"""Which report was handed to whom, and when, by what is known at a moment (`safety.md` 5.2, column Met by)."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hepatrail_events.submissions import Recipient, SubmissionKind, SubmissionRecorded
from hepatrail_projections.clinical.reporting.moments import Moment
from hepatrail_projections.corrections import Record

INITIAL = frozenset({SubmissionKind.INITIAL})
FOLLOW_UP = frozenset({SubmissionKind.FOLLOW_UP})
NULLIFICATION = frozenset({SubmissionKind.NULLIFICATION})
REPORT = INITIAL | FOLLOW_UP
"""What tells of an event; a nullification takes back."""


class Handed(NamedTuple):
    """A report that was handed over: when, and by which records' events that is known."""

    at: datetime
    submission_ids: tuple[UUID, ...]
    event_ids: tuple[UUID, ...]


def handed_over(
    now: Moment,
    to: Recipient,
    kinds: Collection[SubmissionKind],
    since: datetime | None = None,
    until: datetime | None = None,
    besides: Collection[UUID] = (),
) -> Handed | None:
    """The first report of these kinds to a recipient in [since, until], `besides` not counted; None: there is none."""
    fitting = [
        each
        for each in _to(now, to)
        if each.fact.kind in kinds
        and (since is None or each.fact.submitted_at >= since)
        and (until is None or each.fact.submitted_at <= until)
        and each.fact.submission_id not in besides
    ]
    if not fitting:
        return None
    first = min(fitting, key=lambda each: each.fact.submitted_at)
    return Handed(first.fact.submitted_at, (first.fact.submission_id,), first.event_ids)


def both(one: Handed | None, other: Handed | None) -> Handed | None:
    """A report that has two recipients is handed over with the later submission."""
    if one is None or other is None:
        return None
    return Handed(
        max(one.at, other.at),
        (*one.submission_ids, *other.submission_ids),
        (*one.event_ids, *other.event_ids),
    )


def _to(now: Moment, recipient: Recipient) -> Iterator[Record[SubmissionRecorded]]:
    return (each for each in now.submissions if each.fact.to is recipient)
