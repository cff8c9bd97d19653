"""Clinical times as intervals of the calendar, and which of two is later."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
SITE_ZONE = ZoneInfo("Asia/Shanghai")
TOLERANCE = timedelta(minutes=5)


def span(when: Any) -> Span:
    """From a time of the log, or the text of one in a correction, to the interval in which it lies, end excluded."""
    text = when.get("value", "UNKNOWN") if isinstance(when, dict) else str(when)
    if text == "UNKNOWN":
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if "T" in text:
        start = datetime.fromisoformat(text)
        return start, start + (timedelta(minutes=1) if len(text) == 17 else timedelta(milliseconds=1))
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    start = datetime(year, month, day, tzinfo=SITE_ZONE)
    if len(parts) == 3:
        end = start + timedelta(days=1)
    else:
        months = year * 12 + month - 1 + (1 if len(parts) == 2 else 12)
        end = datetime(months // 12, months % 12 + 1, 1, tzinfo=SITE_ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)


def later(left: Any, right: Any) -> bool:
    """Whether `left` is later than `right` at the coarser of their precisions: calendar intervals nest or are apart."""
    if left is None or right is None:
        return False
    return span(left)[0] >= span(right)[1]
