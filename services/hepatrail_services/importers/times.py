"""SDTM dates (ISO 8601, cut short where unknown) as instants, civil dates and partial dates of this project."""

import re
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.types import Precision, format_instant

_LENGTHS = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}
_MINUTE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$")


class UnreadableTime(ValueError):
    """The text is no date or time of SDTM; the message is a sentence."""


def civil(day: str, clock: str, zone: ZoneInfo) -> datetime:
    """The instant of a civil date (10 characters) and a clock time `HH:MM` in `zone`."""
    return _instant(datetime.combine(_day(day), time.fromisoformat(clock)), f"{day}T{clock}", zone)


def instant_or_day(text: str, zone: ZoneInfo) -> str:
    """A collection time: 10 characters stay a date, a time to the minute or finer becomes a UTC instant."""
    if len(text) == 10:
        return _day(text).isoformat()
    return format_instant(_minute(text, zone))


def partial(text: str, zone: ZoneInfo) -> dict[str, Any]:
    """A `PartialDate` as input; empty text is UNKNOWN, and a missing part is never filled in."""
    if not text:
        return {"precision": Precision.UNKNOWN.value}
    if "T" in text:
        instant = _minute(text, zone)
        return {"value": instant.strftime("%Y-%m-%dT%H:%MZ"), "precision": Precision.MINUTE.value}
    precision = _LENGTHS.get(len(text))
    if precision is None:
        raise UnreadableTime(f"{text!r} is no date of SDTM.")
    _day(text + "-01" * ((10 - len(text)) // 3))
    return {"value": text, "precision": precision.value}


def is_partial(text: str) -> bool:
    """Whether less than the day is known."""
    return len(text) < 10


def _day(text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise UnreadableTime(f"{text!r} is no calendar date.") from None


def _minute(text: str, zone: ZoneInfo) -> datetime:
    if not _MINUTE.match(text):
        raise UnreadableTime(f"{text!r} is no date or time of SDTM.")
    try:
        return _instant(datetime.fromisoformat(text), text, zone)
    except UnreadableTime:
        raise
    except ValueError:
        raise UnreadableTime(f"{text!r} is no time of the calendar.") from None


def _instant(local: datetime, text: str, zone: ZoneInfo) -> datetime:
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise UnreadableTime(f"{text!r} does not exist in {zone.key}: the clocks were put forward.")
    return instant
