"""The schedule as shipped, and the schedules that are refused (visits.md section 1)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from hepatrail_events.protocol import shipped_protocol
from hepatrail_projections.clinical.visits import DEFAULT_PLAN, InvalidPlan, TimePoint, VisitPlan


def with_points(*points: TimePoint) -> VisitPlan:
    spreads = {point.code: timedelta(hours=1) for point in points}
    return replace(DEFAULT_PLAN, points=(TimePoint("BL", "pre"), *points), score_max_spread=spreads)


def test_the_default_plan_says_what_the_shipped_protocol_says() -> None:
    protocol = shipped_protocol()
    points = tuple(TimePoint(**point.model_dump(exclude={"score_spread_minutes"})) for point in protocol.points)
    assert points == DEFAULT_PLAN.points
    assert (protocol.site_zone, protocol.anchor) == (DEFAULT_PLAN.zone, DEFAULT_PLAN.anchor_rule)
    for point in protocol.points:
        assert DEFAULT_PLAN.max_spread(point.code) == timedelta(minutes=point.score_spread_minutes)


def test_it_has_the_14_time_points_in_order_and_five_with_adverse_events_and_survival() -> None:
    codes = [point.code for point in DEFAULT_PLAN.points]
    assert codes == ["BL", "P0_5_1H", "H12", "H24", "D2", "D3", "D5", "D7", "W2", "W4", "W6", "W12", "M6", "M12"]
    assert [point.code for point in DEFAULT_PLAN.points if point.ae] == ["D7", "W4", "W12", "M6", "M12"]
    assert [point.code for point in DEFAULT_PLAN.points if point.surv] == ["D7", "W4", "W12", "M6", "M12"]


def test_date_windows_that_touch_on_one_day_are_refused() -> None:
    with pytest.raises(InvalidPlan, match="D2 and D3"):
        with_points(TimePoint("D2", "date", target_days=2, days_after=1), TimePoint("D3", "date", target_days=3))


def test_a_wide_window_over_a_narrow_one_is_refused_whatever_the_order() -> None:
    with pytest.raises(InvalidPlan, match="W6 and W4"):
        with_points(TimePoint("W4", "date", target_days=28), TimePoint("W6", "date", target_days=42, days_before=20))


def test_months_are_judged_by_their_shortest_and_longest_course() -> None:
    six = TimePoint("M6", "date", target_months=6)
    with_points(six, TimePoint("X", "date", target_days=180))
    with pytest.raises(InvalidPlan, match="M6"):
        with_points(six, TimePoint("X", "date", target_days=181))
    with pytest.raises(InvalidPlan, match="M6"):
        with_points(six, TimePoint("X", "date", target_days=184))
    with_points(six, TimePoint("X", "date", target_days=185))


def test_an_instant_window_may_overlap_a_date_window() -> None:
    instant = TimePoint("H48", "instant", target_minutes=2880, earliest_minutes=2800, latest_minutes=2900)
    plan = with_points(instant, TimePoint("D2", "date", target_days=2))
    assert list(plan.by_code) == ["BL", "H48", "D2"]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ((TimePoint("D2", "date", target_days=2), TimePoint("D2", "date", target_days=3)), "twice"),
        ((TimePoint("H1", "instant", target_minutes=60, earliest_minutes=70, latest_minutes=80),), "H1"),
        ((TimePoint("H1", "instant", target_minutes=60),), "H1"),
        ((TimePoint("D2", "date"),), "D2"),
        ((TimePoint("D2", "date", target_days=2, target_months=1),), "D2"),
        ((TimePoint("D2", "date", target_days=2, days_before=-1),), "negative"),
        ((TimePoint("B2", "pre"),), "BL"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(points: tuple[TimePoint, ...], says: str) -> None:
    with pytest.raises(InvalidPlan, match=says):
        with_points(*points)


def test_an_unknown_zone_and_a_missing_spread_are_refused() -> None:
    with pytest.raises(InvalidPlan, match="Peking"):
        replace(DEFAULT_PLAN, zone="Asia/Peking")
    with pytest.raises(InvalidPlan, match="P0_5_1H"):
        replace(DEFAULT_PLAN, score_max_spread={})


def test_only_date_points_have_a_target_date() -> None:
    with pytest.raises(InvalidPlan, match="H12"):
        DEFAULT_PLAN.by_code["H12"].target_date(date(2026, 3, 10))
