"""The treatment-emergent window (`safety.md` section 3), and where a date of which only a part is known lies in it.

Decided here, because the reference leaves room:

- A partial date may be any instant that it names. It lies before an instant only when all of them do, and after the
  window only when all of them do: what is not known for certain counts as inside, the conservative side.
- While the session is open whose end closes the window, the window has no end yet and is provisional.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.calendar import add_months, end_of_day, local_date, start_of_day

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TeWindow:
    """TE_START to TE_END of a treated participant, all aware instants (UTC).

    `ends` is exclusive, the first instant of the day after TE_END's; None while it is not known.
    """

    t0: datetime
    starts: datetime
    ends: datetime | None
    zone: ZoneInfo

    @property
    def provisional(self) -> bool:
        """Whether treatment continues, so that the window's end is not known yet."""
        return self.ends is None

    def from_t0(self) -> Self:
        """The same window with T0 for TE_START: before any exposure nothing can be related to the product."""
        return replace(self, starts=self.t0)

    def is_before(self, when: PartialDate) -> bool:
        """Whether a date lies before the window for certain."""
        bounds = span(when, self.zone)
        return bounds is not None and bounds[1] <= self.starts

    def is_after(self, when: PartialDate) -> bool:
        """Whether a date lies behind the window for certain."""
        bounds = span(when, self.zone)
        return bounds is not None and self.ends is not None and bounds[0] >= self.ends

    def may_precede(self, when: PartialDate) -> bool:
        """Whether a date without a time may as well lie before the window as in it; never of an exact minute."""
        bounds = span(when, self.zone)
        return bounds is None or (when.instant is None and bounds[0] <= self.starts < bounds[1])


def te_window(
    t0: datetime | None,
    access_placed_at: datetime | None,
    t_last: datetime | None,
    rules: SafetyRules,
    zone: ZoneInfo,
) -> TeWindow | None:
    """The window of the protocol; None for a participant who was never treated.

    `t0` is the start of the first session that is not void, `access_placed_at` when its access was placed (None: not
    for that session), `t_last` the end of the session whose end closes the window (None: it is open).
    """
    if t0 is None:
        return None
    starts = t0
    if rules.te_start_anchor == "ACCESS" and access_placed_at is not None:
        starts = min(t0, access_placed_at)
    ends = None
    if t_last is not None:
        ends = end_of_day(add_months(local_date(t_last, zone), rules.safety_end_months), zone)
    return TeWindow(t0, starts, ends, zone)


def span(when: PartialDate, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The first instant that a partial date can mean, and the one after the last; None when nothing is known."""
    exact = when.instant
    if exact is not None:
        return exact, exact + _MINUTE
    if when.value is None:
        return None
    year, month, day = (*(int(part) for part in when.value.split("-")), 0, 0)[:3]
    first = date(year, month or 1, day or 1)
    last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    return start_of_day(first, zone), end_of_day(last, zone)
