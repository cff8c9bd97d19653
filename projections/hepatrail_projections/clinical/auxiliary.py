"""Time points beside the main schedule: after each later session, and 12 months after the last (`visits.md` 2.1).

Decided here, because the reference leaves room:

- Sessions are numbered by their starts, void ones left out; the points of a session exist from its start, their
  windows from its end. A death takes the place of an end that was never recorded, as it does for the anchor.
- Every instant point of the plan has its counterpart after a later session.
- `SFU12` is compared with the plan's last date point, which is M12. It stands beside the main schedule as the other
  auxiliary points do: a contact that lies in both windows serves M12 and SFU12.
- "Nothing collected" is: no usable result or assessment of the point before the next session started. Where that
  session started first, the point is superseded, whatever was collected during or after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Literal, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_projections.clinical.calendar import add_months, local_date, site_zone
from hepatrail_projections.clinical.inputs import Session, Stop
from hepatrail_projections.clinical.visits import TimePoint, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window, window_from

Series: TypeAlias = Literal["MAIN", "AUXILIARY", "SAFETY_FOLLOW_UP"]

SAFETY_FOLLOW_UP = "SFU12"
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class AuxiliaryPoint:
    """A point beside the main schedule.

    Its window counts from `begins`, the end of its session, and is None while that one is open. `following` is the
    session after it, None while there is none, and for `SFU12`.
    """

    point: TimePoint
    series: Series
    session_id: UUID
    begins: datetime | None
    begins_date: date | None
    window: Window | None
    following: Session | None
    event_ids: tuple[UUID, ...]


def by_start(sessions: Sequence[Session]) -> list[Session]:
    """The sessions in the order of their starts: the first, the second and so on."""
    return sorted(sessions, key=lambda session: session.started_at)


def auxiliary_points(
    sessions: Sequence[Session], anchored: Anchor | None, plan: VisitPlan, death: Stop | None = None
) -> tuple[AuxiliaryPoint, ...]:
    """The points of every session but the first, in their order, then `SFU12` where it is owed."""
    ordered = by_start(sessions)
    zone = site_zone(plan.zone)
    found: list[AuxiliaryPoint] = []
    instants = [point for point in plan.points if point.kind == "instant"]
    for number, session in enumerate(ordered[1:], 2):
        following = ordered[number] if number < len(ordered) else None
        end = death.time if session.ended_at is None and death is not None else session.ended_at
        found += [_after(_numbered(point, number), "AUXILIARY", session, end, following, zone) for point in instants]
    return (*found, *_safety_follow_up(ordered, anchored, plan))


def _safety_follow_up(ordered: Sequence[Session], anchored: Anchor | None, plan: VisitPlan) -> list[AuxiliaryPoint]:
    if anchored is None or anchored.date is None or anchored.t_last is None:
        return []
    zone = site_zone(plan.zone)
    targets = [point.target_date(anchored.date) for point in plan.points if point.kind == "date"]
    if not targets or add_months(local_date(anchored.t_last, zone), _MONTHS) <= max(targets):
        return []
    days = plan.safety_follow_up_days
    point = TimePoint(
        SAFETY_FOLLOW_UP, "date", target_months=_MONTHS, days_before=days, days_after=days, ae=True, surv=True
    )
    return [_after(point, "SAFETY_FOLLOW_UP", ordered[-1], anchored.t_last, None, zone)]


@lru_cache(maxsize=1 << 10)
def _numbered(point: TimePoint, number: int) -> TimePoint:
    return replace(point, code=f"S{number}_{point.code}")


@lru_cache(maxsize=1 << 12)
def _after(
    point: TimePoint,
    series: Series,
    session: Session,
    end: datetime | None,
    following: Session | None,
    zone: ZoneInfo,
) -> AuxiliaryPoint:
    """Kept, because the points of all earlier sessions are the same at every event."""
    return AuxiliaryPoint(
        point=point,
        series=series,
        session_id=session.session_id,
        begins=end,
        begins_date=None if end is None else local_date(end, zone),
        window=None if end is None else window_from(point, end, zone),
        following=following,
        event_ids=session.event_ids,
    )
