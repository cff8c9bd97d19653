"""One reporting clock and its status at any instant (`safety.md` 5.2). Nothing here reads a clock."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class ClockType(StrEnum):
    """Which report is due."""

    INV_SAE_24H = "INV_SAE_24H"
    EC_SAE_24H = "EC_SAE_24H"
    SUSAR_7D = "SUSAR_7D"
    SUSAR_FU_8D = "SUSAR_FU_8D"
    SUSAR_15D = "SUSAR_15D"
    SUSAR_FU_15D = "SUSAR_FU_15D"
    DEV_7D = "DEV_7D"
    DEV_15D = "DEV_15D"


IN_HOURS = frozenset({ClockType.INV_SAE_24H, ClockType.EC_SAE_24H})
"""Clocks of 24 h from an instant, the last one included; all others end with a civil day of the site."""


class ClockStatus(StrEnum):
    """How a report stands."""

    RUNNING = "RUNNING"
    MET = "MET"
    BREACHED = "BREACHED"
    MET_LATE = "MET_LATE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Clock:
    """A report that became due; every instant aware, UTC.

    `started_at` is the instant of the awareness that counts, `day0` its civil date at the site (None of clocks in
    hours). `due_at` is the last instant of a clock in hours and the first instant after the last day of the others.
    `opened_at` is when what started it was recorded, `changed_at` when `due_at` took its present value or it last began
    to run again. `met_at` is when the report was handed over, `met_recorded_at` since when that is known;
    `cancelled_at` when what it rested on was recorded to have fallen away. `provisional`: it runs, or ran, only
    because an assessment is missing. `protocol_version` is the one under whose rules it opened and stays.
    """

    clock_id: UUID
    type: ClockType
    subject_id: str
    ae_id: UUID
    start_commit_id: UUID
    started_at: datetime
    day0: date | None
    due_at: datetime
    warn_at: datetime
    opened_at: datetime
    changed_at: datetime
    provisional: bool
    protocol_version: str
    met_at: datetime | None = None
    met_recorded_at: datetime | None = None
    cancelled_at: datetime | None = None
    start_event_ids: tuple[UUID, ...] = ()
    met_event_ids: tuple[UUID, ...] = ()
    cancel_event_ids: tuple[UUID, ...] = ()

    def status(self, at: datetime) -> ClockStatus:
        """How it stands at an instant, by what is known of it now."""
        if self.met_at is not None:
            return ClockStatus.MET if self.in_time(self.met_at) else ClockStatus.MET_LATE
        if self.cancelled_at is not None:
            return ClockStatus.CANCELLED
        return ClockStatus.RUNNING if self.in_time(at) else ClockStatus.BREACHED

    def in_time(self, at: datetime) -> bool:
        """Whether an instant still lies within the time that is given."""
        return at <= self.due_at if self.type in IN_HOURS else at < self.due_at

    def lateness(self, at: datetime) -> timedelta | None:
        """By how much the report was late, or is late by now; None when it is not."""
        end = self.met_at or at
        late = self.status(at) in (ClockStatus.BREACHED, ClockStatus.MET_LATE)
        return end - self.due_at if late else None
