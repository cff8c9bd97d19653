"""Anchor and windows (visits.md sections 1 to 3)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_builders import T0, A, collected, hours, session, stop
from hepatrail_projections.clinical.inputs import Collected, Session
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, VisitPlan
from hepatrail_projections.clinical.windows import Window, anchor, during_session, windows


def opened(*sessions: Session, plan: VisitPlan = DEFAULT_PLAN) -> dict[str, Window]:
    return {window.code: window for window in windows(anchor(sessions, plan), plan)}


def utc(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_the_anchor_is_the_end_of_the_first_session_that_started() -> None:
    first, second = session(), session(A + hours(20), A + hours(26))
    found = anchor([second, first], DEFAULT_PLAN)
    assert found is not None
    assert (found.t0, found.t0_date, found.t0_session_id) == (T0, date(2026, 3, 10), first.session_id)
    assert (found.instant, found.date, found.t_last) == (A, date(2026, 3, 10), A + hours(26))
    assert found.event_ids == first.event_ids


def test_other_anchor_rules_can_be_configured() -> None:
    first, second = session(), session(A + hours(20), A + hours(26))
    last = anchor([first, second], replace(DEFAULT_PLAN, anchor_rule="LAST_SESSION_END"))
    start = anchor([first, second], replace(DEFAULT_PLAN, anchor_rule="FIRST_SESSION_START"))
    assert last is not None
    assert (last.instant, last.date, last.t0) == (A + hours(26), date(2026, 3, 11), T0)
    assert last.event_ids == first.event_ids + second.event_ids
    assert start is not None
    assert start.instant == T0


def test_without_session_there_is_neither_anchor_nor_window() -> None:
    assert anchor([], DEFAULT_PLAN) is None
    assert windows(None, DEFAULT_PLAN) == ()


def test_an_open_session_gives_a_baseline_window_only() -> None:
    found = anchor([session(ended=None)], DEFAULT_PLAN)
    assert found is not None
    assert (found.instant, found.date, found.t_last) == (None, None, None)
    assert [window.code for window in windows(found, DEFAULT_PLAN)] == ["BL"]


def test_a_death_takes_the_place_of_an_end_that_was_never_recorded() -> None:
    death = stop("DEATH", T0 + hours(2))
    running = session(ended=None)
    found = anchor([running], DEFAULT_PLAN, death)
    assert found is not None
    assert found.instant == T0 + hours(2)
    assert found.event_ids == running.event_ids + death.event_ids
    ended = anchor([session()], DEFAULT_PLAN, stop("DEATH", A + hours(1)))
    assert ended is not None
    assert ended.instant == A


def test_a_session_that_ends_after_midnight_at_the_site_anchors_on_the_new_day() -> None:
    found = anchor([session(ended=datetime(2026, 3, 10, 16, 30, tzinfo=UTC))], DEFAULT_PLAN)
    assert found is not None
    assert found.date == date(2026, 3, 11)


def test_the_table_of_windows() -> None:
    found = opened(session())
    assert list(found) == [point.code for point in DEFAULT_PLAN.points]
    table = {code: (window.earliest, window.latest) for code, window in found.items()}
    assert table == {
        "BL": (T0 - timedelta(days=7), T0),
        "P0_5_1H": (A + timedelta(minutes=30), A + timedelta(minutes=60)),
        "H12": (A + hours(10), A + hours(14)),
        "H24": (A + hours(20), A + hours(28)),
        "D2": (utc(11, 16), utc(12, 16)),
        "D3": (utc(12, 16), utc(13, 16)),
        "D5": (utc(14, 16), utc(15, 16)),
        "D7": (utc(15, 16), utc(18, 16)),
        "W2": (utc(21, 16), utc(26, 16)),
        "W4": (utc(3, 16, month=4), utc(10, 16, month=4)),
        "W6": (utc(17, 16, month=4), utc(24, 16, month=4)),
        "W12": (utc(25, 16, month=5), utc(9, 16, month=6)),
        "M6": (datetime(2026, 8, 26, 16, tzinfo=UTC), datetime(2026, 9, 24, 16, tzinfo=UTC)),
        "M12": (datetime(2027, 2, 23, 16, tzinfo=UTC), datetime(2027, 3, 24, 16, tzinfo=UTC)),
    }
    assert [code for code, window in found.items() if window.latest_inclusive] == ["P0_5_1H", "H12", "H24"]


def test_targets() -> None:
    found = opened(session())
    assert found["BL"].target == T0
    assert found["P0_5_1H"].target == A + timedelta(minutes=45)
    assert found["D2"].target == A + timedelta(days=2)
    assert found["M6"].target == A + timedelta(days=184)
    assert (found["D7"].first_date, found["D7"].last_date) == (date(2026, 3, 16), date(2026, 3, 18))


def test_month_windows_count_from_the_anchor_date_and_never_through_each_other() -> None:
    found = opened(session(datetime(2026, 8, 31, 2, tzinfo=UTC), datetime(2026, 8, 31, 8, tzinfo=UTC)))
    assert (found["M6"].first_date, found["M6"].last_date) == (date(2027, 2, 14), date(2027, 3, 14))
    assert (found["M12"].first_date, found["M12"].last_date) == (date(2027, 8, 17), date(2027, 9, 14))


def test_a_leap_day_anchor() -> None:
    found = opened(session(datetime(2028, 2, 29, 2, tzinfo=UTC), datetime(2028, 2, 29, 8, tzinfo=UTC)))
    assert found["D2"].first_date == date(2028, 3, 2)
    assert found["M12"].first_date == date(2029, 2, 14)


@pytest.mark.parametrize(
    ("ended", "taken", "inside"),
    [
        ((8, 0, 0), (8, 29, 59), False),
        ((8, 0, 0), (8, 30, 0), True),
        ((8, 0, 0), (9, 0, 59), True),
        ((8, 0, 0), (9, 1, 0), False),
        ((8, 0, 40), (8, 30, 0), True),
        ((8, 0, 40), (9, 0, 59), True),
        ((8, 0, 40), (9, 1, 0), False),
    ],
)
def test_the_half_to_one_hour_window_compares_whole_minutes(
    ended: tuple[int, int, int], taken: tuple[int, int, int], inside: bool
) -> None:
    window = opened(session(ended=datetime(2026, 3, 10, *ended, tzinfo=UTC)))["P0_5_1H"]
    assert window.contains(datetime(2026, 3, 10, *taken, tzinfo=UTC)) is inside


def test_a_date_window_is_open_from_midnight_to_midnight_at_the_site() -> None:
    window = opened(session())["D2"]
    millisecond = timedelta(milliseconds=1)
    assert not window.contains(utc(11, 16) - millisecond)
    assert window.contains(utc(11, 16))
    assert window.contains(utc(12, 16) - millisecond)
    assert not window.contains(utc(12, 16))


def test_a_date_alone_is_in_date_windows_only() -> None:
    found = opened(session())
    holding = [code for code, window in found.items() if window.contains_date(date(2026, 3, 12))]
    assert holding == ["D2"]
    assert not any(window.contains_date(date(2026, 3, 11)) for window in found.values())
    assert not found["BL"].contains_date(date(2026, 3, 9))


def test_a_sample_lies_in_a_session_from_its_start_to_before_its_end() -> None:
    sessions = [session(), session(A + hours(20), None)]
    assert during_session(collected(T0), sessions)
    assert during_session(collected(A - hours(0.01)), sessions)
    assert not during_session(collected(A), sessions)
    assert during_session(collected(A + hours(30)), sessions)
    assert not during_session(collected(date(2026, 3, 10)), sessions)


def test_a_collection_time_is_an_instant_or_a_date() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Collected(None, None)
    with pytest.raises(ValueError, match="exactly one"):
        Collected(A, date(2026, 3, 10))


@settings(deadline=None)
@given(
    st.timedeltas(timedelta(0), timedelta(days=9 * 366)).map(lambda offset: datetime(2024, 1, 1, tzinfo=UTC) + offset)
)
def test_whatever_the_anchor_date_windows_never_overlap_and_hold_their_target_date(end: datetime) -> None:
    found = opened(session(end - hours(6), end))
    dated = [window for window in found.values() if window.first_date is not None]
    for earlier, later in pairwise(dated):
        assert earlier.ends <= later.earliest
    for window in found.values():
        assert window.kind == "pre" or window.contains(window.target)
