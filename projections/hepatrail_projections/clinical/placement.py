"""Where a collection time falls: at a time point, inside its window or not (`visits.md` sections 3, 4 and 6).

Decided here, because the reference leaves room:

- Every observation before T0 belongs to the baseline, whatever its visit code: one older than the look-back is
  out of window there, as the baseline rule of section 5 says, and the latest value wins (section 6).
- A date alone is in the window of a date point that holds it, and out of window (`TIME_UNKNOWN`) at an instant
  point named by the visit code; without code it matches no instant window, because no time is ever made up.
- To rank, a date alone stands at noon of the site; before T0 at the start of its day, so that a timed value of
  the same day counts as later.
- An explicit `UNS` keeps an observation after T0 unscheduled, beside the main schedule too. The code of an auxiliary
  point (`S2_H12`, `SFU12`) wins among the auxiliary points and says nothing about the main ones, where rules 2 and 3
  apply; and the other way round. Such a code is impossible before the end of its session, and where there is no
  such point.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, TypeAlias

from hepatrail_projections.clinical.auxiliary import AuxiliaryPoint
from hepatrail_projections.clinical.calendar import local_date, site_zone
from hepatrail_projections.clinical.inputs import Collected
from hepatrail_projections.clinical.visits import BASELINE, UNSCHEDULED, VisitPlan
from hepatrail_projections.clinical.windows import Anchor, Window

Remark: TypeAlias = Literal["OUT_OF_WINDOW", "TIME_UNKNOWN"]

_UNTREATED = datetime(9999, 1, 1, tzinfo=UTC)
_NOON = time(12)


class Placement(NamedTuple):
    """Where a collection time falls: its point or None; lower `rank` is preferred within an item."""

    point: str | None
    in_window: bool
    remark: Remark | None
    rank: tuple[bool, timedelta, datetime]
    impossible_code: bool


class Places(NamedTuple):
    """The main point of a collection time, and the auxiliary one, None where there is none."""

    main: Placement
    beside: Placement | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """What every placement of a participant depends on."""

    anchored: Anchor | None
    windows: Sequence[Window]
    plan: VisitPlan
    auxiliary: Mapping[str, AuxiliaryPoint]

    def place(self, collected: Collected, visit_code: str | None, pre_session: bool | None) -> Places:
        """The places of one time with its stated code."""
        anchored = self.anchored
        if anchored is None or before_t0(collected, pre_session, anchored):
            impossible = visit_code not in (None, BASELINE, UNSCHEDULED)
            return Places(_baseline(collected, self, impossible=impossible), None)
        named = None if visit_code is None else self.auxiliary.get(visit_code)
        fits = named is None or named.begins is None or _is_after(collected, named.begins, named.begins_date)
        code = None if named is not None and fits else visit_code
        main = _main(collected, code, anchored, self)
        return Places(main, _beside(collected, visit_code, named if fits else None, self) if self.auxiliary else None)


def before_t0(collected: Collected, pre_session: bool | None, anchored: Anchor) -> bool:
    """Whether the time lies before treatment (`visits.md` section 6).

    T0 itself, or only its civil date, counts as before when the collector recorded `preSession`.
    """
    if collected.instant is not None:
        return collected.instant < anchored.t0 or (collected.instant == anchored.t0 and bool(pre_session))
    day = collected.local_date
    return day is not None and (day < anchored.t0_date or (day == anchored.t0_date and bool(pre_session)))


def _main(collected: Collected, visit_code: str | None, anchored: Anchor, schedule: Schedule) -> Placement:
    if visit_code is None:
        return _by_window(collected, schedule, impossible=False)
    if visit_code == UNSCHEDULED:
        return _nowhere(impossible=False)
    if visit_code in schedule.plan.by_code and visit_code != BASELINE:
        if anchored.instant is None:
            return _nowhere(impossible=False)
        if _is_after(collected, anchored.instant, anchored.date):
            named = next(window for window in schedule.windows if window.code == visit_code)
            return _at(named, collected, schedule, impossible=False)
    return _by_window(collected, schedule, impossible=True)


def _beside(
    collected: Collected, visit_code: str | None, named: AuxiliaryPoint | None, schedule: Schedule
) -> Placement | None:
    if named is not None:
        return None if named.window is None else _at(named.window, collected, schedule, impossible=False)
    if visit_code == UNSCHEDULED:
        return None
    windows = (point.window for point in schedule.auxiliary.values() if point.window is not None)
    nearest = _nearest(collected, windows, schedule)
    return None if nearest is None else _at(nearest, collected, schedule, impossible=False)


def _is_after(collected: Collected, begins: datetime, day: date | None) -> bool:
    if collected.instant is not None:
        return collected.instant > begins
    return collected.local_date is not None and day is not None and collected.local_date >= day


def _by_window(collected: Collected, schedule: Schedule, *, impossible: bool) -> Placement:
    """Rules 2 and 3."""
    windows = (window for window in schedule.windows if window.kind != "pre")
    nearest = _nearest(collected, windows, schedule)
    return (
        _nowhere(impossible=impossible) if nearest is None else _at(nearest, collected, schedule, impossible=impossible)
    )


def _nearest(collected: Collected, windows: Iterable[Window], schedule: Schedule) -> Window | None:
    """The nearest target among the windows that contain the time; a tie goes to the earlier point."""
    holding = [window for window in windows if _inside(window, collected)]
    if len(holding) < 2:
        return holding[0] if holding else None
    stand_in = _stand_in(collected, _NOON, schedule)
    return min(holding, key=lambda window: abs(stand_in - window.target))


def _at(window: Window, collected: Collected, schedule: Schedule, *, impossible: bool) -> Placement:
    inside = _inside(window, collected)
    remark: Remark | None = None
    if not inside:
        remark = "TIME_UNKNOWN" if collected.instant is None and window.kind == "instant" else "OUT_OF_WINDOW"
    stand_in = _stand_in(collected, _NOON, schedule)
    return Placement(window.code, inside, remark, (not inside, abs(stand_in - window.target), stand_in), impossible)


def _baseline(collected: Collected, schedule: Schedule, *, impossible: bool) -> Placement:
    """Before T0 the last one counts; before there is a T0 none is too old yet (`compliance.py` looks at the time)."""
    target, inside = _UNTREATED, True
    if schedule.anchored is not None:
        target = schedule.anchored.t0
        earliest = target - schedule.plan.lookback
        if collected.local_date is not None:
            inside = local_date(earliest, site_zone(schedule.plan.zone)) <= collected.local_date
        elif collected.instant is not None:
            inside = earliest <= collected.instant
    stand_in = _stand_in(collected, time.min, schedule)
    remark: Remark | None = None if inside else "OUT_OF_WINDOW"
    return Placement(BASELINE, inside, remark, (not inside, abs(target - stand_in), stand_in), impossible)


def _inside(window: Window, collected: Collected) -> bool:
    if collected.instant is not None:
        return window.earliest <= collected.instant < window.ends
    return collected.local_date is not None and window.contains_date(collected.local_date)


def _stand_in(collected: Collected, clock: time, schedule: Schedule) -> datetime:
    """The instant itself; for a date alone, only to rank it, `clock` on that day at the site."""
    if collected.instant is not None:
        return collected.instant
    assert collected.local_date is not None, "a collection time is an instant or a date"
    return datetime.combine(collected.local_date, clock, site_zone(schedule.plan.zone)).astimezone(UTC)


def _nowhere(*, impossible: bool) -> Placement:
    return Placement(None, False, None, (True, timedelta(0), _UNTREATED), impossible)
