"""Treatment emergence: cases, onset and grades of an event, and what holds of any (`safety.md` section 3).

When the participant was treated is in `emergence_builders.py`.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergence_builders import T0, T_LAST, UNKNOWN, ae, emergence, grades, when, window
from hepatrail_projections.ae_facts import GradePoint
from hepatrail_projections.clinical.adverse_events.emergence import NOT_EMERGENT, Emergence, TeaeCase, TeInputs

# Cases, onset and grades


def test_worsening_counts_grades_at_or_after_te_start_only() -> None:
    found = emergence(ae("2026-03-01", (4, "2026-03-02"), (1, "2026-03-09"), (3, "2026-03-12"), (2, "2026-03-14")))
    assert (found.case, found.grade_before, found.max_grade) == (TeaeCase.B, 1, 3)


def test_a_grade_after_te_end_is_no_worsening_and_no_maximum() -> None:
    late = ae("2026-03-01", (1, "2026-03-01"), (3, "2027-04-02"))
    assert not emergence(late).teae
    new = ae("2026-03-12", (1, "2026-03-12"), (3, "2027-04-02"))
    assert emergence(new).max_grade == 1


def test_a_grade_on_the_day_of_te_start_may_lie_after_it_and_counts() -> None:
    assert emergence(ae("2026-03-01", (1, "2026-03-01"), (2, "2026-03-10"))).case is TeaeCase.B


def test_an_event_that_was_over_before_te_start_has_all_its_grades_before_it() -> None:
    over = ae("2026", (2, "2026"), (3, "2026-03"), end_at=when("2026-03-04"))
    assert emergence(over) == Emergence(grade_before=3)


def test_te_onset_is_the_earliest_qualifying_instant_and_its_case() -> None:
    event = ae(
        "2026-03-01",
        (1, "2026-03-01"),
        (2, "2026-03-16"),
        (3, "2026-03-15"),
        frequency_worsened=(when("2026-03-14"), when("2026-03-02")),
        serious_since=when("2026-03-18"),
        serious=True,
    )
    found = emergence(event)
    assert (found.case, found.onset, found.max_grade) == (TeaeCase.C, when("2026-03-14"), 3)


def test_of_equal_instants_the_first_case_names_the_event_and_an_unknown_one_comes_last() -> None:
    same = ae("2026-03-01", (1, "2026-03-01"), (2, "2026-03-15"), frequency_worsened=(when("2026-03-15"),))
    assert emergence(same).case is TeaeCase.B
    unknown = replace(same, grades=grades((1, "2026-03-01")), frequency_worsened=(UNKNOWN, when("2026-03-20")))
    assert (emergence(unknown).case, emergence(unknown).onset) == (TeaeCase.C, when("2026-03-20"))


def test_seriousness_counts_as_worsening_unless_the_protocol_says_otherwise() -> None:
    event = ae("2026-03-01", (1, "2026-03-01"), serious_since=when("2026-03-12"), serious=True)
    assert (emergence(event).case, emergence(event).onset) == (TeaeCase.D, when("2026-03-12"))
    assert not emergence(event, serious_counts_as_worsening=False).teae


def test_serious_since_before_te_start_or_after_te_end_is_no_case_d() -> None:
    for since in ("2026-03-02", "2027-04-02"):
        assert not emergence(ae("2026-03-01", (1, "2026-03-01"), serious_since=when(since), serious=True)).teae


def test_frequency_that_worsened_outside_the_window_is_no_case_c() -> None:
    outside = (when("2026-03-02"), when("2027-04-02"))
    assert not emergence(ae("2026-03-01", (1, "2026-03-01"), frequency_worsened=outside)).teae


@pytest.mark.parametrize(
    ("event", "tesae"),
    [
        (ae("2026-03-12", serious=True), True),
        (ae("2026-03-12", serious=False, serious_since=when("2026-03-12")), False),
        (ae("2026-03-01", (1, "2026-03-01"), (2, "2026-03-12"), serious=True, serious_since=when("2026-03-02")), True),
        (ae("2026-03-01", (1, "2026-03-01"), serious=True, serious_since=when("2026-03-02")), False),
        (ae("2026-03-01", (1, "2026-03-01"), (2, "2026-03-12"), serious_since=when("2026-03-12")), False),
    ],
    ids=["new and serious", "new, downgraded", "worsened while serious", "serious but no TEAE", "worsened, downgraded"],
)
def test_a_tesae_is_a_teae_that_is_serious_now(event: TeInputs, tesae: bool) -> None:
    assert emergence(event).tesae is tesae


# Properties

_dates = st.one_of(
    st.just(UNKNOWN),
    st.dates(date(2026, 2, 20), date(2027, 4, 20)).flatmap(
        lambda day: st.sampled_from([4, 7, 10]).map(lambda cut: when(day.isoformat()[:cut]))
    ),
    st.integers(-1440, 1440).map(lambda off: when(f"{T0 + timedelta(minutes=off):%Y-%m-%dT%H:%MZ}")),
)
_points = st.lists(st.builds(GradePoint, st.integers(1, 5), st.none() | _dates, st.uuids(version=4)), max_size=4).map(
    tuple
)
_events = st.builds(
    TeInputs,
    onset=_dates,
    end_at=st.none() | _dates,
    grades=_points,
    frequency_worsened=st.lists(_dates, max_size=2).map(tuple),
    serious_since=st.none() | _dates,
    serious=st.booleans(),
    onset_before_first_session=st.booleans(),
    linked=st.booleans(),
    condition_grade=st.none() | st.integers(1, 4),
    voided=st.booleans(),
)


@given(_events)
def test_voided_is_never_a_teae(event: TeInputs) -> None:
    assert emergence(replace(event, voided=True)) == NOT_EMERGENT


@given(_events)
def test_case_a_is_for_new_events_and_the_others_for_those_before_or_linked(event: TeInputs) -> None:
    found = emergence(event)
    if found.case is TeaeCase.A:
        assert (event.linked, found.onset, found.grade_before) == (False, event.onset, None)
    assert found.teae == (found.onset is not None)
    assert not found.tesae or (found.teae and event.serious)
    assert found.teae or (found.max_grade, found.flags) == (None, ())


@given(_events, st.integers(1, 400))
def test_a_longer_window_never_takes_an_event_away(event: TeInputs, days: int) -> None:
    longer = window(t_last=T_LAST + timedelta(days=days))
    assert not emergence(event).teae or emergence(event, longer).teae
