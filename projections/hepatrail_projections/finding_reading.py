"""Findings of the whole trial, now from the table, as of an instant derived anew, in one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.safety_finding import SAFETY_FINDING, FindingStatus, SafetyFindingRow
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject import SUBJECT
from hepatrail_projections.subject_reading import rows_of
from hepatrail_projections.table import Connection

_AT_ONCE = 16
"""How many participants are derived anew before it is seen whether a page is full."""


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings are listed; None: any. `kinds` are `FindingKind`s; `open` asks for open or for closed ones."""

    sites: frozenset[str] | None = None
    subject_id: str | None = None
    kinds: frozenset[str] | None = None
    open: bool | None = None

    @property
    def status(self) -> str | None:
        """The status asked for."""
        if self.open is None:
            return None
        return (FindingStatus.OPEN if self.open else FindingStatus.CLOSED).value

    def admits(self, row: SafetyFindingRow) -> bool:
        """Whether a row is listed; the same as the statement of `findings_after`."""
        return (
            (self.sites is None or row.site_id in self.sites)
            and self.subject_id in (None, row.subject_id)
            and (self.kinds is None or row.kind in self.kinds)
            and self.status in (None, row.status)
        )


ANY_FINDING = FindingFilter()


async def findings_after(
    connection: Connection, after: tuple[str, UUID] | None, chosen: FindingFilter, at: datetime, limit: int
) -> list[SafetyFindingRow]:
    """Findings that are listed by an instant, behind (participant, finding), in that order, from the table."""
    subject_id, finding_id = after or (None, None)
    return await SAFETY_FINDING.where(
        connection,
        "($1::text IS NULL OR (subject_id, finding_id) > ($1, $2::uuid)) AND opened_at <= $3 "
        "AND ($4::text[] IS NULL OR site_id = ANY ($4)) AND ($5::text IS NULL OR subject_id = $5) "
        "AND ($6::text[] IS NULL OR kind = ANY ($6)) AND ($7::text IS NULL OR status = $7)",
        subject_id,
        finding_id,
        at,
        None if chosen.sites is None else sorted(chosen.sites),
        chosen.subject_id,
        None if chosen.kinds is None else sorted(chosen.kinds),
        chosen.status,
        limit=limit,
    )


async def findings_as_of(
    connection: Connection,
    study: StudyView,
    after: tuple[str, UUID] | None,
    chosen: FindingFilter,
    as_of: datetime,
    limit: int,
) -> list[SafetyFindingRow]:
    """The same as of an instant: participant after participant as `rows_of` derives them, until the page is full."""
    found: list[SafetyFindingRow] = []
    subject_ids = await _subjects(connection, after, chosen)
    for begin in range(0, len(subject_ids), _AT_ONCE):
        some = subject_ids[begin : begin + _AT_ONCE]
        derived = await rows_of(connection, some, study, as_of, as_of)
        rows = (row for each in some if each in derived for row in derived[each].rows.findings)
        found += [row for row in rows if chosen.admits(row) and (after is None or _place(row) > after)]
        if len(found) >= limit:
            break
    return found[:limit]


async def _subjects(connection: Connection, after: tuple[str, UUID] | None, chosen: FindingFilter) -> Sequence[str]:
    rows = await SUBJECT.where(
        connection,
        "($1::text IS NULL OR subject_id >= $1) AND ($2::text IS NULL OR subject_id = $2) "
        "AND ($3::text[] IS NULL OR site_id = ANY ($3))",
        None if after is None else after[0],
        chosen.subject_id,
        None if chosen.sites is None else sorted(chosen.sites),
    )
    return [row.subject_id for row in rows]


def _place(row: SafetyFindingRow) -> tuple[str, UUID]:
    return row.subject_id, row.finding_id
