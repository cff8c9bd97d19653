"""Every cell of the survival tables counted again on simulated trials, by another implementation over the rows."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from math import inf

import pytest
from scipy.stats import binomtest

from hepatrail_events.assessments import DeathRecordCorrected, ParticipantDied
from hepatrail_events.protocol import Protocol
from hepatrail_events.streams import subject_stream
from hepatrail_projections.clinical.calendar import add_months
from hepatrail_projections.clinical.endpoints.cells import Cell, Table
from hepatrail_projections.endpoints.survival_facts import survival_facts
from hepatrail_projections.endpoints.survival_tables import survival_tables
from survival_course import SurvivalTrial, after, random_trial, rows_of
from survival_recount import Counted, civil, count, incidences, kaplan_meier
from trial_history import history

SEEDS = (0, 13, 21)
CASES = [(seed, as_of) for seed in SEEDS for as_of in (after(-20), after(45), after(700))]
HORIZON = 379


@cache
def simulated(seed: int) -> SurvivalTrial:
    """Odd seeds are courses of a year and more, even ones random histories of everything that can happen."""
    if seed % 2:
        return random_trial(seed, 24)
    trial = SurvivalTrial()
    trial.log, trial.subjects = history(seed, subjects=6, steps=160), [f"S-{number:02d}" for number in range(6)]
    return trial


@cache
def recount(seed: int, as_of: datetime) -> tuple[dict[str, Table], list[Counted], Protocol]:
    trial = simulated(seed)
    rows, protocol = rows_of(trial.streams(), trial.subjects, as_of)
    made = survival_tables([survival_facts(each, protocol) for each in rows], protocol, as_of)
    counted = [found for each in rows if (found := count(each)) is not None]
    return {table.code: table for table in made}, counted, protocol


def days(of: Counted, day: date) -> int:
    return max(0, (day - of.t0).days)


def ending(of: Counted, cut: date, *, both: bool, imputed: bool = True) -> tuple[int, int]:
    """Days and 0 (censored), 1 (transplant) or 2 (death)."""
    died = of.death is not None and days(of, of.death) <= HORIZON and (imputed or of.death_sure)
    grafted = both and of.transplant is not None and days(of, of.transplant) <= HORIZON
    if grafted and (of.transplant_first or not died):
        assert of.transplant is not None
        return days(of, of.transplant), 1
    if died:
        assert of.death is not None
        return days(of, of.death), 2
    return max(0, min(days(of, of.alive), (cut - of.t0).days, HORIZON)), 0


def is_about(cell: Cell, expected: float | None, tolerance: float = 1e-9) -> None:
    if expected is None or expected == inf:
        assert (cell.value, cell.display) == (None, "NE")
    else:
        assert float(cell.value or "nan") == pytest.approx(expected, abs=tolerance)


def holds(cell: Cell, who: Sequence[Counted], of: int | None = None) -> None:
    assert cell.n == len(who)
    assert [each.subject_id for each in cell.contributions] == sorted(each.subject_id for each in who)
    if of is not None:
        assert cell.of == of
    if of:
        assert float(cell.value or "nan") == pytest.approx(len(who) / of)
        exact = binomtest(len(who), of).proportion_ci(0.95, "exact")
        assert cell.interval is not None
        assert (cell.interval.lower, cell.interval.upper) == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize(("seed", "as_of"), CASES)
@pytest.mark.parametrize(
    ("code", "both", "imputed"),
    [
        ("OVERALL_SURVIVAL", False, True),
        ("OVERALL_SURVIVAL_NOT_IMPUTED", False, False),
        ("TRANSPLANT_FREE_SURVIVAL", True, True),
    ],
)
def test_the_curves(seed: int, as_of: datetime, code: str, both: bool, imputed: bool) -> None:
    tables, counted, protocol = recount(seed, as_of)
    times = [(each, *ending(each, civil(as_of), both=both, imputed=imputed)) for each in counted]
    assert [row.code for row in tables[code].rows] == [f"DAY_{tau}" for tau in protocol.endpoints.landmark_days]
    for row in tables[code].rows:
        tau = int(row.code.removeprefix("DAY_"))
        s, se, lower, upper = kaplan_meier([(t, end > 0) for _, t, end in times], tau)
        for column, expected in (("SURVIVAL", s), ("SE", se)):
            is_about(row.cell(column), expected)
            assert len(row.cell(column).contributions) == len(counted)
        is_about(row.cell("LOWER"), lower, 1e-6)
        is_about(row.cell("UPPER"), upper, 1e-6)
        holds(row.cell("AT_RISK"), [each for each, t, _ in times if t >= tau])
        holds(row.cell("EVENTS"), [each for each, t, end in times if t <= tau and end])
        censored = [each for each, t, end in times if t < tau and not end]
        holds(row.cell("CENSORED"), censored)
        if s in (0, 1) and not censored:
            spared = [each for each, t, end in times if not (t <= tau and end)]
            holds(row.cell("EXACT"), spared, len(counted))
        else:
            assert row.cell("EXACT").value is None


@pytest.mark.parametrize(("seed", "as_of"), CASES)
def test_the_incidences(seed: int, as_of: datetime) -> None:
    tables, counted, _ = recount(seed, as_of)
    times = [(each, *ending(each, civil(as_of), both=True)) for each in counted]
    for row in tables["CUMULATIVE_INCIDENCE"].rows:
        tau = int(row.code.removeprefix("DAY_"))
        free = kaplan_meier([(t, end > 0) for _, t, end in times], tau)[0]
        one, two = incidences([(t, end) for _, t, end in times], tau)
        for column, expected in (("TRANSPLANT", one), ("DEATH", two), ("FREE", free), ("SUM", 1)):
            is_about(row.cell(column), None if free is None else expected)
        assert "SUM_DIFFERS" not in row.cell("SUM").flags
        holds(row.cell("AT_RISK"), [each for each, t, _ in times if t >= tau])
        holds(row.cell("TRANSPLANTS"), [each for each, t, end in times if t <= tau and end == 1])
        holds(row.cell("DEATHS"), [each for each, t, end in times if t <= tau and end == 2])


@pytest.mark.parametrize(("seed", "as_of"), CASES)
def test_the_proportions_at_calendar_landmarks(seed: int, as_of: datetime) -> None:
    tables, counted, _ = recount(seed, as_of)
    total = len(counted)
    for code, far in (("D7", 7), ("W4", 28), ("W12", 84), ("M6", None), ("M12", None)):
        months = int(re.sub(r"\D", "", code))
        at = {
            each.subject_id: each.t0 + timedelta(days=far) if far else add_months(each.t0, months) for each in counted
        }
        dead = [each for each in counted if each.death is not None and each.death <= at[each.subject_id]]
        alive = [
            each
            for each in counted
            if each not in dead and (each.death is not None or each.alive >= at[each.subject_id] or code in each.seen)
        ]
        unknown = [each for each in counted if each not in dead and each not in alive]
        row = tables["CRUDE_SURVIVAL"].row(code)
        holds(row.cell("ALIVE"), alive, len(alive) + len(dead))
        holds(row.cell("WORST"), alive, total)
        holds(row.cell("BEST"), [*alive, *unknown], total)
        holds(row.cell("KNOWN"), [*alive, *dead], total)
        holds(row.cell("UNKNOWN"), unknown)
        holds(row.cell("NOT_REACHED"), [each for each in counted if at[each.subject_id] > civil(as_of)])
        grafted = [each for each in counted if each.transplant and each.transplant <= at[each.subject_id]]
        holds(tables["TRANSPLANT_PROPORTION"].row(code).cell("TRANSPLANTED"), grafted, total)


@pytest.mark.parametrize(("seed", "as_of"), CASES)
def test_the_deaths_that_are_not_analysed(seed: int, as_of: datetime) -> None:
    tables, counted, _ = recount(seed, as_of)
    late = {each.subject_id for each in counted if each.death and days(each, each.death) > HORIZON}
    rows = tables["DEATHS_NOT_ANALYSED"].rows
    assert {row.code for row in rows if "BEHIND_HORIZON" in row.cell("DAYS").flags} == late
    withheld = {row.code for row in rows} - late
    assert all(each.death is None for each in counted if each.subject_id in withheld)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_deaths_of_the_curve_are_drilled_down_to_the_events_that_record_them(seed: int) -> None:
    tables, _, _ = recount(seed, after(700))
    streams = simulated(seed).streams()
    for row in tables["OVERALL_SURVIVAL"].rows:
        for each in row.cell("EVENTS").contributions:
            recorded = streams[subject_stream(each.subject_id)]
            death = [
                one.envelope.id for one in recorded if isinstance(one.event, ParticipantDied | DeathRecordCorrected)
            ]
            assert death and set(death) <= set(each.event_ids)


def test_the_simulated_trials_have_everything_that_is_counted() -> None:
    found = [recount(seed, after(700)) for seed in SEEDS]
    everybody = [each for _, counted, _ in found for each in counted]
    assert {each.death_sure for each in everybody if each.death} == {True, False}
    assert any(each.transplant for each in everybody) and any(each.seen for each in everybody)
    listed = {
        flag for tables, _, _ in found for row in tables["DEATHS_NOT_ANALYSED"].rows for flag in row.cells[0].flags
    }
    assert {"BEHIND_HORIZON", "WITHHELD"} <= listed
