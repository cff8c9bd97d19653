"""Deaths and transplants of which only a part of the date is known (`endpoints.md` 3.1, partial death date)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatrail_projections.clinical.calendar import site_zone
from hepatrail_projections.clinical.endpoints.follow_up import End, overall, transplant_free
from hepatrail_projections.clinical.endpoints.survival_dates import death_day, possible_days
from survival_course import LATER, T0_DAY, SurvivalTrial, after, dated
from survival_questions import known

ZONE = site_zone("Asia/Shanghai")


@pytest.mark.parametrize(
    ("when", "alive", "aware", "expected"),
    [
        ("2026-05", date(2026, 5, 20), date(2026, 6, 3), date(2026, 5, 21)),
        ("2026-05", date(2026, 4, 20), date(2026, 6, 3), date(2026, 5, 15)),
        ("2026-05", date(2026, 5, 31), date(2026, 6, 3), date(2026, 5, 31)),
        ("2026-05", date(2026, 4, 20), date(2026, 5, 9), date(2026, 5, 9)),
        ("2026-05", date(2026, 5, 8), date(2026, 5, 8), date(2026, 5, 8)),
        ("2026", date(2026, 4, 20), date(2027, 1, 3), date(2026, 4, 21)),
        ("2027", date(2026, 4, 20), date(2027, 9, 3), date(2027, 7, 1)),
        (None, date(2026, 4, 20), date(2026, 6, 3), date(2026, 4, 21)),
        (date(2026, 5, 7), date(2026, 4, 20), date(2026, 6, 3), date(2026, 5, 7)),
        (after(5), date(2026, 3, 11), date(2026, 6, 3), date(2026, 3, 15)),
    ],
)
def test_the_day_of_death(when: Any, alive: date, aware: date, expected: date) -> None:
    assert death_day(dated(when), aware, alive, ZONE) == expected


@settings(deadline=None)
@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 900), st.sampled_from(("%Y-%m", "%Y", "")))
def test_an_imputed_death_lies_in_what_was_reported_and_not_before_life(death: date, late: int, layout: str) -> None:
    when, aware = dated(death.strftime(layout) or None), death + timedelta(days=late % 90)
    first, last = possible_days(when, aware, ZONE)
    alive = min(date(2026, 1, 1) + timedelta(days=late), last)
    found = death_day(when, aware, alive, ZONE)
    assert first <= found <= last
    assert found.strftime(layout) == death.strftime(layout)
    assert found >= alive


def test_month_known_is_the_day_after_the_last_contact_in_it_flagged() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.ae(after(70))
    life.death("2026-05", aware=after(100))
    death = known(trial).death
    assert death is not None
    assert (death.day, death.imputed) == (T0_DAY + timedelta(days=71), True)
    survival = trial.tables()["OVERALL_SURVIVAL"].row("DAY_84").cell("SURVIVAL")
    assert (survival.display, survival.flags) == ("0.0000", ("IMPUTED_DATE",))


def test_month_known_without_a_contact_in_it_is_the_15th() -> None:
    trial = SurvivalTrial()
    trial.life().death("2026-05", aware=after(100))
    death = known(trial).death
    assert death is not None and death.day == date(2026, 5, 15)


def test_a_contact_on_the_last_day_of_the_month_of_death_was_in_life() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.sample(date(2026, 5, 31))
    life.death("2026-05", aware=after(100))
    death = known(trial).death
    assert death is not None and death.day == known(trial).alive.day == date(2026, 5, 31)


def test_contacts_after_the_month_of_death_are_none() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.sample(after(90))
    life.death("2026-05", aware=after(100))
    assert known(trial).alive.day == T0_DAY


def test_the_sensitivity_runs_without_imputed_dates() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.ae(after(70))
    life.death("2026-05", aware=after(100))
    trial.life("S-02").seen(after(400))
    facts = known(trial, subject_id="S-01")
    ended = overall(facts, LATER.date(), 379, imputed=False)
    assert (ended.days, ended.end) == (70, End.CENSORED)
    row = trial.tables()["OVERALL_SURVIVAL_NOT_IMPUTED"].row("DAY_84")
    assert (row.cell("SURVIVAL").display, row.cell("EVENTS").n, row.cell("CENSORED").n) == ("1.0000", 0, 1)
    assert row.cell("SURVIVAL").flags == ()
    assert trial.tables()["OVERALL_SURVIVAL"].row("DAY_84").cell("SURVIVAL").display == "0.5000"


def test_a_transplant_of_a_month_stands_at_its_last_possible_day_and_not_after_death() -> None:
    trial = SurvivalTrial()
    life = trial.life()
    life.transplant("2026-04", recorded=after(90))
    assert transplant_free(known(trial), LATER.date(), 379).days == (date(2026, 4, 30) - T0_DAY).days
    life.death(date(2026, 4, 12), aware=after(91))
    ended = transplant_free(known(trial), LATER.date(), 379)
    assert (ended.days, ended.end, ended.imputed) == ((date(2026, 4, 12) - T0_DAY).days, End.TRANSPLANT, True)


def test_a_transplant_of_a_month_proves_life_on_its_first_day_only() -> None:
    trial = SurvivalTrial()
    trial.life().transplant("2026-04", recorded=after(90))
    assert known(trial).alive.day == date(2026, 4, 1)


def test_a_death_dated_before_t0_counts_at_day_nought() -> None:
    trial = SurvivalTrial()
    trial.life().death(date(2026, 3, 1), aware=after(1))
    ended = overall(known(trial), LATER.date(), 379)
    assert (ended.days, ended.end) == (0, End.DEATH)
