"""The tables of the change from baseline (`endpoints.md` section 4): one a parameter and analysis.

A table has the baseline, and for each point after treatment the values, the changes and, of laboratory analytes, the
changes in percent of the baseline. Rows of values have no interval: their cell `CI` is empty. Decided here, because
the reference leaves room: a percentage has one decimal in every statistic; `QUALIFIED` counts the values (of a change:
or their baselines) that stand for a limit of the method.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from hepatrail_events.protocol import Protocol
from hepatrail_events.protocol_rules import EndpointRules
from hepatrail_projections.clinical.endpoints.cells import (
    NOT_ESTIMABLE,
    Cell,
    Column,
    Contribution,
    Interval,
    Number,
    Row,
    Table,
    rounded,
    text,
)
from hepatrail_projections.clinical.endpoints.describe import summary
from hepatrail_projections.clinical.visits import BASELINE
from hepatrail_projections.endpoints.change_facts import (
    QUALIFIED,
    Analysis,
    ChangeEntry,
    ChangeFacts,
    Flag,
    Place,
    by_place,
)
from hepatrail_projections.endpoints.change_parameters import Parameter, parameters, point_label, post_points
from hepatrail_projections.endpoints.memory import Memory

COLUMNS: Final = (
    Column("N", "n"),
    Column("MEAN", "Mean"),
    Column("CI", "Interval of the mean change"),
    Column("SD", "SD"),
    Column("MEDIAN", "Median"),
    Column("QUALIFIED", "Values < or >"),
    Column("Q1", "Q1"),
    Column("Q3", "Q3"),
    Column("MIN", "Min"),
    Column("MAX", "Max"),
    Column("DURING_SESSION", "During a later session"),
)

TITLES: Final[Mapping[Analysis, str]] = {
    Analysis.MAIN: "{}: change from baseline",
    Analysis.ALL_ASSIGNED: "{}: change from baseline, all assigned values (sensitivity)",
    Analysis.WITHOUT_SESSION: "{}: change from baseline, without values of a later session (sensitivity)",
}

Entries = Sequence[ChangeEntry]


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a row describes: the number of an entry, its events, its decimals."""

    number: Callable[[ChangeEntry], Fraction | None]
    contribution: Callable[[ChangeEntry], Contribution]
    decimals: Callable[[Parameter], tuple[int, int, int]]
    """Of mean, median and quartiles; of the SD; of the least and the greatest."""
    is_change: bool


def _as_source(parameter: Parameter) -> tuple[int, int, int]:
    return parameter.decimals + 1, parameter.decimals + 2, parameter.decimals


_VALUE: Final = _Measure(lambda each: each.value, lambda each: each.of_value, _as_source, is_change=False)
_CHANGE: Final = _Measure(lambda each: each.change, lambda each: each.of_change, _as_source, is_change=True)
_PERCENT: Final = _Measure(lambda each: each.percent, lambda each: each.of_change, lambda _: (1, 1, 1), is_change=True)


def change_tables(
    facts: Sequence[ChangeFacts], protocol: Protocol, as_of: datetime, memory: Memory | None = None
) -> tuple[Table, ...]:
    """Every table of the section: the main analysis of each parameter, then each sensitivity analysis."""
    del as_of  # The facts are as of it already.
    safety = sorted((each for each in facts if each.in_safety_set), key=lambda each: each.subject_id)
    of, known, points = len(safety), memory or Memory(), (BASELINE, *post_points(protocol))
    places = known.made("places", safety, lambda: by_place(safety))
    rows = {
        parameter.code: [_rows(parameter, point, places, of, protocol, known) for point in points]
        for parameter in parameters(protocol)
    }
    return tuple(
        Table(
            table_code(parameter, analysis),
            TITLES[analysis].format(parameter.label),
            "4",
            COLUMNS,
            tuple(row for at_point in rows[parameter.code] for row in at_point[analysis]),
            _notes(parameter, analysis, protocol.endpoints),
        )
        for analysis in Analysis
        for parameter in parameters(protocol)
    )


def table_code(parameter: Parameter, analysis: Analysis) -> str:
    """Such as CHANGE_ALT of the main analysis, CHANGE_ALT_ALL_ASSIGNED of another."""
    code = f"CHANGE_{parameter.code.upper()}"
    return code if analysis is Analysis.MAIN else f"{code}_{analysis.value}"


def _rows(
    parameter: Parameter,
    point: str,
    places: Mapping[Place, list[ChangeEntry]],
    of: int,
    protocol: Protocol,
    memory: Memory,
) -> Mapping[Analysis, tuple[Row, ...]]:
    """The rows of one parameter at one point in each analysis; most of a sensitivity analysis are the main one's."""
    entries, confidence = places.get((parameter.code, point), []), Decimal(protocol.endpoints.confidence)

    def make() -> Mapping[Analysis, tuple[Row, ...]]:
        made: dict[tuple[int, ...], tuple[Row, ...]] = {}
        found = {}
        for analysis in Analysis:
            counting = [each for each in entries if analysis in each.analyses]
            which = tuple(map(id, counting))
            if which not in made:
                made[which] = tuple(_made_rows(parameter, point, counting, of, confidence))
            found[analysis] = made[which]
        return found

    return memory.made(("change", parameter.code, point), (entries, of, confidence), make)


def _made_rows(parameter: Parameter, point: str, entries: Entries, of: int, confidence: Decimal) -> Iterable[Row]:
    label = point_label(point)
    if point == BASELINE:
        yield Row(BASELINE, label, _cells(_VALUE, parameter, entries, of, confidence))
        return
    yield Row(f"{point}_VALUE", label, _cells(_VALUE, parameter, entries, of, confidence))
    yield Row(f"{point}_CHANGE", f"{label}, change", _cells(_CHANGE, parameter, entries, of, confidence), 1)
    if not parameter.is_score:
        cells = _cells(_PERCENT, parameter, entries, of, confidence)
        yield Row(f"{point}_PERCENT", f"{label}, change in %", cells, 1)


def _cells(measure: _Measure, parameter: Parameter, entries: Entries, of: int, confidence: Decimal) -> tuple[Cell, ...]:
    given = [(each, number) for each in entries if (number := measure.number(each)) is not None]
    found = summary([number for _, number in given], confidence)
    central, spread, source = measure.decimals(parameter)
    who = tuple(measure.contribution(each) for each, _ in given)
    qualified = QUALIFIED | {Flag.BASELINE_QUALIFIED} if measure.is_change else QUALIFIED
    shown = [flag for flag in Flag if flag is not Flag.BASELINE_QUALIFIED or measure.is_change]
    flags = tuple(flag.value for flag in shown if any(flag in each.flags for each, _ in given))
    interval = found.mean_interval if measure.is_change else None

    def cell(column: str, number: Number | None, decimals: int) -> Cell:
        return Cell(column, text(number), rounded(number, decimals), found.n, of, None, who, flags)

    def counted(column: str, sought: frozenset[Flag]) -> Cell:
        held = tuple(measure.contribution(each) for each, _ in given if not sought.isdisjoint(each.flags))
        return Cell(column, str(len(held)), str(len(held)), len(held), found.n, None, held)

    return (
        Cell("N", str(found.n), str(found.n), found.n, of, None, who, flags),
        replace(cell("MEAN", found.mean, central), interval=interval),
        Cell("CI", None, _limits(interval, central), found.n, of, interval, who, flags)
        if measure.is_change
        else Cell("CI", None, ""),
        cell("SD", found.sd, spread),
        cell("MEDIAN", found.median, central),
        counted("QUALIFIED", qualified),
        cell("Q1", found.q1, central),
        cell("Q3", found.q3, central),
        cell("MIN", found.least, source),
        cell("MAX", found.greatest, source),
        counted("DURING_SESSION", frozenset({Flag.DURING_SESSION})),
    )


def _limits(interval: Interval | None, decimals: int) -> str:
    if interval is None:
        return NOT_ESTIMABLE
    return f"{rounded(interval.lower, decimals)} to {rounded(interval.upper, decimals)}"


def _notes(parameter: Parameter, analysis: Analysis, rules: EndpointRules) -> tuple[str, ...]:
    in_window = rules.in_window_only and analysis is not Analysis.ALL_ASSIGNED
    below = "x / 2" if rules.censored_low == "HALF" else "x"
    held = (
        (parameter.is_score, f"Algorithm {parameter.code}; an incomplete score is missing."),
        (not parameter.is_score, f"< x counts as {below}, > x as x. In % only where the baseline is above 0."),
        (True, "Observations inside their windows." if in_window else "All observations assigned to a time point."),
        (rules.exclude_after_transplant, "Nothing after a liver transplant."),
        (analysis is Analysis.WITHOUT_SESSION, "Nothing observed while a later session ran."),
        (True, "A value without baseline is in the values, not in the changes. Nothing is imputed."),
        (True, f"Quantiles {rules.quantile}; interval of the mean change: t, {rules.confidence}."),
    )
    return tuple(note for applies, note in held if applies)
