"""Civil dates of the site (`visits.md` section 3, `safety.md` section 0): instants are UTC, days are the site's."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hepatrail_events.civil import add_months

__all__ = ["add_months", "end_of_day", "local_date", "site_zone", "start_of_day", "to_minute"]

_DAY = timedelta(days=1)


@cache
def site_zone(name: str) -> ZoneInfo:
    """The IANA zone, never a fixed offset; ZoneInfoNotFoundError (a KeyError) for an unknown name."""
    return ZoneInfo(name)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """LD: the civil date of an aware instant at the site."""
    return instant.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of a civil date; where clocks skip midnight, the instant of the change."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """EOD as an exclusive bound: the first instant of the next civil date."""
    return start_of_day(day + _DAY, zone)


def to_minute(instant: datetime) -> datetime:
    """The instant cut to its minute, as instant windows compare."""
    return instant.replace(second=0, microsecond=0)
