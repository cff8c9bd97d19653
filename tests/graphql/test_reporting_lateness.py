"""How late a report is, as the API says it: in days of the site or in begun minutes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from hepatrail_graphql.reporting_clocks import lateness_days, lateness_minutes, site_time
from hepatrail_projections.clinical.reporting.clock import Clock, ClockType

SHANGHAI = ZoneInfo("Asia/Shanghai")


def clock(kind: ClockType, due_at: datetime, met_at: datetime | None = None) -> Clock:
    """A clock of a kind."""
    return Clock(
        clock_id=UUID(int=1),
        type=kind,
        subject_id="S-01",
        ae_id=UUID(int=2),
        start_commit_id=UUID(int=3),
        started_at=due_at - timedelta(days=8),
        day0=None,
        due_at=due_at,
        warn_at=due_at,
        opened_at=due_at,
        changed_at=due_at,
        provisional=False,
        protocol_version="1.0",
        met_at=met_at,
        met_recorded_at=met_at,
    )


MIDNIGHT = datetime(2026, 3, 17, 16, tzinfo=UTC)
"""The end of 17 March in Shanghai."""


@pytest.mark.parametrize(
    ("later", "days"),
    [
        (timedelta(0), 1),
        (timedelta(hours=23, minutes=59), 1),
        (timedelta(days=1), 2),
        (timedelta(days=10, hours=3), 11),
    ],
)
def test_a_report_is_late_by_civil_days_of_the_site(later: timedelta, days: int) -> None:
    late = clock(ClockType.SUSAR_7D, MIDNIGHT, MIDNIGHT + later)
    assert lateness_days(late, MIDNIGHT, SHANGHAI) == days
    assert lateness_minutes(late, MIDNIGHT) is None


@pytest.mark.parametrize(
    ("later", "minutes"),
    [
        (timedelta(0), None),
        (timedelta(milliseconds=1), 1),
        (timedelta(minutes=1), 1),
        (timedelta(minutes=1, milliseconds=1), 2),
        (timedelta(hours=25), 1_500),
    ],
)
def test_a_report_in_hours_is_late_by_begun_minutes(later: timedelta, minutes: int | None) -> None:
    late = clock(ClockType.INV_SAE_24H, MIDNIGHT, MIDNIGHT + later)
    assert lateness_minutes(late, MIDNIGHT) == minutes
    assert lateness_days(late, MIDNIGHT, SHANGHAI) is None


def test_what_is_not_late_says_so_by_nothing() -> None:
    running = clock(ClockType.DEV_15D, MIDNIGHT)
    assert lateness_days(running, MIDNIGHT - timedelta(milliseconds=1), SHANGHAI) is None
    assert lateness_days(running, MIDNIGHT, SHANGHAI) == 1


def test_tim_04_site_time_names_its_offset() -> None:
    assert site_time(MIDNIGHT, SHANGHAI) == "2026-03-18T00:00:00.000+08:00"
