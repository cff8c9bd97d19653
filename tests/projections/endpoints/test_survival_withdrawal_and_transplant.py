"""Withdrawal of follow-up, transplants and what came first: lines of `endpoints.md` 3.1, on recorded courses."""

from datetime import date, datetime

import pytest

from hepatrail_projections.clinical.endpoints.follow_up import End
from survival_course import Life, SurvivalTrial, after
from survival_questions import day, died, first, shown


@pytest.fixture
def trial() -> SurvivalTrial:
    return SurvivalTrial()


@pytest.fixture
def life(trial: SurvivalTrial) -> Life:
    return trial.life()


def test_withdrawal_censors_at_the_last_known_alive_up_to_it(trial: SurvivalTrial, life: Life) -> None:
    life.ae(after(30))
    life.withdraw(after(40))
    life.seen(after(90))
    life.sample(after(95))
    assert shown(died(trial)) == (30, "CENSORED")


def test_registry_information_after_a_withdrawal_counts_only_with_leave(trial: SurvivalTrial, life: Life) -> None:
    life.withdraw(after(40), vital=True)
    life.seen(after(90))
    life.sample(after(95))
    assert shown(died(trial)) == (90, "CENSORED")
    life.withdraw(after(80), "ALL_DATA_USE")
    assert shown(died(trial)) == (0, "CENSORED")


@pytest.mark.parametrize(("vital", "expected"), [(True, (90, "DEATH")), (False, (30, "CENSORED"))])
def test_a_death_after_a_withdrawal(vital: bool, expected: tuple[int, str], trial: SurvivalTrial, life: Life) -> None:
    life.ae(after(30))
    life.withdraw(after(40), vital=vital)
    life.transplant(day(60), recorded=after(89))
    life.death(day(90), aware=after(91))
    assert shown(died(trial)) == expected
    assert shown(first(trial)) == ((60, "TRANSPLANT") if vital else expected)
    listed = [row.cell("REASON").flags for row in trial.tables()["DEATHS_NOT_ANALYSED"].rows]
    assert listed == ([] if vital else [("WITHHELD",)])


def test_a_death_of_the_month_of_the_withdrawal_cannot_be_told_to_lie_before_it(
    trial: SurvivalTrial, life: Life
) -> None:
    life.withdraw(after(10))
    life.death("2026-03", aware=after(60))
    assert shown(died(trial)) == (0, "CENSORED")


def test_a_withdrawal_from_treatment_only_or_a_void_one_changes_nothing(trial: SurvivalTrial, life: Life) -> None:
    life.withdraw(after(20), "TREATMENT_ONLY")
    life.void(life.withdraw(after(30)), after(31))
    life.sample(after(95))
    assert shown(died(trial)) == (95, "CENSORED")


def test_a_transplant_does_not_censor_overall_survival(trial: SurvivalTrial, life: Life) -> None:
    life.transplant(day(20), recorded=after(21))
    life.seen(after(200))
    assert shown(died(trial)) == (200, "CENSORED")
    assert shown(first(trial)) == (20, "TRANSPLANT")


def test_a_transplant_before_t0_is_history_and_a_retransplant_counts(trial: SurvivalTrial, life: Life) -> None:
    life.transplant(day(-20), recorded=after(-10))
    assert first(trial).end is End.CENSORED
    again, third = life.transplant(day(30), recorded=after(31)), life.transplant(day(60), recorded=after(61))
    assert shown(first(trial)) == (30, "TRANSPLANT")
    assert again in first(trial).held.event_ids and third not in first(trial).held.event_ids


@pytest.mark.parametrize(
    ("transplanted", "death", "expected"),
    [
        (after(5, hours=2), after(5, hours=4), End.TRANSPLANT),
        (after(5, hours=4), after(5, hours=2), End.DEATH),
        (after(5, hours=4), after(5, hours=4), End.TRANSPLANT),
        (day(5), after(5, hours=2), End.TRANSPLANT),
        (after(5, hours=4), day(5), End.TRANSPLANT),
    ],
)
def test_transplant_and_death_of_one_day_go_by_their_times_else_the_transplant_is_first(
    transplanted: datetime | date, death: datetime | date, expected: End, trial: SurvivalTrial, life: Life
) -> None:
    life.transplant(transplanted, recorded=after(6))
    life.death(death, aware=after(6))
    assert first(trial).end is expected
    assert shown(died(trial)) == (5, "DEATH")
