"""Time zero, deaths and censoring of survival: the lines of `endpoints.md` 3.1, on recorded courses."""

from datetime import date, datetime
from typing import Any

import pytest

from builders.ids import AE
from clinical_builders import A
from hepatrail_events.measurements import LabResultVoided
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED
from survival_course import T0_DAY, Life, SurvivalTrial, after
from survival_questions import HORIZON, day, died, first, known, shown


@pytest.fixture
def trial() -> SurvivalTrial:
    return SurvivalTrial()


@pytest.fixture
def life(trial: SurvivalTrial) -> Life:
    return trial.life()


def test_time_zero_is_the_site_date_of_the_first_session_start(trial: SurvivalTrial) -> None:
    life = trial.life(treated=False)
    life.session(datetime(2026, 3, 9, 15, 59, tzinfo=A.tzinfo), datetime(2026, 3, 9, 20, tzinfo=A.tzinfo))
    assert known(trial).t0.day == date(2026, 3, 9)
    moved = SurvivalTrial()
    moved.life(treated=False).session(datetime(2026, 3, 9, 16, tzinfo=A.tzinfo), A)
    assert known(moved).t0.day == date(2026, 3, 10)


def test_time_zero_is_of_sessions_that_are_not_void(trial: SurvivalTrial) -> None:
    life = trial.life(treated=False)
    void = life.session(after(-3), after(-3, hours=4))
    life.session()
    life.void_session(void, after(1))
    assert known(trial).t0.day == T0_DAY


def test_nobody_without_a_session_that_stands_is_in_the_safety_set(trial: SurvivalTrial) -> None:
    trial.life("S-01", treated=False)
    life = trial.life("S-02", treated=False)
    life.void_session(life.session(), after(1))
    assert [each.follow_up for each in trial.facts()] == [None, None]


def test_a_death_during_the_session_has_time_nought(trial: SurvivalTrial) -> None:
    life = trial.life(treated=False)
    life.session(ended=None)
    life.death(after(0, hours=3), aware=after(0, hours=4))
    assert shown(died(trial)) == (0, "DEATH")


def test_an_open_session_alone_proves_life_at_its_start(trial: SurvivalTrial) -> None:
    trial.life(treated=False).session(ended=None)
    assert shown(died(trial)) == (0, "CENSORED")


def test_the_event_is_death_from_any_cause_also_after_transplant(trial: SurvivalTrial, life: Life) -> None:
    life.transplant(day(20), recorded=after(21))
    life.death(day(90), aware=after(91))
    assert shown(died(trial)) == (90, "DEATH")
    assert shown(first(trial)) == (20, "TRANSPLANT")


def test_only_the_death_record_feeds_death_not_its_echo(trial: SurvivalTrial, life: Life) -> None:
    life.seen(after(30), "N")
    assert shown(died(trial)) == (0, "CENSORED")


def test_a_death_names_t0_and_its_own_record_and_nothing_else(trial: SurvivalTrial, life: Life) -> None:
    life.seen(after(20))
    life.transplant(day(25), recorded=after(26))
    told = life.death(day(30), aware=after(31))
    life.seen(after(32), "N")
    mended = life.correct_death(after(40), day(28))
    assert set(died(trial).held.event_ids) == {told, mended, *known(trial).t0.event_ids}


def test_a_death_taken_back_is_none_and_a_corrected_date_counts(trial: SurvivalTrial, life: Life) -> None:
    told = life.death(day(30), aware=after(31))
    mended = life.correct_death(after(40), day(28))
    assert shown(died(trial)) == (28, "DEATH")
    assert {told, mended} <= set(died(trial).held.event_ids)
    life.correct_death(after(50))
    assert shown(died(trial)) == (0, "CENSORED")


@pytest.mark.parametrize("deed", ["session", "sample", "dated_sample", "ae", "seen", "transplant"])
def test_last_known_alive_is_the_latest_of(deed: str, trial: SurvivalTrial, life: Life) -> None:
    match deed:
        case "session":
            life.session(after(50), after(50, hours=15))
        case "sample":
            life.sample(after(51))
        case "dated_sample":
            life.sample(day(51))
        case "ae":
            life.ae(after(51))
        case "seen":
            life.seen(after(51))
        case _:
            life.transplant(day(51), recorded=after(60))
    assert known(trial).alive.day == day(51)
    assert shown(died(trial)) == (51, "CENSORED")


def test_last_known_alive_names_the_last_contact(trial: SurvivalTrial, life: Life) -> None:
    life.ae(after(20))
    asked, seen = life.ae(after(51)), life.seen(after(51, hours=1))
    assert set(known(trial).alive.event_ids) == {asked, seen}
    assert {asked, seen} | set(known(trial).t0.event_ids) == set(died(trial).held.event_ids)


def test_last_known_alive_is_never_the_time_of_entry_or_of_the_result(trial: SurvivalTrial, life: Life) -> None:
    life.sample(after(10), recorded=after(90))
    assert known(trial).alive.day == day(10)


def test_last_known_alive_is_never_an_unknown_status(trial: SurvivalTrial, life: Life) -> None:
    life.seen(after(40), "UNKNOWN")
    assert known(trial).alive.day == T0_DAY


def test_last_known_alive_is_never_a_sample_collected_after_death(trial: SurvivalTrial, life: Life) -> None:
    life.ae(after(60))
    life.sample(after(420))
    life.death(day(400), aware=after(421))
    assert known(trial).alive.day == day(60)


@pytest.mark.parametrize(
    "row", [{"value": None, "not_done": "NOT_DONE"}, {"accepted": False, "reject_reason": "IMPLAUSIBLE"}]
)
def test_a_sample_that_was_not_taken_or_not_accepted_proves_nothing(
    row: dict[str, Any], trial: SurvivalTrial, life: Life
) -> None:
    life.sample(after(40), **row)
    assert known(trial).alive.day == T0_DAY


def test_a_void_session_or_result_proves_nothing(trial: SurvivalTrial, life: Life) -> None:
    life.void_session(life.session(after(50), after(50, hours=5)), after(51))
    life.sample(after(60), result_id=AE)
    life.record(LabResultVoided(id=AE, reason_code=VoidReason.DUPLICATE, reason_text=SEALED), after(61))
    assert known(trial).alive.day == T0_DAY


def test_a_sample_that_clotted_was_taken(trial: SurvivalTrial, life: Life) -> None:
    life.sample(after(40), value=None, not_done="CLOTTED")
    assert known(trial).alive.day == day(40)


def test_a_void_contact_proves_nothing(trial: SurvivalTrial, life: Life) -> None:
    life.void(life.ae(after(40)), after(41))
    assert known(trial).alive.day == T0_DAY


def test_a_death_on_the_day_of_the_cut_off_counts(trial: SurvivalTrial, life: Life) -> None:
    life.death(day(20), aware=after(20, hours=1))
    assert shown(died(trial, cut=day(20))) == (20, "DEATH")
    assert shown(died(trial, cut=day(19))) == (0, "CENSORED")


def test_censored_at_the_earliest_of_last_known_alive_cut_off_and_horizon(trial: SurvivalTrial, life: Life) -> None:
    life.seen(after(500))
    assert shown(died(trial)) == (HORIZON, "CENSORED")
    assert shown(died(trial, cut=day(100))) == (100, "CENSORED")


def test_a_death_up_to_the_horizon_counts_and_after_it_does_not(trial: SurvivalTrial, life: Life) -> None:
    life.seen(after(370))
    life.death(day(379), aware=after(390))
    assert shown(died(trial)) == (379, "DEATH")
    assert trial.tables()["DEATHS_NOT_ANALYSED"].rows == ()
    life.correct_death(after(391), day(380))
    assert shown(died(trial)) == (370, "CENSORED")


def test_a_death_after_the_horizon_is_listed(trial: SurvivalTrial, life: Life) -> None:
    told = life.death(day(401), aware=after(402))
    listed = trial.tables()["DEATHS_NOT_ANALYSED"].row("S-01")
    assert (listed.cell("DAYS").value, listed.cell("REASON").display) == ("401", "after day 379")
    assert listed.cell("DAYS").flags == ("BEHIND_HORIZON",)
    assert told in listed.cell("DAYS").contributions[0].event_ids
    assert trial.tables()["OVERALL_SURVIVAL"].row("DAY_365").cell("EVENTS").n == 0


def test_the_horizon_is_the_protocols() -> None:
    rules = {"os_horizon_days": 30}
    trial = SurvivalTrial(endpoints=rules)
    life = trial.life()
    life.seen(after(40))
    life.death(day(41), aware=after(42))
    assert trial.tables()["DEATHS_NOT_ANALYSED"].row("S-01").cell("REASON").display == "after day 30"


def test_lost_to_follow_up_is_censored_when_last_known_alive_not_at_the_missed_visit(
    trial: SurvivalTrial, life: Life
) -> None:
    life.ae(after(28))
    life.lost(after(35), recorded=after(91))
    life.regained(after(120))
    assert shown(died(trial)) == (28, "CENSORED")


def test_deaths_come_before_censorings_of_the_same_day(trial: SurvivalTrial, life: Life) -> None:
    life.death(day(20), aware=after(21))
    trial.life("S-02").ae(after(20))
    assert trial.tables()["OVERALL_SURVIVAL"].row("DAY_28").cell("SURVIVAL").value is None
    trial.life("S-03").ae(after(28))
    assert trial.tables()["OVERALL_SURVIVAL"].row("DAY_28").cell("SURVIVAL").display == "0.6667"
