"""The anchor and the windows that hang on it (`visits.md` sections 1 to 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hepatrail_projections.clinical.calendar import end_of_day, local_date, site_zone, start_of_day, to_minute
from hepatrail_projections.clinical.inputs import Collected, Session, Stop
from hepatrail_projections.clinical.visits import Kind, TimePoint, VisitPlan

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Anchor:
    """T0 and, once known, what the schedule counts from.

    `instant` is A and `date` AD, its civil date at the site; both None while the anchor session has no end.
    `t_last` is the end of the latest session, None while that one is open.
    """

    t0: datetime
    t0_date: date
    t0_session_id: UUID
    instant: datetime | None
    date: date | None
    t_last: datetime | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One time point's window.

    `earliest` is inclusive, `latest` as the schedule prints it: the last minute for an instant point, T0 or the
    start of the day after for the others. `ends` is the exclusive bound of all of them. `first_date` and
    `last_date` are the civil dates, inclusive, of a date point. `target` of a date point is the anchor instant
    moved by whole days of 24 h; of the baseline it is T0.
    """

    code: str
    kind: Kind
    target: datetime
    earliest: datetime
    latest: datetime
    ends: datetime
    first_date: date | None = None
    last_date: date | None = None

    @property
    def latest_inclusive(self) -> bool:
        """Whether `latest` itself, to its minute, still lies inside."""
        return self.kind == "instant"

    def contains(self, instant: datetime) -> bool:
        """Whether an instant lies inside; instant windows compare whole minutes."""
        return self.earliest <= instant < self.ends

    def contains_date(self, day: date) -> bool:
        """Whether a civil date alone shows that the time lies inside: only for date points."""
        return self.first_date is not None and self.last_date is not None and self.first_date <= day <= self.last_date


def anchor(sessions: Iterable[Session], plan: VisitPlan, death: Stop | None = None) -> Anchor | None:
    """T0, A and Tlast of the non-voided sessions; None without a session.

    A death takes the place of an end that was never recorded.
    """
    ordered = sorted(sessions, key=lambda session: session.started_at)
    if not ordered:
        return None
    first, last = ordered[0], ordered[-1]
    basis = last if plan.anchor_rule == "LAST_SESSION_END" else first
    instant = first.started_at if plan.anchor_rule == "FIRST_SESSION_START" else basis.ended_at
    event_ids = first.event_ids if basis is first else first.event_ids + basis.event_ids
    if instant is None and death is not None:
        instant, event_ids = death.time, event_ids + death.event_ids
    zone = site_zone(plan.zone)
    return Anchor(
        t0=first.started_at,
        t0_date=local_date(first.started_at, zone),
        t0_session_id=first.session_id,
        instant=instant,
        date=None if instant is None else local_date(instant, zone),
        t_last=last.ended_at,
        event_ids=event_ids,
    )


def windows(anchored: Anchor | None, plan: VisitPlan) -> tuple[Window, ...]:
    """The windows that are defined: none before T0, the baseline's while A is unknown, then all, in plan order."""
    if anchored is None:
        return ()
    return tuple(window for point in plan.points if (window := _window(point, anchored, plan)) is not None)


def during_session(collected: Collected, sessions: Sequence[Session]) -> bool:
    """Whether a circuit was running: start <= t < end of any session; never known from a date alone."""
    instant = collected.instant
    if instant is None:
        return False
    # No generator: there are hundreds of values to hold against dozens of sessions.
    for session in sessions:
        if session.started_at <= instant and (session.ended_at is None or instant < session.ended_at):
            return True
    return False


def window_from(point: TimePoint, instant: datetime, zone: ZoneInfo) -> Window:
    """The window of an instant or date point that counts from an instant and its civil date at the site."""
    if point.kind == "instant":
        return _instant_window(point, instant)
    return _date_window(point, instant, zone)


def _window(point: TimePoint, anchored: Anchor, plan: VisitPlan) -> Window | None:
    if point.kind == "pre":
        t0 = anchored.t0
        return Window(point.code, "pre", t0, t0 - plan.lookback, t0, t0)
    return None if anchored.instant is None else window_from(point, anchored.instant, site_zone(plan.zone))


def _instant_window(point: TimePoint, instant: datetime) -> Window:
    earliest = to_minute(instant + timedelta(minutes=point.earliest_minutes or 0))
    latest = to_minute(instant + timedelta(minutes=point.latest_minutes or 0))
    target = instant + timedelta(minutes=point.target_minutes or 0)
    return Window(point.code, "instant", target, earliest, latest, latest + _MINUTE)


def _date_window(point: TimePoint, instant: datetime, zone: ZoneInfo) -> Window:
    anchor_date = local_date(instant, zone)
    day = point.target_date(anchor_date)
    first, last = day - timedelta(days=point.days_before), day + timedelta(days=point.days_after)
    ends = end_of_day(last, zone)
    target = instant + (day - anchor_date)
    return Window(point.code, "date", target, start_of_day(first, zone), ends, ends, first, last)
