"""Civil dates without a zone: the one rule of months that protocol and derivations share (`visits.md` section 3)."""

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """Same day of month, clamped to the month's end; count from the original date, never chain two calls."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
