"""From awareness to deadline, in the site's civil time (`safety.md` 5.2): weekends and holidays count."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_projections.clinical.calendar import end_of_day, local_date

SAE_HOURS = 24
SEVEN_DAYS, EIGHT_DAYS, FIFTEEN_DAYS = 7, 8, 15


class Term(NamedTuple):
    """From when to when a report is due, and when to warn; see `Clock` for what each instant means."""

    started_at: datetime
    day0: date | None
    due_at: datetime
    warn_at: datetime


def within_24_hours(started_at: datetime, rules: SafetyRules) -> Term:
    """24 hours from an instant, the last one included."""
    due_at = started_at + timedelta(hours=SAE_HOURS)
    return Term(started_at, None, due_at, due_at - timedelta(hours=rules.clock_warning_hours))


def within_days(started_at: datetime, days: int, rules: SafetyRules, zone: ZoneInfo) -> Term:
    """Until the end of the civil day that comes so many days after Day 0, the day of awareness."""
    day0 = local_date(started_at, zone)
    return until(started_at, day0, day0 + timedelta(days=days), rules, zone)


def until(started_at: datetime, day0: date, last: date, rules: SafetyRules, zone: ZoneInfo) -> Term:
    """Until the end of a civil day; the warning comes civil days, not multiples of 24 hours, before it."""
    warned = last - timedelta(days=rules.clock_warning_days)
    return Term(started_at, day0, end_of_day(last, zone), end_of_day(warned, zone))


def after_seven_day_report(submitted_at: datetime, day0: date, rules: SafetyRules, zone: ZoneInfo) -> Term:
    """Eight further days, from the report or from the day on which it was due (FU8_FROM), at most 15 from Day 0."""
    begins = local_date(submitted_at, zone)
    if rules.fu8_from == "DAY7":
        begins = day0 + timedelta(days=SEVEN_DAYS)
    last = min(begins + timedelta(days=EIGHT_DAYS), day0 + timedelta(days=FIFTEEN_DAYS))
    return until(submitted_at, begins, last, rules, zone)
