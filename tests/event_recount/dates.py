"""Civil dates of the site and dates of which only a part is known (`safety.md` section 0)."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

SITE = ZoneInfo("Asia/Shanghai")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LONG_AGO, FAR_AHEAD = datetime(1800, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """The first instant that a date can mean, and the one behind the last."""

    first: datetime
    after: datetime


def instant(text: str) -> datetime:
    """An instant of the log."""
    return datetime.fromisoformat(text)


def civil(at: datetime) -> date:
    """LD: the date on the wall of the site."""
    return at.astimezone(SITE).date()


def start_of(day: date) -> datetime:
    """00:00 of a civil date at the site."""
    return datetime.combine(day, time.min, SITE).astimezone(UTC)


def months_later(day: date, months: int) -> date:
    """addMonths: the same day of the month, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def partial(text: str) -> dict[str, Any]:
    """A partial date from the text of a correction, whose length tells how much is known."""
    if text == "UNKNOWN":
        return {"precision": "UNKNOWN"}
    return {"value": text, "precision": {4: "YEAR", 7: "MONTH", 10: "DAY", 17: "MINUTE"}[len(text)]}


def exact(when: dict[str, Any]) -> datetime | None:
    """The instant, where the minute is known."""
    return instant(when["value"]) if when["precision"] == "MINUTE" else None


def to_the_day(when: dict[str, Any]) -> bool:
    """Whether at least the day is known."""
    return when["precision"] in ("MINUTE", "DAY")


def days(when: dict[str, Any]) -> tuple[date, date] | None:
    """The first and the last civil date that a partial date can mean; None when nothing is known."""
    at = exact(when)
    if at is not None:
        return civil(at), civil(at)
    if when["precision"] == "UNKNOWN":
        return None
    parts = [int(part) for part in when["value"].split("-")]
    if len(parts) == 3:
        return date(*parts), date(*parts)
    begin, end = (parts[1], parts[1]) if len(parts) == 2 else (1, 12)
    return date(parts[0], begin, 1), date(parts[0], end, monthrange(parts[0], end)[1])


def span(when: dict[str, Any]) -> Span | None:
    """All instants that a partial date can mean; None when nothing is known."""
    at, possible = exact(when), days(when)
    if at is not None:
        return Span(at, at + MINUTE)
    return None if possible is None else Span(start_of(possible[0]), start_of(possible[1] + DAY))


def latest(when: dict[str, Any], known_by: datetime) -> datetime:
    """The last instant (ms) that a partial date can mean, not after it was known; an exact one as it is."""
    at, possible = exact(when), span(when)
    if at is not None:
        return at
    return known_by if possible is None else min(known_by, possible.after - timedelta(milliseconds=1))
