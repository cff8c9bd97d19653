"""Every cell of the tables of adverse events recounted, and what holds of them whatever happens (`endpoints.md` 2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest

from clinical_builders import T0
from hepatrail_events.adverse_events import ActionTaken, Causality, Criterion, Outcome
from hepatrail_events.types import PartialDate, Precision
from hepatrail_projections.clinical.endpoints.cells import Table
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.endpoints.safety_facts import SafetyFacts, safety_facts
from hepatrail_projections.endpoints.safety_tables import safety_tables
from hepatrail_projections.endpoints.survival_facts import survival_facts
from safety_outcome_course import LATE, OutcomeTrial, derived, minute, only
from safety_outcome_recount import CLASSES, Count, recount, target, years
from trial_history import history

SEEDS = range(4)
CODES = ("FEVER", "RASH_URTICARIA", *CLASSES, "OTHER", "LAB_ABNORMALITY")
POINTS = ["D7", "W4", "W12", "M6", "M12"]


def outcomes(seed: int) -> OutcomeTrial:
    """A random trial over more than a year in which every line of the tables occurs."""
    chance, trial = Random(seed), OutcomeTrial()
    for number in range(chance.randint(6, 13)):
        subject = f"S-{number:02d}"
        trial.enrolled(subject)
        sessions = chance.choice((0, 1, 1, 1, 2, 3))
        for later in range(sessions):
            at = T0 + timedelta(days=20 * later, hours=chance.uniform(0, 9))
            given: dict[str, Any] = {"access_placed_at": at - timedelta(hours=8)} if chance.random() < 0.5 else {}
            trial.session(subject, at, None if chance.random() < 0.1 and later == sessions - 1 else 5, **given)
        for _ in range(chance.randint(0, 7)):
            _event(trial, subject, chance)
        end = T0 + timedelta(days=chance.uniform(1, 450))
        trial.seen(subject, end)
        if chance.random() < 0.3:
            trial.died(subject, end + timedelta(days=chance.choice((0, 3))))
    return trial


def _event(trial: OutcomeTrial, subject: str, chance: Random) -> None:
    code = chance.choice(CODES)
    given: dict[str, Any] = {
        "code": code,
        "grade": chance.choice((None, 1, 2, 3, 4)),
        "criteria": (Criterion.HOSPITALISATION,) if chance.random() < 0.4 else (),
        "action_taken": chance.choice(list(ActionTaken)),
        "ctcae_term": "Nausea" if code == "OTHER" and chance.random() < 0.5 else None,
    }
    if chance.random() < 0.1:
        given |= {"grade": 5, "outcome": Outcome.FATAL, "criteria": (Criterion.DEATH,)}
    event = trial.ae(subject, _onset(chance), **given)
    if chance.random() < 0.6:
        trial.judged(subject, event, chance.choice(list(Causality)))
    elif chance.random() < 0.5:
        trial.coded(subject, event, *chance.choice((("10037660", "Fever"), ("10037660", None), ("10000003", "Other"))))


def _onset(chance: Random) -> PartialDate:
    at = T0 + timedelta(days=chance.choice((-3, -1, 0, 0.1, 2, 5, 7, 7, 28, 40, 84, 150, 184, 300, 365, 390)))
    at += timedelta(hours=chance.uniform(0, 24))
    return chance.choice(
        (
            minute(at),
            minute(at),
            only(Precision.DAY, f"{at:%Y-%m-%d}"),
            only(Precision.MONTH, f"{at:%Y-%m}"),
            only(Precision.YEAR, f"{at:%Y}"),
            only(Precision.UNKNOWN),
        )
    )


Made = tuple[list[SubjectRows], list[SafetyFacts], tuple[Table, ...]]


@cache
def made(kind: str, seed: int) -> Made:
    """Rows, facts and tables of a random trial."""
    log, at = (outcomes(seed).log, T0 + LATE) if kind == "outcomes" else (history(seed, 5, 200), None)
    rows, protocol = derived(log, at or log.now)
    facts = [safety_facts(each, protocol, survival_facts(each, protocol).follow_up) for each in rows]
    return rows, facts, safety_tables(facts, protocol, at or log.now)


TRIALS = pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for kind in ("outcomes", "history") for seed in SEEDS])


def counting(tables: Sequence[Table]) -> dict[tuple[str, str, str], Count]:
    """The cells that count by table, row and column, without those of follow-up and of rates."""
    return {
        (table.code, row.code, cell.column): Count(
            cell.n or 0, {each.subject_id: set(each.event_ids) for each in cell.contributions}
        )
        for table in tables
        for row, cell in table.cells()
        if cell.column not in ("FOLLOWED", "YEARS", "RATE")
    }


@TRIALS
def test_every_count_and_everybody_behind_it_is_that_of_plain_loops_over_the_rows(kind: str, seed: int) -> None:
    rows, _, tables = made(kind, seed)
    assert counting(tables) == recount(rows)


@TRIALS
def test_every_rate_is_events_by_the_recounted_years(kind: str, seed: int) -> None:
    rows, facts, tables = made(kind, seed)
    treated = [each for each in rows if any(not session.voided for session in each.sessions)]
    contacts = {each.subject_id: each.last_contact for each in facts if each.last_contact is not None}
    expected = years(treated, contacts)
    for row in tables[-1].rows:
        events, value, rate = row.cell("EVENTS").n, row.cell("YEARS").value, row.cell("RATE").value
        assert value is not None and rate is not None and events is not None
        assert float(value) == pytest.approx(float(expected), abs=1e-12)
        assert float(rate) == pytest.approx(events / float(expected), rel=1e-12)


@TRIALS
def test_the_number_followed_is_who_was_met_later_or_was_asked_in_the_window(kind: str, seed: int) -> None:
    rows, facts, tables = made(kind, seed)
    contacts = {each.subject_id: each.last_contact for each in facts if each.last_contact is not None}
    for point in POINTS:
        met = set()
        for each in rows:
            asked = [row for row in each.assessments if row.kind == "AE_ASSESSMENT" and row.point == point and row.used]
            last = contacts.get(each.subject.subject_id)
            if last is not None and (last >= target(each, point) or any(row.in_window for row in asked)):
                met.add(each.subject.subject_id)
        for code in ("TEAE_CUMULATIVE", "TEAE_BY_INTERVAL"):
            cell = next(table for table in tables if table.code == code).row(point).cell("FOLLOWED")
            assert (cell.n, {each.subject_id for each in cell.contributions}) == (len(met), met)


@TRIALS
def test_every_proportion_is_of_the_safety_set_and_lies_in_its_interval(kind: str, seed: int) -> None:
    _, facts, tables = made(kind, seed)
    proportions = [
        cell for table in tables for row, cell in table.cells() if cell.interval and row.code != "ANY_SAE_UNTREATED"
    ]
    assert {cell.of for cell in proportions} == {sum(each.treated for each in facts)}
    for cell in proportions:
        assert cell.interval is not None and cell.value is not None
        assert cell.interval.lower <= float(cell.value) <= cell.interval.upper


@TRIALS
def test_the_intervals_with_the_unknown_onsets_make_up_all_events_and_cumulative_counts_never_fall(
    kind: str, seed: int
) -> None:
    _, _, tables = made(kind, seed)
    by_code = {table.code: table for table in tables}
    for column in ("TEAE_EVENTS", "TESAE_EVENTS"):
        new = [row.cell(column).n or 0 for row in by_code["TEAE_BY_INTERVAL"].rows]
        cumulative = [row.cell(column).n or 0 for row in by_code["TEAE_CUMULATIVE"].rows]
        assert sum(new) == cumulative[-1]
        assert cumulative == sorted(cumulative)


@TRIALS
def test_the_grades_of_a_line_make_up_its_participants(kind: str, seed: int) -> None:
    _, _, tables = made(kind, seed)
    table = next(table for table in tables if table.code == "TEAE_BY_TERM_AND_GRADE")
    for row in table.rows:
        assert sum(cell.n or 0 for cell in row.cells[:6]) == row.cell("ANY").n


@TRIALS
def test_the_order_of_the_participants_changes_nothing(kind: str, seed: int) -> None:
    _, facts, tables = made(kind, seed)
    protocol = OutcomeTrial()
    _, rules = derived(protocol.log, T0)
    at = T0 + LATE
    turned = facts[:]
    Random(seed).shuffle(turned)
    assert repr(safety_tables(turned, rules, at)) == repr(safety_tables(facts, rules, at))
    assert len(tables) == 6


def test_the_random_trials_reach_every_line_of_the_tables() -> None:
    reached: dict[tuple[str, str, str], int] = {}
    for seed in SEEDS:
        for place, count in counting(made("outcomes", seed)[2]).items():
            reached[place] = reached.get(place, 0) + count.n
    never = {place[1] for place, n in reached.items() if n == 0 and place[0] != "TEAE_BY_TERM_AND_GRADE"}
    assert never <= {"CHEST_TIGHTNESS", "IMMUNE_REJECTION"}


@pytest.mark.parametrize("participants", [0, 1])
def test_an_empty_trial_has_every_table_and_estimates_nothing(participants: int) -> None:
    trial = OutcomeTrial()
    trial.enrolled(*["S-1"][:participants])
    tables = trial.tables()
    assert {cell.n for _, cell in tables["TEAE_OVERVIEW"].cells()} == {0}
    first = tables["TEAE_OVERVIEW"].row("TEAE").cell("PARTICIPANTS")
    assert (first.of, first.value, first.interval, first.display) == (0, None, None, "0 (NE)")
    assert [row.code for row in tables["TEAE_BY_TERM_AND_GRADE"].rows] == ["TOTAL"]


def test_a_trial_of_one_has_one_participant_in_every_denominator() -> None:
    trial = OutcomeTrial()
    trial.treated("S-1")
    trial.ae("S-1")
    cell = trial.tables()["TEAE_OVERVIEW"].row("TEAE").cell("PARTICIPANTS")
    assert (cell.display, cell.interval is not None and round(cell.interval.lower, 4)) == ("1 (100.0 %)", 0.025)


def test_a_later_data_cut_changes_no_table_that_rests_on_the_same_facts() -> None:
    rows, protocol = derived(outcomes(1).log, T0 + LATE)
    facts = [safety_facts(each, protocol, survival_facts(each, protocol).follow_up) for each in rows]
    cuts: list[datetime] = [T0 + LATE, T0 + 2 * LATE]
    first, second = (safety_tables(facts, protocol, cut) for cut in cuts)
    assert first == second
