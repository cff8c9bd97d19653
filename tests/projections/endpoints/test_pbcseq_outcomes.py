"""Outcomes of `pbcseq` after the import: curves as lifelines computes them from the file, the rest counted from it.

The days of the file are those of the trial: T0 is the session on day 0, so `futime` is the time of the curves. What
needs no shared data is held on patients made for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from lifelines import KaplanMeierFitter

from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Row, Table
from hepatrail_projections.clinical.endpoints.survival import Step
from hepatrail_projections.endpoints.change_facts import ChangeFacts, change_facts
from hepatrail_projections.endpoints.change_tables import change_tables
from hepatrail_projections.endpoints.survival_facts import SurvivalFacts, survival_facts
from hepatrail_projections.endpoints.survival_tables import survival_steps, survival_tables
from hepatrail_services.importers.pbcseq import pbcseq_source, read_pbcseq
from hepatrail_services.importers.source import Source
from pbcseq_course import LANDMARKS, NOW, PBCSEQ, import_pbcseq, pbcseq_rows

MADE = "patients made for it"
TRIALS = [
    pytest.param(
        "pbcseq",
        marks=pytest.mark.skipif(not PBCSEQ.is_file(), reason="the public data are not beside this clone"),
    ),
    MADE,
]
EXACT = 1e-9
WINDOWS = {"M6": (181, 14), "M12": (365, 14)}
"""Day of the target from day 0, which is 2001-01-01, and days around it."""
FACTORS = [("tbil", "bili", 17.1), ("albumin", "albumin", 10.0), ("platelets", "platelet", 1.0), ("pt", "protime", 1.0)]


@dataclass(frozen=True)
class Outcomes:
    """What the trial contributes, and the file as it is: `visits` has a row a visit, `patients` a row a patient."""

    visits: Any
    patients: Any
    protocol: Protocol
    survival: Sequence[SurvivalFacts]
    change: Sequence[ChangeFacts]

    def survival_table(self, code: str) -> Table:
        found = survival_tables(self.survival, self.protocol, NOW)
        return next(table for table in found if table.code == code)

    def change_table(self, parameter: str) -> Table:
        found = change_tables(self.change, self.protocol, NOW)
        return next(table for table in found if table.code == f"CHANGE_{parameter.upper()}")


def _outcomes_source(name: str) -> tuple[Source, Any]:
    if name != MADE:
        return read_pbcseq(PBCSEQ), pd.read_csv(PBCSEQ)
    rows = pbcseq_rows(seed=11, patients=24)
    visits = pd.DataFrame([dict(row.values) for row in rows])
    numbers = visits.drop(columns="sex").apply(pd.to_numeric)
    return pbcseq_source(rows), numbers.assign(sex=visits.sex)


@pytest.fixture(scope="module", params=TRIALS)
async def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    source, visits = _outcomes_source(request.param)
    imported = await import_pbcseq(source)
    assert imported.account.refusals == ()
    rows, protocol = imported.rows(), imported.protocol()
    return Outcomes(
        visits,
        visits.groupby("id", as_index=False).first(),
        protocol,
        [survival_facts(each, protocol) for each in rows],
        [change_facts(each, protocol) for each in rows],
    )


def curve(outcomes: Outcomes, least_status: int) -> KaplanMeierFitter:
    """lifelines' estimate straight from the file; death is status 2, a transplant 1."""
    fitter = KaplanMeierFitter(alpha=0.05)
    fitter.fit(outcomes.patients.futime, outcomes.patients.status >= least_status)
    return fitter


def limits(fitter: KaplanMeierFitter, day: int) -> tuple[float, float]:
    lower, upper = fitter.confidence_interval_.loc[: float(day)].iloc[-1]
    return float(lower), float(upper)


def same_steps(steps: Sequence[Step], fitter: KaplanMeierFitter, outcomes: Outcomes) -> None:
    assert [step.days for step in steps] == sorted({0, *outcomes.patients.futime})
    table = fitter.event_table
    for step in steps:
        assert step.survival == pytest.approx(float(fitter.predict(step.days)), abs=EXACT)
        of = table.loc[float(step.days)]
        assert (step.at_risk, step.events, step.censored) == (of.at_risk, of.observed, of.censored)
        if step.interval is None:
            assert step.survival in (0, 1)
        else:
            found = (float(step.interval.lower), float(step.interval.upper))
            assert found == pytest.approx(limits(fitter, step.days), abs=EXACT)


def same_landmarks(table: Table, fitter: KaplanMeierFitter, outcomes: Outcomes, least_status: int) -> None:
    of, compared = outcomes.patients, 0
    assert [row.code for row in table.rows] == [f"DAY_{tau}" for tau in LANDMARKS]
    for tau, row in zip(LANDMARKS, table.rows, strict=True):
        happened = of.status >= least_status
        assert row.cell("AT_RISK").n == (of.futime >= tau).sum()
        assert row.cell("EVENTS").n == (happened & (of.futime <= tau)).sum()
        assert row.cell("CENSORED").n == (~happened & (of.futime < tau)).sum()
        survival = row.cell("SURVIVAL")
        if survival.value is None:
            assert tau > of.futime.max()
            continue
        assert float(survival.value) == pytest.approx(float(fitter.predict(tau)), abs=EXACT)
        if survival.interval is not None:
            compared += 1
            found = (float(survival.interval.lower), float(survival.interval.upper))
            assert found == pytest.approx(limits(fitter, tau), abs=EXACT)
    assert compared >= 5


def test_overall_survival_is_what_lifelines_computes_from_the_file(outcomes: Outcomes) -> None:
    """A transplant does not end it: who was transplanted is censored on that day, the last one known."""
    steps = survival_steps(outcomes.survival, outcomes.protocol, NOW)
    same_steps(steps.overall, curve(outcomes, 2), outcomes)
    same_landmarks(outcomes.survival_table("OVERALL_SURVIVAL"), curve(outcomes, 2), outcomes, 2)


def test_transplant_free_survival_is_what_lifelines_computes_from_the_file(outcomes: Outcomes) -> None:
    steps = survival_steps(outcomes.survival, outcomes.protocol, NOW)
    same_steps(steps.transplant_free, curve(outcomes, 1), outcomes)
    same_landmarks(outcomes.survival_table("TRANSPLANT_FREE_SURVIVAL"), curve(outcomes, 1), outcomes, 1)


def recounted(outcomes: Outcomes, tau: int) -> tuple[float, float, float]:
    """Transplant, death without it, neither: one day after the other, in floats."""
    patients = list(zip(outcomes.patients.futime, outcomes.patients.status, strict=True))
    free, reached = 1.0, {1: 0.0, 2: 0.0}
    for day in range(tau + 1):
        at_risk = [status for futime, status in patients if futime >= day]
        today = [status for futime, status in patients if futime == day and status > 0]
        for status in today:
            reached[status] += free / len(at_risk)
        if today:
            free *= 1 - len(today) / len(at_risk)
    return reached[1], reached[2], free


def test_cumulative_incidences_are_those_of_a_plain_recount(outcomes: Outcomes) -> None:
    compared = 0
    for tau, row in zip(LANDMARKS, outcomes.survival_table("CUMULATIVE_INCIDENCE").rows, strict=True):
        found = [row.cell(column).value for column in ("TRANSPLANT", "DEATH", "FREE", "SUM")]
        if None in found:
            assert tau > outcomes.patients.futime.max()
            continue
        compared += 1
        assert [float(each or "nan") for each in found] == pytest.approx([*recounted(outcomes, tau), 1.0], abs=EXACT)
    assert compared >= 5


@pytest.mark.parametrize("point", WINDOWS)
def test_crude_proportions_at_the_landmarks_of_the_calendar(outcomes: Outcomes, point: str) -> None:
    target, around = WINDOWS[point]
    of = outcomes.patients
    died, lived = (of.status == 2) & (of.futime <= target), of.futime >= target
    near = outcomes.visits[(outcomes.visits.day - target).abs() <= around].id
    ended_near = (of.status == 0) & ((of.futime - target).abs() <= around)
    alive = ~died & (lived | of.id.isin(near) | ended_near)
    row = outcomes.survival_table("CRUDE_SURVIVAL").row(point)
    assert (row.cell("ALIVE").n, row.cell("ALIVE").of) == (alive.sum(), (alive | died).sum())
    assert row.cell("UNKNOWN").n == (~alive & ~died).sum()
    grafted = outcomes.survival_table("TRANSPLANT_PROPORTION").row(point).cell("TRANSPLANTED")
    assert (grafted.n, grafted.of) == (((of.status == 1) & (of.futime <= target)).sum(), len(of))


def nearest(outcomes: Outcomes, column: str, point: str) -> Any:
    """Baseline and the value nearest to the target in the window, a row a patient who has such a value."""
    target, around = WINDOWS[point]
    known = outcomes.visits[["id", "day", column]].dropna()
    post = known[(known.day > 0) & ((known.day - target).abs() <= around)]
    post = post.assign(away=(post.day - target).abs()).sort_values(["id", "away", "day"])
    first = known[known.day == 0].set_index("id")[column].rename("before")
    return post.groupby("id").first().join(first)


def described(row: Row, numbers: Any) -> None:
    q1, median, q3 = np.quantile(numbers, (0.25, 0.5, 0.75), method="averaged_inverted_cdf")
    expected = {"MEAN": numbers.mean(), "SD": numbers.std(ddof=1), "Q1": q1, "MEDIAN": median, "Q3": q3}
    expected |= {"MIN": numbers.min(), "MAX": numbers.max()}
    assert row.cell("N").n == len(numbers)
    found = {column: float(row.cell(column).value or "nan") for column in expected}
    assert found == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("point", WINDOWS)
@pytest.mark.parametrize(("parameter", "column", "factor"), FACTORS)
def test_change_from_baseline_is_what_pandas_counts_from_the_file(
    outcomes: Outcomes, parameter: str, column: str, factor: float, point: str
) -> None:
    table, found = outcomes.change_table(parameter), nearest(outcomes, column, point)
    if outcomes.visits[column].isna().all():
        assert table.row(f"{point}_VALUE").cell("N").n == 0
        return
    described(table.row("BL"), outcomes.visits[outcomes.visits.day == 0][column].dropna() * factor)
    described(table.row(f"{point}_VALUE"), found[column] * factor)
    both = found.dropna()
    described(table.row(f"{point}_CHANGE"), (both[column] - both.before) * factor)
    described(table.row(f"{point}_PERCENT"), (both[column] / both.before - 1) * 100)


def test_a_value_without_a_factor_of_its_unit_is_nowhere(outcomes: Outcomes) -> None:
    """AST in U/mL is in the log as stated, and in no table."""
    assert {row.cell("N").n for row in outcomes.change_table("ast").rows} == {0}
    assert outcomes.visits.ast.notna().all()
