"""Survival by the test vector of `endpoints.md` 3.3, against lifelines, and by what must hold for anybody."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from hepatrail_projections.clinical.endpoints.cells import rounded
from hepatrail_projections.clinical.endpoints.competing import Cause, FirstEvent, incidence
from hepatrail_projections.clinical.endpoints.proportion import clopper_pearson
from hepatrail_projections.clinical.endpoints.survival import Followed, KaplanMeier

CONFIDENCE = Decimal("0.95")
VECTOR = [(3, 1), (9, 1), (20, 1), (20, 0), (45, 1), (84, 0), (150, 1), (183, 0), *[(365, 0)] * 4]
times = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=30)
first_events = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(Cause)), min_size=1, max_size=30)


def curve(times: list[tuple[int, int]] | list[tuple[int, bool]]) -> KaplanMeier:
    return KaplanMeier([Followed(f"S-{at}", days, bool(event)) for at, (days, event) in enumerate(times)], CONFIDENCE)


@pytest.mark.parametrize(
    ("tau", "survival", "se", "lower", "upper"),
    [
        (7, "0.9167", "0.0798", "0.539", "0.988"),
        (28, "0.7500", "0.1250", "0.408", "0.912"),
        (84, "0.6563", "0.1402", "0.320", "0.856"),
        (183, "0.5469", "0.1537", "0.222", "0.785"),
        (365, "0.5469", "0.1537", "0.222", "0.785"),
    ],
)
def test_the_test_vector(tau: int, survival: str, se: str, lower: str, upper: str) -> None:
    found = curve(VECTOR).at(tau)
    assert (rounded(found.survival, 4), rounded(found.se, 4)) == (survival, se)
    assert found.interval is not None
    assert (rounded(found.interval.lower, 3), rounded(found.interval.upper, 3)) == (lower, upper)


def test_who_is_at_risk_and_what_has_happened_by_a_landmark() -> None:
    found = curve(VECTOR)
    shown = [(each.at_risk, each.events, each.censored) for each in map(found.at, (0, 20, 84, 183, 365))]
    assert shown == [(12, 0, 0), (10, 3, 0), (7, 4, 1), (5, 5, 2), (4, 5, 3)]


def test_deaths_come_before_censorings_of_the_same_day() -> None:
    assert curve([(20, 1), (20, 0)]).at(20).survival == 0.5


def test_a_curve_of_one_or_nought_has_no_interval_but_the_exact_one_while_nobody_was_censored() -> None:
    alive = curve([(400, 0)] * 3).at(365)
    assert (alive.survival, alive.se, alive.interval) == (1, 0, None)
    assert alive.supplement == clopper_pearson(3, 3, CONFIDENCE)
    dead = curve([(3, 1), (3, 1)]).at(7)
    assert (dead.survival, dead.se, dead.interval, dead.at_risk) == (0, None, None, 0)
    assert dead.supplement == clopper_pearson(0, 2, CONFIDENCE)
    assert curve([(3, 0), (400, 0)]).at(365).supplement is None


def test_behind_the_last_one_there_is_nothing_unless_they_died() -> None:
    assert curve([(3, 1), (5, 0)]).at(7).survival is None
    assert curve([(3, 0), (5, 1)]).at(7).survival == 0
    assert curve([]).at(7).survival is None
    with pytest.raises(ValueError, match="at or after T0"):
        curve(VECTOR).at(-1)


@given(times, st.integers(0, 40))
def test_it_is_what_lifelines_says(times: list[tuple[int, bool]], tau: int) -> None:
    fitter = KaplanMeierFitter().fit([days for days, _ in times], [event for _, event in times])
    found = curve(times).at(tau)
    if found.survival is None:
        assert max(days for days, _ in times) < tau
        return
    assert found.survival == pytest.approx(float(fitter.predict(tau)), abs=1e-9)
    if found.interval is not None:
        limits = fitter.confidence_interval_.loc[: float(tau)].iloc[-1]
        assert found.interval.lower == pytest.approx(limits.iloc[0], abs=1e-6)
        assert found.interval.upper == pytest.approx(limits.iloc[1], abs=1e-6)
        assert found.interval.lower <= found.survival <= found.interval.upper


@given(times)
def test_the_steps_are_the_estimates_of_their_days(times: list[tuple[int, bool]]) -> None:
    found = curve(times)
    for step in found.steps():
        at = found.at(step.days)
        assert (at.survival, at.interval, at.at_risk) == (step.survival, step.interval, step.at_risk)
    assert [step.days for step in found.steps()] == sorted({0, *(days for days, _ in times)})


@given(first_events, st.integers(0, 45), st.randoms())
def test_incidences_and_freedom_from_both_are_one_in_any_order(
    events: list[tuple[int, Cause]], tau: int, chance: object
) -> None:
    followed = [FirstEvent(f"S-{at}", days, cause) for at, (days, cause) in enumerate(events)]
    found = incidence(followed, tau)
    both = KaplanMeier([Followed(each.subject_id, each.days, bool(each.cause)) for each in followed], CONFIDENCE)
    survival = both.at(tau).survival
    if found is None:
        assert survival is None
        return
    assert found.free + found.transplant + found.death == 1
    assert survival == pytest.approx(float(found.free), abs=1e-9)
    chance.shuffle(followed)  # type: ignore[attr-defined]
    assert incidence(followed, tau) == found


def test_without_a_competitor_the_incidence_is_one_minus_survival() -> None:
    followed = [FirstEvent(f"S-{at}", days, Cause(2 * event)) for at, (days, event) in enumerate(VECTOR)]
    found = incidence(followed, 183)
    assert found is not None
    assert (rounded(found.death, 4), rounded(found.transplant, 4)) == ("0.4531", "0.0000")


def test_a_worked_case_of_two_causes() -> None:
    """Ten at risk: transplant on day 2, death on day 3, censored on day 4, transplant on day 5 (seven at risk)."""
    kinds = [(2, 1), (3, 2), (4, 0), (5, 1), *[(9, 0)] * 6]
    found = incidence([FirstEvent(f"S-{at}", days, Cause(kind)) for at, (days, kind) in enumerate(kinds)], 5)
    assert found is not None
    assert (rounded(found.transplant, 4), rounded(found.death, 4)) == ("0.2143", "0.1000")
