"""Change from baseline (`endpoints.md` section 4): what each participant contributes, and every cell of the tables.

Decided where the reference leaves room, as the product's documentation says it: a value without baseline is in the
values and not in the changes; an observation is chosen first and left out then; what was observed after death or a
withdrawal from follow-up counts nowhere; `<=` counts as `<`, and `>=` as `>`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from event_recount.dates import DAY, instant
from event_recount.expected import EMPTY, Cells, Expected, Number
from event_recount.laboratory import Row, catalogue
from event_recount.scores import LEADING, Feed, Scored
from event_recount.statistics import describe, proportion, shown, t_interval
from event_recount.treated import Participant
from event_recount.visits import POST, Placed, Schedule, chosen, placed

ANALYSES = ("MAIN", "ALL_ASSIGNED", "WITHOUT_SESSION")
LOW, HIGH, BASELINE_QUALIFIED = "QUALIFIED_LOW", "QUALIFIED_HIGH", "BASELINE_QUALIFIED"
DURING, OUTSIDE = "DURING_SESSION", "OUT_OF_WINDOW"


@dataclass(frozen=True, slots=True)
class Entry:
    """One parameter of one participant at one point."""

    subject_id: str
    value: Fraction
    change: Fraction | None
    percent: Fraction | None
    flags: frozenset[str]
    analyses: frozenset[str]
    value_ids: frozenset[UUID]
    change_ids: frozenset[UUID]


Entries = dict[tuple[str, str], list[Entry]]
"""By parameter and point."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was observed: a number, when, and the events behind it."""

    number: Fraction
    comparator: str | None
    times: list[Row]
    in_window: bool
    event_ids: frozenset[UUID]


def laboratory() -> list[str]:
    """The 21 analytes of the registration."""
    return [code for code, row in catalogue().items() if row["in_seed"] == "yes"]


def entries(each: Participant, rows: list[Row], schedule: Schedule) -> Entries:
    """What a treated participant contributes."""
    at = placed(rows, schedule)
    feed = Feed(each, rows, schedule, at)
    found: Entries = {}
    for parameter in (*LEADING, *laboratory()):
        seen = {point: _seen(parameter, point, at, feed) for point in ("BL", *POST)}
        before = seen["BL"]
        for point, this in seen.items():
            if this is not None:
                found[parameter, point] = [_entry(each, parameter, point, this, before)]
    return found


def _seen(parameter: str, point: str, at: dict[tuple[str, str], list[Placed]], feed: Feed) -> _Seen | None:
    if parameter in LEADING:
        scored = feed.score(parameter, point)
        return None if scored is None or scored.number is None else _of_score(scored, point, at)
    if (parameter, point) not in at:
        return None
    row, place = chosen(at[parameter, point])
    if not isinstance(row.value, Fraction) or (point == "BL" and not place.in_window):
        return None
    return _Seen(row.value, row.comparator, [row], place.in_window, frozenset(row.event_ids))


def _of_score(scored: Scored, point: str, at: dict[tuple[str, str], list[Placed]]) -> _Seen:
    """A score lies in its window when every input assigned to the point does."""
    assert scored.number is not None
    outside = [
        row
        for code, row in scored.rows
        for other in (("map", "sbp", "dbp") if code == "map" else (code,))
        for candidate in at.get((other, point), [])
        if candidate.row.id == row.id and not candidate.place.in_window
    ]
    times = [row for _, row in scored.rows]
    return _Seen(Fraction(scored.number), None, times, not outside, frozenset(scored.event_ids))


def _counts(seen: _Seen) -> Fraction:
    return seen.number / 2 if (seen.comparator or "")[:1] == "<" else seen.number


def _entry(each: Participant, parameter: str, point: str, seen: _Seen, before: _Seen | None) -> Entry:
    value, flags = _counts(seen), _flags(each, point, seen)
    change = percent = None
    change_ids = seen.event_ids
    if point != "BL" and before is not None:
        change = value - _counts(before)
        change_ids = seen.event_ids | before.event_ids
        if before.comparator is not None:
            flags |= {BASELINE_QUALIFIED}
        if parameter not in LEADING and _counts(before) > 0:
            percent = 100 * change / _counts(before)
    analyses = _analyses(each, point, seen, flags)
    return Entry(each.subject_id, value, change, percent, flags, analyses, seen.event_ids, change_ids)


def _flags(each: Participant, point: str, seen: _Seen) -> frozenset[str]:
    flags = set()
    if seen.comparator is not None:
        flags.add(LOW if seen.comparator[0] == "<" else HIGH)
    if not seen.in_window:
        flags.add(OUTSIDE)
    if point != "BL":
        if any(_during_later_session(each, row) for row in seen.times):
            flags.add(DURING)
        if each.transplant is not None and any(_last(row) > each.transplant[0] for row in seen.times):
            flags.add("AFTER_TRANSPLANT")
    return frozenset(flags)


def _analyses(each: Participant, point: str, seen: _Seen, flags: frozenset[str]) -> frozenset[str]:
    """Main: in the window; beside it all that is assigned, and nothing of a later session. Never after the end."""
    if point == "BL":
        return frozenset(ANALYSES)
    ends = [instant(record.data["withdrawnAt"]) for record in each.withdrawals]
    ends += [] if each.died_at is None else [each.died_at]
    if "AFTER_TRANSPLANT" in flags or any(_last(row) > end for row in seen.times for end in ends):
        return frozenset()
    if OUTSIDE in flags:
        return frozenset({"ALL_ASSIGNED"})
    return frozenset({"MAIN", "ALL_ASSIGNED"}) if DURING in flags else frozenset(ANALYSES)


def _during_later_session(each: Participant, row: Row) -> bool:
    at = row.collected
    return isinstance(at, datetime) and any(
        session.start <= at and (session.end is None or at < session.end) for session in each.sessions[1:]
    )


def _last(row: Row) -> datetime:
    return row.first if isinstance(row.collected, datetime) else row.first + DAY


def together(of_each: Iterable[Entries]) -> Entries:
    """The entries of all participants, in their order."""
    found: Entries = {}
    for one in of_each:
        for place, held in one.items():
            found.setdefault(place, []).extend(held)
    return found


def change_cells(found: Entries, n: int) -> Cells:
    """Every table of section 4, and who is evaluable (section 1); N participants are in the safety set."""
    cells: Cells = {}
    for parameter in (*LEADING, *laboratory()):
        decimals = 0 if parameter in LEADING else int(catalogue()[parameter]["decimals"] or 0)
        for point in ("BL", *POST):
            here = found.get((parameter, point), [])
            for analysis in ANALYSES:
                table = f"CHANGE_{parameter.upper()}" + ("" if analysis == "MAIN" else f"_{analysis}")
                held = [each for each in here if analysis in each.analyses]
                if point == "BL":
                    cells |= _values((table, "BL"), held, n, decimals)
                    continue
                cells |= _values((table, f"{point}_VALUE"), held, n, decimals)
                cells |= _changes((table, f"{point}_CHANGE"), held, n, decimals)
                if parameter not in LEADING:
                    cells |= _percents((table, f"{point}_PERCENT"), held, n)
            if point != "BL":
                evaluable = [each for each in here if "MAIN" in each.analyses and each.change is not None]
                behind = {each.subject_id: each.change_ids for each in evaluable}
                cells["EVALUABLE", parameter, point] = proportion(behind, n)
    return cells


def _values(row: tuple[str, str], held: list[Entry], n: int, decimals: int) -> Cells:
    given = [(each, each.value) for each in held]
    return _statistics(row, given, n, (decimals + 1, decimals + 2, decimals), change=False)


def _changes(row: tuple[str, str], held: list[Entry], n: int, decimals: int) -> Cells:
    given = [(each, each.change) for each in held if each.change is not None]
    return _statistics(row, given, n, (decimals + 1, decimals + 2, decimals), change=True)


def _percents(row: tuple[str, str], held: list[Entry], n: int) -> Cells:
    given = [(each, each.percent) for each in held if each.percent is not None]
    return _statistics(row, given, n, (1, 1, 1), change=True)


def _statistics(
    row: tuple[str, str], given: list[tuple[Entry, Fraction]], of: int, places: tuple[int, int, int], *, change: bool
) -> Cells:
    """n, mean with its interval, SD, median, quartiles, range; how many are qualified or of a later session."""
    central, spread, source = places
    numbers = [number for _, number in given]
    behind = {each.subject_id: each.change_ids if change else each.value_ids for each, _ in given}
    flags = frozenset(flag for each, _ in given for flag in each.flags)
    qualified = {LOW, HIGH, BASELINE_QUALIFIED} if change else {LOW, HIGH}
    if not change:
        flags -= {BASELINE_QUALIFIED}
    limits, n = t_interval(numbers) if change else None, len(numbers)
    decimals = {"MEAN": central, "SD": spread, "MEDIAN": central, "Q1": central, "Q3": central}
    found: dict[str, Number | None] = dict(describe(numbers))
    cells: Cells = {
        (*row, name): Expected(number, shown(number, decimals.get(name, source)), n, of, None, behind, flags)
        for name, number in found.items()
    }
    mean, interval = (
        found["MEAN"],
        "NE" if limits is None else f"{shown(limits[0], central)} to {shown(limits[1], central)}",
    )
    cells[(*row, "MEAN")] = Expected(mean, shown(mean, central), n, of, limits, behind, flags)
    cells[(*row, "CI")] = Expected(None, interval, n, of, limits, behind, flags) if change else EMPTY
    cells[(*row, "N")] = Expected(n, str(n), n, of, None, behind, flags)
    for column, sought in (("QUALIFIED", qualified), ("DURING_SESSION", {DURING})):
        such = {each.subject_id: behind[each.subject_id] for each, _ in given if not sought.isdisjoint(each.flags)}
        cells[(*row, column)] = Expected(len(such), str(len(such)), len(such), n, behind=such)
    return cells
