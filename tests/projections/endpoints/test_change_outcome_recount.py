"""Every cell of the change from baseline, recounted from the rows by plain loops, floats and numpy's quantiles.

Stops come from the visits, sessions from their rows, the windows of a score's inputs from the laboratory rows: nothing
of what is tested is used but the codes of its tables.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from change_course import LATER, protocol_of, random_trial, rows_of
from hepatrail_events.catalogue import SEED_LABS
from hepatrail_events.protocol import Protocol
from hepatrail_projections.clinical.endpoints.cells import Row
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.endpoints.change_facts import Flag, change_facts
from hepatrail_projections.endpoints.change_tables import change_tables
from projection_log import LogWriter
from trial_history import history

SCORES = ("meld_2002", "gcs", "sofa_1996", "apache_ii_1985")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass
class Found:
    """A value of somebody at a point."""

    who: str
    value: float
    events: set[UUID]
    change: float | None = None
    percent: float | None = None
    limit: bool = False
    base_limit: bool = False
    in_session: bool = False
    in_window: bool = True
    gone: bool = False
    base_events: frozenset[UUID] = frozenset()


Places = dict[tuple[str, str], list[Found]]


def last_moment(row: Any) -> datetime:
    if row.collected_at is not None:
        return row.collected_at  # type: ignore[no-any-return]
    return datetime.combine(row.collected_on + timedelta(days=1), time(), SHANGHAI)


def counted(row: Any, protocol: Protocol) -> float:
    number = float(Fraction(row.canonical_exact))
    halved = row.comparator in ("<", "<=") and protocol.endpoints.censored_low == "HALF"
    return number / 2 if halved else number


def labs_of(rows: SubjectRows, protocol: Protocol) -> Iterator[tuple[str, str, Found]]:
    who, later = rows.subject.subject_id, sorted((s for s in rows.sessions if not s.voided), key=lambda s: s.started_at)
    stops = rows.visits[0].stops
    first = {each.code: each for each in rows.lab_results if each.baseline}
    for row in rows.lab_results:
        if row.code not in SEED_LABS or not row.used or row.voided or not row.accepted:
            continue
        if row.point == "BL" and not row.baseline:
            continue
        value, base = counted(row, protocol), first.get(row.code)
        found = Found(who, value, set(row.event_ids), limit=row.comparator is not None)
        if row.point != "BL":
            found.in_window = bool(row.in_window)
            at = row.collected_at
            found.in_session = at is not None and any(
                s.started_at <= at and (s.ended_at is None or at < s.ended_at) for s in later[1:]
            )
            ending = {"DEATH", "WITHDRAWAL"} | (
                {"TRANSPLANT"} if protocol.endpoints.exclude_after_transplant else set()
            )
            found.gone = any(
                stop["cause"] in ending and datetime.fromisoformat(stop["time"]) < last_moment(row) for stop in stops
            )
            if base is not None:
                before = counted(base, protocol)
                found.change, found.base_limit = value - before, base.comparator is not None
                found.percent = (value - before) / before * 100 if before > 0 else None
                found.base_events = frozenset(base.event_ids)
        yield row.code, str(row.point), found


def scores_of(rows: SubjectRows, protocol: Protocol) -> Iterator[tuple[str, str, Found]]:
    who, stops = rows.subject.subject_id, rows.visits[0].stops
    later = sorted((s for s in rows.sessions if not s.voided), key=lambda s: s.started_at)[1:]
    first = {each.score_id: each for each in rows.scores if each.point == "BL"}
    for row in rows.scores:
        if row.score_id not in SCORES or row.value is None:
            continue
        if row.status != "complete" and (row.score_id == "gcs" or row.point == "BL"):
            continue
        inputs = [each for each in row.inputs if each["problem"] is None]
        events = {UUID(event) for each in row.inputs for event in each["eventIds"]}
        found = Found(who, float(row.value), events)
        if row.point != "BL":
            for lab in rows.lab_results:
                for each in inputs:
                    if str(lab.event_ids[0]) == each["eventIds"][0] and lab.code == each["code"]:
                        found.in_window = found.in_window and (lab.point != row.point or bool(lab.in_window))
            times = [datetime.fromisoformat(each["collectedAt"]) for each in inputs if each["collectedAt"]]
            found.in_session = any(
                s.started_at <= at and (s.ended_at is None or at < s.ended_at) for s in later for at in times
            )
            over = [datetime.fromisoformat(each["time"]) for each in stops if each["cause"] in ("DEATH", "WITHDRAWAL")]
            found.gone = any(each < max(times) for each in over)
            found.gone = found.gone or (row.post_transplant and protocol.endpoints.exclude_after_transplant)
            found.change = None if row.change is None else float(row.change)
            found.base_events = frozenset(first[row.score_id].event_ids)
        yield row.score_id, row.point, found


def everything(trial: Sequence[SubjectRows], protocol: Protocol) -> Places:
    places: Places = defaultdict(list)
    for rows in trial:
        if any(not each.voided for each in rows.sessions):
            for code, point, found in (*labs_of(rows, protocol), *scores_of(rows, protocol)):
                places[code, point].append(found)
    return places


def chosen(found: list[Found], analysis: str, protocol: Protocol) -> list[Found]:
    window = protocol.endpoints.in_window_only and analysis != "ALL_ASSIGNED"
    kept = [each for each in found if not each.gone and (each.in_window or not window)]
    return [each for each in kept if not (each.in_session and analysis == "WITHOUT_SESSION")]


def check(row: Row, found: list[Found], kind: str) -> None:
    """The row describes the values, changes or percentages of these."""
    numbers = [getattr(each, kind) for each in found if getattr(each, kind) is not None]
    counted = [each for each in found if getattr(each, kind) is not None]
    assert row.cell("N").n == len(numbers)
    who = {
        (each.who, frozenset(each.events | (each.base_events if kind != "value" else frozenset()))) for each in counted
    }
    assert {(each.subject_id, frozenset(each.event_ids)) for each in row.cell("MEAN").contributions} == who
    limits = [each for each in counted if each.limit or (kind != "value" and each.base_limit)]
    assert row.cell("QUALIFIED").n == len(limits)
    assert row.cell("DURING_SESSION").n == sum(each.in_session for each in counted)
    expected: dict[str, float | None] = dict.fromkeys(("MEAN", "SD", "MEDIAN", "Q1", "Q3", "MIN", "MAX"))
    if numbers:
        q1, median, q3 = np.quantile(numbers, (0.25, 0.5, 0.75), method="averaged_inverted_cdf")
        expected |= {"MEAN": statistics.fmean(numbers), "Q1": q1, "MEDIAN": median, "Q3": q3}
        expected |= {"MIN": min(numbers), "MAX": max(numbers)}
    if len(numbers) > 1:
        expected["SD"] = statistics.stdev(numbers)
    for column, number in expected.items():
        value = row.cell(column).value
        assert (None if value is None else float(value)) == (
            None if number is None else pytest.approx(number, abs=1e-8)
        ), (row.code, column)


def recount(log: LogWriter, as_of: datetime) -> int:
    """Compares every row of every table; how many values were compared."""
    trial, protocol = rows_of(log, as_of), protocol_of(log, as_of)
    places, seen = everything(trial, protocol), 0
    tables = {
        each.code: each for each in change_tables([change_facts(each, protocol) for each in trial], protocol, as_of)
    }
    points = [each.code for each in protocol.points]
    for analysis in ("", "ALL_ASSIGNED", "WITHOUT_SESSION"):
        for code in (*SCORES, *SEED_LABS):
            table = tables.pop("_".join(filter(None, ("CHANGE", code.upper(), analysis))))
            rows = {each.code: each for each in table.rows}
            for point in points:
                found = chosen(places.get((code, point), []), analysis, protocol)
                seen += len(found)
                kinds = ("value", "change", "percent") if code in SEED_LABS else ("value", "change")
                for kind in kinds if point != "BL" else ("value",):
                    check(rows.pop(point if point == "BL" else f"{point}_{kind.upper()}"), found, kind)
            assert not rows
    assert not tables
    return seen


@pytest.mark.parametrize("seed", [1, 2])
def test_every_cell_of_a_trial_made_for_it(seed: int) -> None:
    assert recount(random_trial(seed, 5).log, LATER) > 1000


@pytest.mark.parametrize(
    "rules", [{"in_window_only": False, "censored_low": "LIMIT"}, {"exclude_after_transplant": False}]
)
def test_every_cell_under_other_rules(rules: dict[str, Any]) -> None:
    assert recount(random_trial(4, 4, rules).log, LATER) > 500


@pytest.mark.parametrize("seed", [5, 6])
def test_every_cell_of_a_simulated_trial(seed: int) -> None:
    log = history(seed, subjects=4, steps=250)
    assert recount(log, log.now) > 20


def test_the_trials_made_for_it_have_every_flag_and_every_reason() -> None:
    entries = [
        entry
        for seed, participants in ((1, 5), (2, 5), (4, 4))
        for facts in random_trial(seed, participants).facts()
        for entry in facts.entries.values()
    ]
    assert {flag for each in entries for flag in each.flags} == set(Flag) - {Flag.ASSUMED}
    assert {each.reason for each in entries} >= {"AFTER_TRANSPLANT", "AFTER_DEATH", "OUT_OF_WINDOW", "INCOMPLETE"}


def test_the_loops_see_a_cell_that_is_wrong() -> None:
    """The recount itself is tested: one number more or less is found."""
    trial = random_trial(1, 5)
    rows, protocol = trial.rows(), trial.protocol
    table = trial.tables()["CHANGE_GCS"]
    found = chosen(everything(rows, protocol)["gcs", "D7"], "", protocol)
    check(table.row("D7_VALUE"), found, "value")
    with pytest.raises(AssertionError):
        check(table.row("D7_VALUE"), [replace(each, value=each.value + 1) for each in found], "value")
