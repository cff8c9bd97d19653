"""Ordering dates of which only a part is known (`safety.md` section 0)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hepatrail_events.types import PartialDate, Precision

_PARTS = {Precision.DAY: 3, Precision.MONTH: 2, Precision.YEAR: 1, Precision.UNKNOWN: 0}


def order_key(when: PartialDate | None, zone: ZoneInfo) -> tuple[int, ...]:
    """Sorts partial dates by their earliest civil minute at the site; an unknown one comes first."""
    if when is None:
        return (0, 0, 0, 0, 0)
    exact = when.instant
    if exact is not None:
        return civil_minute(exact, zone)
    known = _PARTS[when.precision]
    civil = tuple(int(part) for part in (when.value or "").split("-")) if known else ()
    return civil + (0,) * (5 - len(civil))


def civil_minute(instant: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    """An instant as year, month, day, hour and minute at the site."""
    local = instant.astimezone(zone)
    return (local.year, local.month, local.day, local.hour, local.minute)


def known_parts(when: PartialDate) -> int:
    """How many of year, month, day, hour, minute are known."""
    return 5 if when.precision is Precision.MINUTE else _PARTS[when.precision]
