"""What must hold of the survival tables for any participants, and for any trial at any cut."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_events.protocol import shipped_protocol
from hepatrail_projections.clinical.endpoints.cells import Cell
from hepatrail_projections.clinical.endpoints.competing import Cause, FirstEvent, incidence
from hepatrail_projections.clinical.endpoints.follow_up import overall, transplant_free
from hepatrail_projections.clinical.endpoints.survival_incidence import incidence_steps
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts
from hepatrail_projections.endpoints.survival_tables import survival_steps, survival_tables
from survival_course import LATER, Life, facts_of, random_trial

PROTOCOL = shipped_protocol()
HORIZON = PROTOCOL.endpoints.os_horizon_days
unhurried = settings(deadline=None)
few = settings(max_examples=20, deadline=None)
maybe = st.none() | st.integers(0, 420)


@st.composite
def trials(draw: st.DrawFn) -> list[SurvivalFacts]:
    lives = draw(st.lists(st.tuples(st.integers(0, 420), maybe, maybe, st.booleans()), max_size=14))
    return [
        facts_of(f"S-{number:02d}", alive, death=death, transplant=transplant, imputed=imputed)
        for number, (alive, death, transplant, imputed) in enumerate(lives)
    ]


def cells(facts: list[SurvivalFacts], as_of: datetime = LATER) -> Iterator[Cell]:
    for table in survival_tables(facts, PROTOCOL, as_of):
        for _, cell in table.cells():
            yield cell


@few
@given(trials(), st.randoms())
def test_the_order_of_the_facts_does_not_matter(facts: list[SurvivalFacts], chance: Random) -> None:
    before = (survival_tables(facts, PROTOCOL, LATER), survival_steps(facts, PROTOCOL, LATER))
    chance.shuffle(facts)
    after = (survival_tables(facts, PROTOCOL, LATER), survival_steps(facts, PROTOCOL, LATER))
    assert repr(after) == repr(before)


@few
@given(trials())
def test_freedom_and_both_incidences_add_up_to_one_at_every_day(facts: list[SurvivalFacts]) -> None:
    tables = {table.code: table for table in survival_tables(facts, PROTOCOL, LATER)}
    for row in tables["CUMULATIVE_INCIDENCE"].rows:
        total = row.cell("SUM")
        assert "SUM_DIFFERS" not in total.flags
        assert total.value is None or abs(float(total.value) - 1) <= 1e-9
        assert row.cell("FREE").value == tables["TRANSPLANT_FREE_SURVIVAL"].row(row.code).cell("SURVIVAL").value
        assert (row.cell("TRANSPLANT").value is None) == (row.cell("FREE").value is None)
    for step in survival_steps(facts, PROTOCOL, LATER).incidence:
        assert step.transplant + step.death + step.free == 1


@few
@given(trials())
def test_intervals_hold_the_estimate(facts: list[SurvivalFacts]) -> None:
    for cell in cells(facts):
        if cell.interval is not None:
            assert cell.value is not None
            assert cell.interval.lower - 1e-12 <= float(cell.value) <= cell.interval.upper + 1e-12


@few
@given(trials())
def test_worst_and_best_case_enclose_the_crude_proportion_of_all(facts: list[SurvivalFacts]) -> None:
    tables = {table.code: table for table in survival_tables(facts, PROTOCOL, LATER)}
    for row in tables["CRUDE_SURVIVAL"].rows:
        alive, worst, best = row.cell("ALIVE"), row.cell("WORST"), row.cell("BEST")
        assert (worst.of, best.of) == (len(facts), len(facts))
        if alive.value is not None and worst.value is not None and best.value is not None:
            assert float(worst.value) <= float(alive.value) + 1e-12
            assert float(worst.value) <= float(best.value)
            assert row.cell("KNOWN").n == alive.of
        assert (row.cell("KNOWN").n or 0) + (row.cell("UNKNOWN").n or 0) == len(facts)


@unhurried
@given(trials(), st.integers(0, 420))
def test_nobody_is_free_of_both_for_longer_than_alive(facts: list[SurvivalFacts], cut: int) -> None:
    for each in facts:
        of = each.follow_up
        assert of is not None
        day = of.t0.day + timedelta(days=cut)
        alive, free = overall(of, day, HORIZON), transplant_free(of, day, HORIZON)
        assert 0 <= alive.days <= HORIZON and 0 <= free.days <= HORIZON
        assert free.days <= alive.days or not alive.happened
        assert alive.days <= max(cut, 0) and free.days <= cut
        if not alive.happened and not free.happened:
            assert alive == free


@unhurried
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(Cause)), max_size=14))
def test_the_steps_in_one_pass_are_the_incidences_of_their_days(events: list[tuple[int, Cause]]) -> None:
    followed = [FirstEvent(f"S-{number}", days, cause) for number, (days, cause) in enumerate(events)]
    steps = incidence_steps(followed)
    assert [incidence(followed, each.tau) for each in steps] == list(steps)
    changes = {days for days, cause in events if cause}
    assert changes <= {each.tau for each in steps}
    assert [each.tau for each in steps] == sorted({each.tau for each in steps})
    assert not events or (steps[0].tau, steps[-1].tau) == (0, max(days for days, _ in events))
    assert all(each.free >= Fraction(0) for each in steps)


@pytest.mark.parametrize("seed", [13, 21])
def test_what_is_recorded_after_a_cut_changes_no_answer_as_of_it(seed: int) -> None:
    trial = random_trial(seed, 10)
    cut = LATER.replace(year=2026, month=6)
    before = repr(trial.tables(cut))
    late = cut + timedelta(days=1)
    for number in range(10):
        life = Life(trial.log, f"S-{number:02d}")
        life.seen(cut - timedelta(days=1), recorded=late)
        life.transplant(cut.date(), recorded=late)
        life.death(late, aware=late)
    assert repr(trial.tables(late + timedelta(hours=1))) != before
    assert repr(trial.tables(cut)) == before


@pytest.mark.parametrize("seed", [13, 21])
def test_the_same_cut_gives_the_same_bytes(seed: int) -> None:
    assert repr(random_trial(seed, 8).tables()) == repr(random_trial(seed, 8).tables())
