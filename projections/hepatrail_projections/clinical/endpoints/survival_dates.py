"""The days of deaths of which only a part is known, and what may be known after a withdrawal (`endpoints.md` 3.1).

Decided here, because the reference names the month only: of a year the same holds with 1 July for the 15th, and of a
death without any date the day after the participant was last known alive counts; and no death is put behind the month
or year that was reported, nor behind the day on which the site knew of it.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.calendar import local_date

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """From follow-up or from all use of data, on a civil day; whether vital status may still be asked for."""

    day: date
    vital_status_allowed: bool


def permitted(day: date, withdrawals: Iterable[Withdrawal], *, vital: bool) -> bool:
    """Whether something of that day may be used; `vital`: it tells of life, death or transplant, not of a visit."""
    return all(day <= each.day or (vital and each.vital_status_allowed) for each in withdrawals)


def possible_days(when: PartialDate, known_on: date | None, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last civil day that a partial date can mean; not behind `known_on`, where that lies within."""
    first, last = _span(when, known_on or date.max, zone)
    return first, known_on if known_on is not None and first <= known_on <= last else last


def death_day(when: PartialDate, aware: date, alive: date, zone: ZoneInfo) -> date:
    """The day of a death that the site knew of on `aware`, of somebody last known alive on `alive`.

    `alive` is not behind the last day that the date can mean.
    """
    first, last = possible_days(when, aware, zone)
    if first == last:
        return first
    if alive >= first:
        return min(alive + _DAY, last)
    middle = first.replace(day=15) if when.precision is Precision.MONTH else first.replace(month=7)
    return min(middle, last)


def is_exact(when: PartialDate) -> bool:
    """Whether the day is known."""
    return when.precision in (Precision.MINUTE, Precision.DAY)


def _span(when: PartialDate, known_on: date, zone: ZoneInfo) -> tuple[date, date]:
    if when.instant is not None:
        day = local_date(when.instant, zone)
        return day, day
    if when.day is not None:
        return when.day, when.day
    if when.value is None:
        return date.min, known_on
    year, *month = (int(part) for part in when.value.split("-"))
    begin, end = (month[0], month[0]) if month else (1, 12)
    return date(year, begin, 1), date(year, end, monthrange(year, end)[1])
