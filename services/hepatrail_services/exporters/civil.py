"""Dates and study days as SDTM writes them: ISO 8601 in the civil time of the sites, cut short where unknown.

SDTM times bear no zone here, because the importer takes them as civil times of the sites. They go to the second, and
to the millisecond where the record does.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hepatrail_events.types import PartialDate, Precision


def stamp(at: datetime | None, zone: ZoneInfo) -> str:
    """`2026-03-10T16:30:00`, `2026-03-10T16:30:00.250`, "" for None."""
    if at is None:
        return ""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="milliseconds").removesuffix(".000")


def collected(at: datetime | None, on: date | None, zone: ZoneInfo) -> str:
    """A time of collection, or the day when no more is known."""
    return stamp(at, zone) if at is not None else "" if on is None else on.isoformat()


def partial(known: Mapping[str, Any] | None, zone: ZoneInfo) -> str:
    """A partial date (`{value, precision}`) as far as it is known: `2026-03-10T16:30`, `2026-03-10`, `2026-03`, ""."""
    if known is None or known.get("value") is None:
        return ""
    if known["precision"] != Precision.MINUTE:
        return str(known["value"])
    instant = PartialDate.model_validate(dict(known)).instant
    assert instant is not None, "a date known to the minute is an instant"
    return instant.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def written_instant(text: str | None, zone: ZoneInfo) -> str:
    """An instant of a structured column (RFC 3339, UTC) as `stamp`, "" for None."""
    return "" if text is None else stamp(datetime.fromisoformat(text).astimezone(UTC), zone)


def study_day(dtc: str, reference: str) -> int | None:
    """The study day of a date: 1 on the reference day, -1 the day before, no 0; None where a day is unknown."""
    if len(dtc) < 10 or len(reference) < 10:
        return None
    days = (date.fromisoformat(dtc[:10]) - date.fromisoformat(reference[:10])).days
    return days + 1 if days >= 0 else days
