"""What a visit row says at an instant (`visits.md` section 5): the only place where the clock meets a visit.

Decided here, because the reference leaves room:

- Notices stand from their moment on for as long as the point is open or lacks something; a point that was cut short
  or is complete has none. Between the end of a window and the overdue notice the earlier two stand. A baseline, whose
  window lies before treatment, has the overdue notice only.
- A point that death or withdrawal left partial is a deviation as any other partial one; its cause is named.
- A complete point whose items were observed while a later session ran counts for compliance; beside it stands the
  number without such points.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias
from uuid import UUID

from hepatrail_events.ids import derived_id
from hepatrail_projections.clinical.compliance import VisitStatus, status
from hepatrail_projections.clinical.visits import AE_ITEM, BASELINE, SURVIVAL_ITEM, TimePoint, VisitPlan
from hepatrail_projections.visit import VisitRow, row_evidence, row_stops

__all__ = [
    "Compliance",
    "Deviation",
    "Notice",
    "VisitStatus",
    "compliance_at",
    "compliance_of",
    "deviation_at",
    "deviation_of",
    "notices_at",
    "status_at",
]

NoticeKind: TypeAlias = Literal["DUE", "REMINDER", "OVERDUE"]
DeviationKind: TypeAlias = Literal["missed", "partial", "complete_out_of_window"]
DeviationClass: TypeAlias = Literal["MAJOR", "MINOR"]

_OPEN = ("due", "missed", "partial")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to the site about a time point, from `at` on."""

    code: str
    kind: NoticeKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Deviation:
    """A time point that was not done as planned.

    `deviation_id` follows from participant and time point alone, so that one whose status changes stays the same.
    MAJOR: an assessment of adverse events or of survival is missing. `cause` is what cut the point short.
    """

    deviation_id: UUID
    subject_id: str
    code: str
    kind: DeviationKind
    deviation_class: DeviationClass
    missing: tuple[str, ...]
    cause: str | None


@dataclass(frozen=True, slots=True)
class Compliance:
    """Main time points complete in their window, of those whose window is over and that apply.

    `outside_sessions` are those of the numerator in which nothing was observed while a later session ran.
    """

    numerator: int
    denominator: int
    outside_sessions: int

    @property
    def rate(self) -> Fraction | None:
        """The exact rate; None while no window is over."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None


def status_at(row: VisitRow, as_of: datetime) -> VisitStatus:
    """The status at `as_of` (aware); pure, from what the row holds alone."""
    plan = _plan(row.zone, row.lookback_days, row.post_transplant)
    return status(row_evidence(row), row_stops(row), tuple(row.required), as_of, plan)


def notices_at(row: VisitRow, as_of: datetime) -> tuple[Notice, ...]:
    """The notices that stand at `as_of` (aware), in the order of their moments (section 5.2)."""
    if row.earliest is None or row.target is None or row.latest is None:
        return ()
    found = status_at(row, as_of)
    if found.status not in _OPEN or found.cause is not None:
        return ()
    overdue = Notice(row.code, "OVERDUE", row.latest + timedelta(hours=row.entry_grace_hours))
    in_window = (Notice(row.code, "DUE", row.earliest), Notice(row.code, "REMINDER", row.target))
    notices = (overdue,) if row.kind == "pre" else (*in_window, overdue)
    return tuple(notice for notice in notices if notice.at <= as_of)


def deviation_at(row: VisitRow, as_of: datetime) -> Deviation | None:
    """The deviation that is open at `as_of` (aware), None where there is none (any more)."""
    return deviation_of(row, status_at(row, as_of))


def deviation_of(row: VisitRow, found: VisitStatus) -> Deviation | None:
    """The deviation that a status means."""
    if found.status not in ("missed", "partial", "complete_out_of_window"):
        return None
    missing = tuple(item for item, _ in found.missing)
    return Deviation(
        deviation_id=derived_id("DEVIATION", row.subject_id, row.code),
        subject_id=row.subject_id,
        code=row.code,
        kind=found.status,
        deviation_class="MAJOR" if AE_ITEM in missing or SURVIVAL_ITEM in missing else "MINOR",
        missing=missing,
        cause=found.cause,
    )


def compliance_at(rows: Iterable[VisitRow], as_of: datetime) -> Compliance:
    """The compliance of the main points at `as_of` (aware), of one participant or of many."""
    return compliance_of(((row, status_at(row, as_of)) for row in rows if row.series == "MAIN"), as_of)


def compliance_of(points: Iterable[tuple[VisitRow, VisitStatus]], as_of: datetime) -> Compliance:
    """The same from the points with their status at `as_of`."""
    over = [found for row, found in points if row.series == "MAIN" and row.ends is not None and row.ends <= as_of]
    judged = [found for found in over if found.status != "not_applicable"]
    complete = [found for found in judged if found.status == "complete_in_window"]
    return Compliance(len(complete), len(judged), sum(not found.during_session for found in complete))


@lru_cache(maxsize=64)
def _plan(zone: str, lookback_days: int, post_transplant: str) -> VisitPlan:
    """As much of the plan as a status depends on."""
    return VisitPlan(
        zone=zone,
        anchor_rule="FIRST_SESSION_END",
        baseline_lookback_days=lookback_days,
        baseline_spread_hours=0,
        points=(TimePoint(BASELINE, "pre"),),
        score_max_spread={},
        post_transplant="ALL" if post_transplant == "ALL" else "SAFETY_AND_SURVIVAL",
    )
