"""Windows and the assignment of observations to the time points (`visits.md` sections 1 to 4 and 6).

Decided where the reference leaves room, as the product's documentation says it: what was collected before T0 belongs
to the baseline whatever its code; a date alone is in the window of a date point only, and stands at noon to be ranked
(before T0 at the start of its day); the code of a point beside the main schedule says nothing about the main ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from event_recount.dates import DAY, MINUTE, civil, months_later, start_of
from event_recount.laboratory import Row
from event_recount.treated import Participant

LOOK_BACK = 7 * DAY
INSTANTS = {"P0_5_1H": (30, 45, 60), "H12": (600, 720, 840), "H24": (1200, 1440, 1680)}
"""Earliest, target and latest minute after A."""
DAYS = {
    "D2": (2, 0),
    "D3": (3, 0),
    "D5": (5, 0),
    "D7": (7, 1),
    "W2": (14, 2),
    "W4": (28, 3),
    "W6": (42, 3),
    "W12": (84, 7),
}
"""Days after AD, and days around that target."""
MONTHS = {"M6": (6, 14), "M12": (12, 14)}
POST = (*INSTANTS, *DAYS, *MONTHS)
SAFETY = ("D7", "W4", "W12", "M6", "M12")
"""The points at which adverse events and survival are asked for."""


class Window(NamedTuple):
    """From `first` to before `after`; `days` are the civil dates of a date point."""

    target: datetime
    first: datetime
    after: datetime
    days: tuple[date, date] | None


class Place(NamedTuple):
    """Where an observation falls; the lowest `rank` is preferred: in the window, near the target, early."""

    point: str
    in_window: bool
    rank: tuple[bool, timedelta, datetime]


class Placed(NamedTuple):
    """A row at a point."""

    row: Row
    place: Place


@dataclass(frozen=True, slots=True)
class Schedule:
    """The windows of a treated participant; none but the baseline's while the first session runs."""

    t0: datetime
    anchor: datetime | None
    windows: dict[str, Window]

    def place(self, collected: datetime | date, code: str | None, *, pre_session: bool = False) -> Place | None:
        """The main point of an observation; None: unscheduled."""
        if self._before_t0(collected, pre_session=pre_session):
            return self._baseline(collected)
        if code == "UNS" or self.anchor is None:
            return None
        day = civil(collected) if isinstance(collected, datetime) else collected
        if code in self.windows:
            behind = collected > self.anchor if isinstance(collected, datetime) else day >= civil(self.anchor)
            if behind:
                return self._at(code, collected)
        holding = [self._at(point, collected) for point in self.windows]
        return min((each for each in holding if each.in_window), key=lambda each: each.rank[1], default=None)

    def _before_t0(self, collected: datetime | date, *, pre_session: bool) -> bool:
        if isinstance(collected, datetime):
            return collected < self.t0 or (collected == self.t0 and pre_session)
        return collected < civil(self.t0) or (collected == civil(self.t0) and pre_session)

    def _baseline(self, collected: datetime | date) -> Place:
        earliest = self.t0 - LOOK_BACK
        if isinstance(collected, datetime):
            inside, stands = collected >= earliest, collected
        else:
            inside, stands = collected >= civil(earliest), start_of(collected)
        return Place("BL", inside, (not inside, abs(self.t0 - stands), stands))

    def _at(self, point: str, collected: datetime | date) -> Place:
        window = self.windows[point]
        if isinstance(collected, datetime):
            inside, stands = window.first <= collected < window.after, collected
        else:
            inside = window.days is not None and window.days[0] <= collected <= window.days[1]
            stands = start_of(collected) + timedelta(hours=12)
        return Place(point, inside, (not inside, abs(stands - window.target), stands))


def target_date(point: str, anchor: date) -> date:
    """The target of a date point, counted from a civil date."""
    return months_later(anchor, MONTHS[point][0]) if point in MONTHS else anchor + DAYS[point][0] * DAY


def schedule(each: Participant) -> Schedule:
    """The schedule of a treated participant."""
    anchor, windows = each.anchor, dict[str, Window]()
    if anchor is not None:
        for point, (earliest, target, latest) in INSTANTS.items():
            first, last = _to_minute(anchor + earliest * MINUTE), _to_minute(anchor + latest * MINUTE)
            windows[point] = Window(anchor + target * MINUTE, first, last + MINUTE, None)
        for point, (_, around) in (DAYS | MONTHS).items():
            day = target_date(point, civil(anchor))
            first_day, last_day = day - around * DAY, day + around * DAY
            target_at = anchor + (day - civil(anchor))
            windows[point] = Window(target_at, start_of(first_day), start_of(last_day + DAY), (first_day, last_day))
    return Schedule(each.t0, anchor, windows)


def placed(rows: Iterable[Row], of: Schedule) -> dict[tuple[str, str], list[Placed]]:
    """The usable rows by code and point, in the order of the log."""
    found: dict[tuple[str, str], list[Placed]] = {}
    for row in rows:
        place = of.place(row.collected, row.data.get("visitCode"), pre_session=row.data.get("preSession") is True)
        if place is not None and row.usable:
            found.setdefault((row.code, place.point), []).append(Placed(row, place))
    return found


def chosen(candidates: list[Placed]) -> Placed:
    """Rule 4 of section 4: in the window and nearest the target, else nearest; of equal ones the one recorded last."""
    return min(reversed(candidates), key=lambda each: each.place.rank)


def _to_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
