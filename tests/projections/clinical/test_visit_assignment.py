"""Which observation serves which time point (visits.md sections 3, 4 and 6)."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinical_builders import T0, A, derived, draw, hours, lab_result, session
from hepatrail_projections.clinical.assignment import Assignment, PointAssignment
from hepatrail_projections.clinical.baseline import baseline_value, baseline_values
from hepatrail_projections.clinical.inputs import Observation
from hepatrail_projections.clinical.visits import DEFAULT_PLAN

MINUTE = timedelta(minutes=1)


def assigned(*observations: Observation) -> Assignment:
    return derived(observations, [session()])[2]


def place(observation: Observation) -> tuple[str | None, bool, str | None, bool]:
    """Point, in window, remark, code impossible, of one observation among no others."""
    result = assigned(observation)
    found = [
        (code, each.placement)
        for code, point in result.points.items()
        for candidates in point.candidates.values()
        for each in candidates
    ]
    if not found:
        assert result.unscheduled == (observation,)
        return None, False, None, bool(result.impossible_codes)
    [(code, placement)] = found
    return code, placement.in_window, placement.remark, bool(result.impossible_codes)


def test_an_observation_falls_into_the_window_that_contains_it() -> None:
    assert place(lab_result(at=A + 40 * MINUTE)) == ("P0_5_1H", True, None, False)
    assert place(lab_result(at=A + hours(24))) == ("H24", True, None, False)
    assert place(lab_result(at=A + timedelta(days=29))) == ("W4", True, None, False)


def test_outside_every_window_it_is_unscheduled_and_kept() -> None:
    assert place(lab_result(at=A + hours(5))) == (None, False, None, False)
    assert place(lab_result(at=A + timedelta(days=20))) == (None, False, None, False)
    assert place(lab_result(at=T0 + hours(1))) == (None, False, None, False)


def test_where_windows_overlap_the_nearer_target_wins() -> None:
    late_end = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)  # 23:30 at the site: H24 ends at 03:30 of the D2 date
    result = derived([lab_result(at=datetime(2026, 3, 11, 17, 0, tzinfo=UTC))], [session(ended=late_end)])[2]
    assert list(result.points["H24"].used) == ["alt"]
    assert not result.points["D2"].used


def test_an_explicit_code_wins_and_a_late_one_is_out_of_window() -> None:
    assert place(lab_result(at=A + timedelta(days=4), visit="D5")) == ("D5", False, "OUT_OF_WINDOW", False)
    assert place(lab_result(at=A + hours(24), visit="H12")) == ("H12", False, "OUT_OF_WINDOW", False)
    assert place(lab_result(at=T0 - timedelta(days=3), visit="BL")) == ("BL", True, None, False)


@pytest.mark.parametrize("visit", ["D2", "WEEK 8", "BL2"])
def test_an_impossible_code_before_treatment_is_ignored_and_queried(visit: str) -> None:
    assert place(lab_result(at=T0 - hours(2), visit=visit)) == ("BL", True, None, True)


def test_an_impossible_code_after_treatment_is_ignored_and_queried() -> None:
    assert place(lab_result(at=A + 40 * MINUTE, visit="BL")) == ("P0_5_1H", True, None, True)
    assert place(lab_result(at=T0 + hours(1), visit="D2")) == (None, False, None, True)
    assert place(lab_result(at=A, visit="P0_5_1H")) == (None, False, None, True)
    assert place(lab_result(at=A + timedelta(milliseconds=1), visit="P0_5_1H"))[0] == "P0_5_1H"
    assert place(lab_result(at=A + timedelta(days=2), visit="DAY2")) == ("D2", True, None, True)


def test_an_explicit_uns_keeps_it_unscheduled() -> None:
    assert place(lab_result(at=A + timedelta(days=2), visit="UNS")) == (None, False, None, False)


def test_a_date_alone_serves_date_windows() -> None:
    assert place(lab_result(at=date(2026, 3, 12))) == ("D2", True, None, False)
    assert place(lab_result(at=date(2026, 3, 11))) == (None, False, None, False)


def test_a_date_alone_at_an_instant_point_is_done_but_its_time_unknown() -> None:
    assert place(lab_result(at=date(2026, 3, 11), visit="H24")) == ("H24", False, "TIME_UNKNOWN", False)
    assert place(lab_result(at=date(2026, 3, 10), visit="H12")) == ("H12", False, "TIME_UNKNOWN", False)
    assert place(lab_result(at=date(2026, 3, 9), visit="H12"))[3] is True


def test_of_several_the_one_nearest_to_the_target_counts_and_a_tie_goes_to_the_earlier() -> None:
    target = A + 45 * MINUTE
    near, far = lab_result(at=target + 5 * MINUTE), lab_result(at=target - 10 * MINUTE)
    assert assigned(far, near).observations("P0_5_1H") == {"alt": near}
    earlier, later = lab_result(at=target - 5 * MINUTE), lab_result(at=target + 5 * MINUTE)
    assert assigned(later, earlier).observations("P0_5_1H") == {"alt": earlier}
    assert len(assigned(later, earlier).points["P0_5_1H"].candidates["alt"]) == 2


def test_one_in_the_window_counts_before_a_nearer_one_out_of_it() -> None:
    outside = lab_result(at=A + timedelta(days=2, hours=8, minutes=1), visit="D2")
    inside = lab_result(at=datetime(2026, 3, 11, 16, 0, tzinfo=UTC))
    assert assigned(outside, inside).observations("D2") == {"alt": inside}
    further = lab_result(at=A + timedelta(days=4), visit="D2")
    assert assigned(further, outside).observations("D2") == {"alt": outside}


def test_of_two_at_the_same_time_the_later_recorded_is_the_latest_version() -> None:
    at = A + timedelta(days=2)
    first, repeat = lab_result(value="30", at=at), lab_result(value="31", at=at)
    assert assigned(first, repeat).observations("D2") == {"alt": repeat}


def test_unusable_rows_give_the_reason_and_nothing_else() -> None:
    at = A + timedelta(days=2)
    result = assigned(
        lab_result("ast", None, at, not_done="HEMOLYSED"),
        lab_result("alt", "30", at, accepted=False),
        lab_result("inr", None, at, not_done="CLOTTED"),
        lab_result("inr", "1.2", at + hours(1)),
    )
    assert result.points["D2"].unusable == {"ast": "HEMOLYSED", "alt": "NOT_ACCEPTED"}
    assert list(result.points["D2"].used) == ["inr"]


def test_a_hemolysed_value_is_no_result() -> None:
    value = lab_result("ast", "30", A + timedelta(days=2))
    assert value.unusable is None
    assert lab_result("ast", None, A).unusable == "NO_VALUE"
    assert lab_result("ast", "30", A, not_done="HEMOLYSED").unusable == "HEMOLYSED"


def test_the_baseline_is_the_last_value_before_treatment_whatever_its_label() -> None:
    old, last = lab_result(at=T0 - hours(50), visit="BL"), lab_result(at=T0 - hours(3), visit="UNS")
    anchored, _, result = derived([last, old, lab_result(at=T0)], [session()])
    assert baseline_value("alt", result, anchored) == last
    assert baseline_value("ast", result, anchored) is None


@pytest.mark.parametrize(
    ("at", "pre_session", "counts"),
    [
        (T0, None, False),
        (T0, False, False),
        (T0, True, True),
        (T0 + MINUTE, True, False),
        (T0 - timedelta(milliseconds=1), None, True),
        (T0 - timedelta(days=7), None, True),
        (T0 - timedelta(days=7, milliseconds=1), None, False),
        (date(2026, 3, 10), None, False),
        (date(2026, 3, 10), True, True),
        (date(2026, 3, 9), None, True),
        (date(2026, 3, 3), None, True),
        (date(2026, 3, 2), None, False),
        (date(2026, 3, 11), True, False),
    ],
)
def test_what_may_be_baseline(at: datetime | date, pre_session: bool | None, counts: bool) -> None:
    value = lab_result(at=at, pre_session=pre_session)
    anchored, _, result = derived([value], [session()])
    assert baseline_values(result, anchored) == ({"alt": value} if counts else {})


def test_an_older_value_serves_the_baseline_visit_out_of_window_but_is_no_baseline() -> None:
    assert place(lab_result(at=T0 - timedelta(days=9))) == ("BL", False, "OUT_OF_WINDOW", False)


def test_a_timed_value_counts_as_later_than_a_date_alone_of_the_same_day() -> None:
    dated, timed = lab_result(at=date(2026, 3, 9)), lab_result(at=datetime(2026, 3, 8, 20, 0, tzinfo=UTC))
    anchored, _, result = derived([timed, dated], [session()])
    assert baseline_value("alt", result, anchored) == timed


def test_before_treatment_everything_is_provisionally_baseline_and_the_last_one_counts() -> None:
    first, last = lab_result(at=T0 - timedelta(days=20)), lab_result(at=T0)
    anchored, _, result = derived([last, first, lab_result("ast", at=T0, visit="D2")])
    assert result.observations("BL")["alt"] == last
    assert [each.code for each in result.impossible_codes] == ["ast"]
    assert baseline_values(result, anchored) == {}


def test_while_the_session_runs_a_visit_code_waits_for_its_end() -> None:
    value = lab_result(at=T0 + hours(7), visit="P0_5_1H")
    result = derived([value], [session(ended=None)])[2]
    assert (result.unscheduled, result.impossible_codes) == ((value,), ())


def test_voiding_the_first_session_moves_everything() -> None:
    second = session(A + hours(20), A + hours(26))
    value = lab_result(at=A + hours(19))
    assert derived([value], [session(), second])[2].unscheduled == (value,)
    assert derived([value], [second])[2].observations("BL") == {"alt": value}


def serving(points: Mapping[str, PointAssignment]) -> Counter[UUID]:
    """How many points each usable observation serves."""
    return Counter(
        each.observation.result_id
        for point in points.values()
        for candidates in point.candidates.values()
        for each in candidates
    )


TIMES = st.one_of(
    st.timedeltas(timedelta(days=-10), timedelta(days=400)).map(lambda offset: A + offset),
    st.dates(date(2026, 3, 1), date(2027, 4, 10)),
)
CODES = st.one_of(st.none(), st.sampled_from([*DEFAULT_PLAN.by_code, "UNS", "S2_H24", "S3_H12", "SFU12", "odd"]))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            lambda at, visit, pre, done: lab_result(
                at=at, visit=visit, pre_session=pre, not_done=None if done else "CLOTTED", sample=uuid4()
            ),
            TIMES,
            CODES,
            st.sampled_from([None, True, False]),
            st.booleans(),
        ),
        max_size=30,
    ),
    st.lists(st.timedeltas(timedelta(0), timedelta(days=9)), max_size=3),
    st.booleans(),
)
def test_no_observation_is_lost_and_none_serves_two_main_or_two_auxiliary_points(
    observations: list[Observation], later: list[timedelta], treated: bool
) -> None:
    sessions = [session(), *(session(A + after, A + after + hours(5)) for after in later)]
    _, _, result = derived(observations, sessions if treated else [])
    served = serving(result.points)
    assert all(count == 1 for count in served.values())
    assert all(count == 1 for count in serving(result.auxiliary).values())
    unscheduled = {each.result_id for each in result.unscheduled}
    assert not unscheduled & set(served)
    unusable = {each.result_id for each in observations if each.unusable}
    assert set(served) | unscheduled | unusable == {each.result_id for each in observations}
    for point in result.points.values():
        for code, candidates in point.candidates.items():
            inside = [each for each in candidates if each.placement.in_window]
            assert point.used[code].placement.in_window == bool(inside)
            assert not set(point.unusable) & set(point.used)


def test_the_rows_of_a_sample_go_together() -> None:
    rows = draw(A + timedelta(days=2), alt="30", ast="31", inr="1.1")
    assert assigned(*rows).observations("D2") == {row.code: row for row in rows}
