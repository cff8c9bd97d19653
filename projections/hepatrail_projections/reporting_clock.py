"""`reporting_clock`: what must be reported to whom by when, and whether it was (`safety.md` 5.2).

How a clock stands depends on the instant of asking and is never stored: `clock_of(row).status(at)` says it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from uuid import UUID

from hepatrail_projections.clinical.reporting.clock import Clock, ClockType
from hepatrail_projections.facts import SubjectView
from hepatrail_projections.known_clocks import touched_since
from hepatrail_projections.safety_course import clocks_of
from hepatrail_projections.study_view import StudyView
from hepatrail_projections.table import Table


@dataclass(frozen=True, slots=True)
class ReportingClockRow:
    """One clock, field by field as `Clock` describes it, with the site at which the participant is."""

    subject_id: str
    clock_id: UUID
    site_id: str | None
    ae_id: UUID
    type: str
    start_commit_id: UUID
    started_at: datetime
    day0: date | None
    due_at: datetime
    warn_at: datetime
    opened_at: datetime
    changed_at: datetime
    provisional: bool
    protocol_version: str
    met_at: datetime | None
    met_recorded_at: datetime | None
    cancelled_at: datetime | None
    start_event_ids: tuple[UUID, ...]
    met_event_ids: tuple[UUID, ...]
    cancel_event_ids: tuple[UUID, ...]


REPORTING_CLOCK = Table(
    "reporting_clock",
    ReportingClockRow,
    ("subject_id", "clock_id"),
    indexes=("(due_at, clock_id)", "(ae_id)"),
)

_SHARED = tuple(each.name for each in fields(Clock) if each.name != "type")


def reporting_clock_rows(
    view: SubjectView,
    study: StudyView,
    at: datetime,
    before: tuple[SubjectView, str | None, Sequence[ReportingClockRow]] | None = None,
) -> tuple[ReportingClockRow, ...]:
    """The rows of a participant's clocks by what was recorded, and took effect, until `at` (aware).

    `before` is an earlier view of the same stream, the protocol version under which its rows were derived, and these:
    the answer is the same, and sooner, because the clocks of what was not touched since are taken as they were.
    """
    if before is not None and before[0].site_id == view.site_id:
        known, version, rows = before
        touched = touched_since(known, version, view, study, at)
        if touched is not None:
            kept = (row for row in rows if row.ae_id not in touched)
            return (*kept, *_rows(view, clocks_of(view, study, at, touched)))
    return _rows(view, clocks_of(view, study, at))


def _rows(view: SubjectView, clocks: Mapping[UUID, Iterable[Clock]]) -> tuple[ReportingClockRow, ...]:
    return tuple(
        ReportingClockRow(
            site_id=view.site_id, type=clock.type.value, **{name: getattr(clock, name) for name in _SHARED}
        )
        for of_one in clocks.values()
        for clock in of_one
    )


def clock_of(row: ReportingClockRow) -> Clock:
    """The clock that a row holds."""
    return Clock(type=ClockType(row.type), **{name: getattr(row, name) for name in _SHARED})
