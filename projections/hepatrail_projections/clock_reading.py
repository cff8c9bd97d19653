"""The reporting clocks of the whole trial, the earliest due first (`safety.md` 5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hepatrail_projections.clinical.reporting.clock import IN_HOURS, ClockStatus
from hepatrail_projections.reporting_clock import REPORTING_CLOCK, ReportingClockRow, clock_of
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.subject_reading import rows_of
from hepatrail_projections.table import Connection

_IN_TIME = "CASE WHEN type = ANY ($2) THEN {at} <= due_at ELSE {at} < due_at END"
STATUS = (
    f"CASE WHEN met_at IS NOT NULL THEN CASE WHEN {_IN_TIME.format(at='met_at')} THEN 'MET' ELSE 'MET_LATE' END "
    "WHEN cancelled_at IS NOT NULL THEN 'CANCELLED' "
    f"WHEN {_IN_TIME.format(at='$1::timestamptz')} THEN 'RUNNING' ELSE 'BREACHED' END"
)
"""`Clock.status` of a row at the instant $1, $2 being the clocks in hours."""


@dataclass(frozen=True, slots=True)
class ClockFilter:
    """Which clocks are listed; None: any."""

    statuses: frozenset[ClockStatus] | None = None
    types: frozenset[str] | None = None
    subject_id: str | None = None
    ae_id: UUID | None = None
    sites: frozenset[str] | None = None

    def admits(self, row: ReportingClockRow, at: datetime) -> bool:
        """Whether a clock is among them at an instant."""
        return (
            (self.statuses is None or clock_of(row).status(at) in self.statuses)
            and (self.types is None or row.type in self.types)
            and self.subject_id in (None, row.subject_id)
            and self.ae_id in (None, row.ae_id)
            and (self.sites is None or row.site_id in self.sites)
        )


ANY_CLOCK = ClockFilter()


async def clocks_of_trial(
    connection: Connection,
    study: StudyView,
    at: datetime,
    after: tuple[datetime, UUID] | None,
    chosen: ClockFilter,
    limit: int,
) -> list[ReportingClockRow]:
    """Clocks behind (due, id), in that order, as they stand at an instant (aware).

    The tables stand under the protocol version of the last event; the clocks of participants for whom another has
    taken effect since are derived anew.
    """
    stale = await _stale(connection, study, at)
    derived = await rows_of(connection, stale, study, None, at) if stale else {}
    again = [
        row
        for each in derived.values()
        for row in each.rows.clocks
        if (after is None or _place(row) > after) and chosen.admits(row, at)
    ]
    stored = await _stored(connection, at, after, chosen, limit, stale)
    return sorted((*stored, *again), key=_place)[:limit]


async def _stored(
    connection: Connection,
    at: datetime,
    after: tuple[datetime, UUID] | None,
    chosen: ClockFilter,
    limit: int,
    without: Sequence[str],
) -> list[ReportingClockRow]:
    due_at, clock_id = after or (None, None)
    return await REPORTING_CLOCK.where(
        connection,
        f"($3::text[] IS NULL OR {STATUS} = ANY ($3)) AND ($4::text[] IS NULL OR type = ANY ($4)) "
        "AND ($5::text IS NULL OR subject_id = $5) AND ($6::uuid IS NULL OR ae_id = $6) "
        "AND ($7::text[] IS NULL OR site_id = ANY ($7)) "
        "AND ($8::timestamptz IS NULL OR (due_at, clock_id) > ($8, $9::uuid)) AND subject_id <> ALL ($10)",
        at,
        sorted(each.value for each in IN_HOURS),
        None if chosen.statuses is None else sorted(each.value for each in chosen.statuses),
        None if chosen.types is None else sorted(chosen.types),
        chosen.subject_id,
        chosen.ae_id,
        None if chosen.sites is None else sorted(chosen.sites),
        due_at,
        clock_id,
        list(without),
        order="due_at, clock_id",
        limit=limit,
    )


async def _stale(connection: Connection, study: StudyView, at: datetime) -> list[str]:
    published = study.published_at(at)
    version = None if published is None else published.version
    rows = await connection.fetch(
        "SELECT subject_id FROM subject WHERE protocol_version IS DISTINCT FROM $1::text ORDER BY subject_id", version
    )
    return [row["subject_id"] for row in rows]


def _place(row: ReportingClockRow) -> tuple[datetime, UUID]:
    return row.due_at, row.clock_id
