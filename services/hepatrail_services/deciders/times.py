"""Comparing clinical times of unequal precision (`safety.md` sections 0 and 4.2): always at the coarser one."""

from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from hepatrail_events.errors import CommandRejected
from hepatrail_events.types import PartialDate, Precision

ClinicalTime: TypeAlias = PartialDate | datetime | date

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How much later than the moment of recording a clinical time may be (INV-05, INV-06)."""

_CIVIL_PARTS = {Precision.DAY: 3, Precision.MONTH: 2, Precision.YEAR: 1, Precision.UNKNOWN: 0}


def is_later(left: ClinicalTime, right: ClinicalTime, zone: ZoneInfo) -> bool:
    """Whether `left` is later than `right` at the coarser of their precisions; never when one is unknown."""
    exact_left, exact_right = _exact(left), _exact(right)
    if exact_left is not None and exact_right is not None:
        if isinstance(left, PartialDate) or isinstance(right, PartialDate):
            return _to_minute(exact_left) > _to_minute(exact_right)
        return exact_left > exact_right
    civil_left, civil_right = _civil(left, zone), _civil(right, zone)
    parts = min(len(civil_left), len(civil_right))
    return civil_left[:parts] > civil_right[:parts]


def same_time(left: ClinicalTime, right: ClinicalTime, zone: ZoneInfo) -> bool:
    """Whether neither is later than the other at the coarser of their precisions."""
    return not is_later(left, right, zone) and not is_later(right, left, zone)


def is_future(when: ClinicalTime, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a clinical time is later than recordedAt + 5 min (INV-06)."""
    return is_later(when, now + CLOCK_TOLERANCE, zone)


def refuse_future(field: str, when: ClinicalTime, now: datetime, zone: ZoneInfo) -> None:
    """CommandRejected (INV-06) when a clinical time lies in the future."""
    if is_future(when, now, zone):
        raise CommandRejected(f"{field} lies in the future.", rule="INV-06", field=field)


def order_key(when: PartialDate, zone: ZoneInfo, *, latest: bool = False) -> tuple[int, ...]:
    """A key that sorts partial dates by their earliest civil minute, or by the latest; an unknown one then comes last.

    Not a time: the parts that are not known are 0 or 9999.
    """
    exact = when.instant
    if exact is None:
        civil = _civil(when, zone)
        return civil + (9999 if latest else 0,) * (5 - len(civil))
    local = exact.astimezone(zone)
    return (local.year, local.month, local.day, local.hour, local.minute)


def say(when: ClinicalTime) -> str:
    """The time as a sentence names it."""
    if isinstance(when, PartialDate):
        return when.value or "an unknown date"
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if isinstance(when, datetime) else when.isoformat()


def _exact(when: ClinicalTime) -> datetime | None:
    if isinstance(when, PartialDate):
        return when.instant
    return when if isinstance(when, datetime) else None


def _civil(when: ClinicalTime, zone: ZoneInfo) -> tuple[int, ...]:
    exact = _exact(when)
    if exact is not None:
        local = exact.astimezone(zone)
        return (local.year, local.month, local.day)
    if isinstance(when, PartialDate):
        known = _CIVIL_PARTS[when.precision]
        return tuple(int(part) for part in (when.value or "").split("-")) if known else ()
    return (when.year, when.month, when.day)


def _to_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
