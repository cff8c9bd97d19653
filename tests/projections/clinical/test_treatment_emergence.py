"""Treatment emergence: every situation of `safety.md` section 3, and the window that it is held against.

When the participant was treated is in `emergence_builders.py`.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from emergence_builders import ACCESS, RULES, SHANGHAI, T0, UNKNOWN, ae, emergence, site, when, window
from hepatrail_events.types import PartialDate
from hepatrail_projections.clinical.adverse_events.emergence import (
    NOT_EMERGENT,
    Emergence,
    TeaeCase,
    TeFlag,
    treatment_emergence,
)
from hepatrail_projections.clinical.adverse_events.window import te_window

# The window


def test_te_start_is_the_access_placed_for_the_first_session() -> None:
    assert window().starts == ACCESS


def test_te_start_is_t0_where_no_access_was_placed_for_the_session() -> None:
    assert window(access=None).starts == T0


def test_te_start_is_t0_where_the_access_is_said_to_be_later() -> None:
    assert window(access=T0 + timedelta(hours=1)).starts == T0


def test_te_start_is_t0_where_the_protocol_says_so() -> None:
    assert window(te_start_anchor="T0").starts == T0


def test_te_end_is_the_end_of_the_same_day_twelve_months_after_the_last_session() -> None:
    assert window().ends == datetime(2027, 3, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("t_last", "months", "day_after"),
    [
        (datetime(2028, 2, 29, 8, tzinfo=UTC), 12, date(2029, 3, 1)),
        (datetime(2026, 8, 31, 8, tzinfo=UTC), 6, date(2027, 3, 1)),
        (datetime(2026, 3, 31, 15, 59, tzinfo=UTC), 12, date(2027, 4, 1)),
        (datetime(2026, 3, 31, 16, tzinfo=UTC), 12, date(2027, 4, 2)),
    ],
    ids=["leap day", "month end", "last minute of a site day", "midnight at the site"],
)
def test_te_end_is_counted_in_civil_dates_of_the_site(t_last: datetime, months: int, day_after: date) -> None:
    ends = window(t_last=t_last, safety_end_months=months).ends
    assert ends is not None
    assert ends.astimezone(SHANGHAI) == datetime.combine(day_after, datetime.min.time(), SHANGHAI)


def test_the_window_is_provisional_while_a_session_runs() -> None:
    open_window = window(t_last=None)
    assert (open_window.ends, open_window.provisional, window().provisional) == (None, True, False)
    assert emergence(ae("2031-01-01"), open_window).case is TeaeCase.A


def test_never_treated_has_no_window() -> None:
    assert te_window(None, ACCESS, None, RULES, SHANGHAI) is None


# The situations of section 3


def test_same_grade_persistence_through_te_start_is_no_teae() -> None:
    found = emergence(ae("2026-03-01", (2, "2026-03-01"), (2, "2026-03-12")))
    assert (found.teae, found.grade_before, found.max_grade) == (False, 2, None)


def test_linked_to_a_baseline_condition_and_not_worse_is_no_teae() -> None:
    linked = ae("2026-03-12", (2, "2026-03-12"), linked=True, condition_grade=2)
    assert not emergence(linked).teae


@pytest.mark.parametrize(
    ("worse", "case"),
    [
        ({"condition_grade": 1}, TeaeCase.B),
        ({"condition_grade": 2, "frequency_worsened": (when("2026-03-14"),)}, TeaeCase.C),
        ({"condition_grade": 2, "serious": True, "serious_since": when("2026-03-13")}, TeaeCase.D),
    ],
    ids=["intensity", "frequency", "seriousness"],
)
def test_linked_to_a_baseline_condition_and_worse_is_a_teae_but_never_by_case_a(
    worse: dict[str, Any], case: TeaeCase
) -> None:
    assert emergence(ae("2026-03-12", (2, "2026-03-12"), linked=True, **worse)).case is case


def test_grade_2_before_then_1_at_te_start_then_2_again_is_a_teae_by_b() -> None:
    found = emergence(ae("2026-03-01", (2, "2026-03-01"), (1, "2026-03-08"), (2, "2026-03-15")))
    assert (found.case, found.grade_before, found.onset) == (TeaeCase.B, 1, when("2026-03-15"))


def test_resolved_before_te_start_and_recurring_is_a_new_event_and_a_teae_by_a() -> None:
    first = ae("2026-03-01", (2, "2026-03-01"), end_at=when("2026-03-05"))
    again = ae("2026-03-12", (2, "2026-03-12"))
    assert (emergence(first).teae, emergence(again).case) == (False, TeaeCase.A)


@pytest.mark.parametrize("onset", ["2026-03-10T12:30", "2026-03-10T09:00"], ids=["in a session", "at TE_START"])
def test_onset_during_a_session_or_at_exactly_te_start_is_a_teae(onset: str) -> None:
    found = emergence(ae(site(onset)))
    assert (found.case, found.onset) == (TeaeCase.A, site(onset))


def test_the_minute_before_te_start_is_before_it() -> None:
    assert not emergence(ae(site("2026-03-10T08:59"))).teae


def test_the_minute_in_which_te_start_lies_is_not_before_it() -> None:
    seconds_later = window(access=ACCESS + timedelta(seconds=30))
    assert emergence(ae(site("2026-03-10T09:00")), seconds_later).teae


def test_onset_between_access_and_t0_is_a_teae_by_a() -> None:
    assert emergence(ae(site("2026-03-10T09:30"))).case is TeaeCase.A
    assert not emergence(ae(site("2026-03-10T09:30")), window(te_start_anchor="T0")).teae


@pytest.mark.parametrize(("stated_before", "teae"), [(False, True), (True, False)])
def test_onset_on_the_day_of_te_start_is_a_teae_unless_stated_before_the_first_session(
    stated_before: bool, teae: bool
) -> None:
    assert emergence(ae("2026-03-10", onset_before_first_session=stated_before)).teae is teae


@pytest.mark.parametrize("onset", [when("2026-03"), when("2026"), UNKNOWN], ids=["month", "year", "unknown"])
def test_onset_in_the_month_or_year_of_te_start_or_unknown_is_a_teae_unless_it_ended_before(onset: PartialDate) -> None:
    assert emergence(ae(onset)).case is TeaeCase.A
    assert emergence(ae(onset, end_at=when("2026-03-10"))).teae
    assert not emergence(ae(onset, (2, "2026-03-09"), end_at=when("2026-03-09"))).teae


@pytest.mark.parametrize("onset", [when("2026-03"), when("2026"), UNKNOWN], ids=["month", "year", "unknown"])
def test_the_investigators_word_also_decides_where_only_a_month_or_year_is_known(onset: PartialDate) -> None:
    assert not emergence(ae(onset, onset_before_first_session=True)).teae


@pytest.mark.parametrize("onset", ["2026-02", "2025"])
def test_onset_in_a_month_or_year_before_te_start_is_before_it(onset: str) -> None:
    assert not emergence(ae(onset)).teae


@pytest.mark.parametrize("onset", ["2026-03-11", "2026-04", "2027"])
def test_the_investigators_word_says_nothing_against_a_later_date(onset: str) -> None:
    assert emergence(ae(onset, onset_before_first_session=True)).case is TeaeCase.A


def test_the_grade_at_an_onset_stated_before_the_first_session_is_the_grade_before() -> None:
    event = ae("2026-03-10", (2, "2026-03-10"), (3, "2026-03-11"), onset_before_first_session=True)
    found = emergence(event)
    assert (found.case, found.grade_before, found.flags) == (TeaeCase.B, 2, ())


def test_grade_before_unknown_and_any_later_grade_is_a_teae_with_a_flag() -> None:
    found = emergence(ae("2026-03-01", (1, "2026-03-12")))
    assert (found.case, found.grade_before) == (TeaeCase.B, None)
    assert found.flags == (TeFlag.GRADE_BASELINE_UNKNOWN,)


def test_grade_before_unknown_and_no_later_grade_is_no_teae() -> None:
    assert emergence(ae("2026-03-01")) == Emergence()


def test_a_linked_condition_of_unknown_grade_is_flagged() -> None:
    found = emergence(ae("2026-03-12", (1, "2026-03-12"), linked=True))
    assert (found.case, found.flags) == (TeaeCase.B, (TeFlag.GRADE_BASELINE_UNKNOWN,))


def test_onset_inside_is_a_teae_whenever_it_was_recorded() -> None:
    """Emergence knows no time of recording: there is nothing to state it with."""
    assert emergence(ae("2027-03-31")).case is TeaeCase.A


@pytest.mark.parametrize("onset", ["2027-04-01", "2027-04", "2028"])
def test_onset_after_te_end_is_no_teae(onset: str) -> None:
    assert emergence(ae(onset, serious=True)) == NOT_EMERGENT


@pytest.mark.parametrize("onset", ["2027-03", "2027"], ids=["month of TE_END", "year of TE_END"])
def test_onset_that_may_lie_before_te_end_is_a_teae(onset: str) -> None:
    assert emergence(ae(onset)).teae


def test_the_last_minute_of_te_end_is_inside() -> None:
    assert emergence(ae(site("2027-03-31T23:59"))).teae
    assert not emergence(ae(site("2027-04-01T00:00"))).teae


def test_onset_after_a_transplant_inside_the_window_is_a_teae_with_a_flag() -> None:
    transplant = datetime(2026, 4, 1, 2, tzinfo=UTC)
    after = treatment_emergence(ae("2026-04-02"), window(), RULES, transplant)
    assert (after.case, after.flags) == (TeaeCase.A, (TeFlag.POST_TRANSPLANT,))
    for not_certain in ("2026-04-01", "2026-04", "2026-03-31"):
        assert treatment_emergence(ae(not_certain), window(), RULES, transplant).flags == ()


def test_a_session_that_is_void_or_corrected_moves_the_window_and_every_answer() -> None:
    event = ae("2026-03-12", (2, "2026-03-12"))
    moved = window(t0=datetime(2026, 3, 20, 2, tzinfo=UTC), access=None)
    assert (emergence(event).case, emergence(event, moved).case) == (TeaeCase.A, None)


def test_never_treated_is_no_teae() -> None:
    assert treatment_emergence(ae("2026-03-12"), None, RULES) == NOT_EMERGENT
