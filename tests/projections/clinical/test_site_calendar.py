"""Days are the site's, months are counted from the original date (visits.md section 3)."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatrail_projections.clinical.calendar import (
    add_months,
    end_of_day,
    local_date,
    site_zone,
    start_of_day,
    to_minute,
)

BEIJING = site_zone("Asia/Shanghai")


def test_a_session_that_ends_at_half_past_midnight_at_the_site_belongs_to_the_new_day() -> None:
    assert local_date(datetime(2026, 3, 10, 16, 30, tzinfo=UTC), BEIJING) == date(2026, 3, 11)
    assert local_date(datetime(2026, 3, 10, 15, 59, 59, tzinfo=UTC), BEIJING) == date(2026, 3, 10)
    assert local_date(datetime(2026, 3, 10, 16, 0, tzinfo=UTC), BEIJING) == date(2026, 3, 11)


def test_the_zone_of_the_instant_given_does_not_matter() -> None:
    east = timezone(timedelta(hours=8))
    assert local_date(datetime(2026, 3, 11, 0, 30, tzinfo=east), BEIJING) == date(2026, 3, 11)


def test_a_day_starts_at_16_utc_of_the_day_before_and_ends_where_the_next_starts() -> None:
    assert start_of_day(date(2026, 3, 12), BEIJING) == datetime(2026, 3, 11, 16, tzinfo=UTC)
    assert end_of_day(date(2026, 3, 12), BEIJING) == start_of_day(date(2026, 3, 13), BEIJING)
    assert end_of_day(date(2028, 2, 28), BEIJING) == datetime(2028, 2, 28, 16, tzinfo=UTC)


def test_a_day_has_23_or_25_hours_where_clocks_change() -> None:
    berlin = site_zone("Europe/Berlin")
    assert end_of_day(date(2026, 3, 29), berlin) - start_of_day(date(2026, 3, 29), berlin) == timedelta(hours=23)
    assert end_of_day(date(2026, 10, 25), berlin) - start_of_day(date(2026, 10, 25), berlin) == timedelta(hours=25)


def test_a_midnight_that_clocks_skip_is_the_instant_of_the_change() -> None:
    santiago = site_zone("America/Santiago")
    start = start_of_day(date(2024, 9, 8), santiago)
    assert start == datetime(2024, 9, 8, 4, tzinfo=UTC)
    assert local_date(start, santiago) == date(2024, 9, 8)
    assert local_date(start - timedelta(seconds=1), santiago) == date(2024, 9, 7)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 8, 31), 12, date(2027, 8, 31)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 3, 10), 0, date(2026, 3, 10)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
    ],
)
def test_months_clamp_to_the_end(start: date, months: int, end: date) -> None:
    assert add_months(start, months) == end


def test_two_calls_in_a_chain_are_not_the_same() -> None:
    assert add_months(add_months(date(2026, 8, 31), 6), 6) == date(2027, 8, 28)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_months_keep_the_day_or_clamp_it(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


def test_minutes_are_cut_not_rounded() -> None:
    assert to_minute(datetime(2026, 3, 10, 8, 30, 59, 999000, tzinfo=UTC)) == datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
