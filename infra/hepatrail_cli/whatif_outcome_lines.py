"""What would differ of the outcomes, in lines of text: the first of each table, for all have thousands of cells."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Final
from uuid import UUID

from hepatrail_cli.audit.values import text_of
from hepatrail_cli.responsible_words import NAMED, because
from hepatrail_projections.clinical.endpoints.cells import Cell, Interval
from hepatrail_projections.responsible_event import ResponsibleEvent
from hepatrail_projections.whatif_outcomes import CellPair, OutcomeDifference, OutcomeDifferences

OF_A_ROW: Final = 2
OF_A_TABLE: Final = 5
ALTOGETHER: Final = 100
"""How many differences are told of a row, of a table, and of all tables together."""


def outcome_lines(found: OutcomeDifferences) -> Iterator[str]:
    """The differences in the order of the tables, and how many more there are."""
    events, told, untold = {each.event_id: each for each in found.events}, 0, 0
    for table, group in groupby(found.listed, attrgetter("table")):
        of_table = list(group)
        shown = _first(of_table)[: ALTOGETHER - told]
        yield from (_line(each, events) for each in shown)
        told, more = told + len(shown), len(of_table) - len(shown)
        if shown and more:
            yield f"{table}: and {more} more; --json has all"
        elif more:
            untold += more
    if untold:
        yield f"and {untold} more of other tables; --json has all"


def _first(of_table: Sequence[OutcomeDifference]) -> list[OutcomeDifference]:
    """The first of each row, as n and mean are, so that a few lines tell of more than one."""
    by_row = groupby(of_table, attrgetter("row"))
    found = (each for _, of_row in by_row for each in islice(of_row, OF_A_ROW))
    return list(islice(found, OF_A_TABLE))


def _line(each: OutcomeDifference, events: Mapping[UUID, ResponsibleEvent]) -> str:
    place = (
        each.table,
        each.row,
        each.column if each.row is not None or each.column is None else f"column {each.column}",
    )
    said = [_whole(each)] if each.row is None or each.column is None else list(_cell(each))
    named = because([events[event_id] for event_id in each.event_ids], "by the protocol alone")
    reason = f"because {named}" if each.event_ids else named
    return f"{' '.join(part for part in place if part)}: {'; '.join((*said, reason))}"


def _whole(each: OutcomeDifference) -> str:
    """What is shown in a table, row or column that would be new or gone."""
    if each.row is None and each.column is None:
        rows = len({pair.row for pair in each.cells})
        return f"{each.change} ({rows} {'row' if rows == 1 else 'rows'}: {each.title})"
    cells = ((pair, pair.now if pair.then is None else pair.then) for pair in each.cells)
    said = ", ".join(
        f"{pair.column if each.column is None else pair.row} {_shown(cell)}" for pair, cell in cells if cell is not None
    )
    return f"{each.change} ({text_of(said)})" if said else each.change


def _cell(each: OutcomeDifference) -> Iterator[str]:
    """What is shown now and then, and who enters, leaves or rests on other events."""
    (pair,) = each.cells
    yield _values(pair)
    for who, one, many in (
        (each.enter, "enters", "enter"),
        (each.leave, "leaves", "leave"),
        (each.stay, "rests on other events", "rest on other events"),
    ):
        if who:
            yield f"{_names(who)} {one if len(who) == 1 else many}"


def _values(pair: CellPair) -> str:
    now, then = pair.now, pair.then
    if now is None or then is None:
        return f"{'none' if now is None else _shown(now)} -> {'none' if then is None else _shown(then)}"
    if now.display != then.display:
        return f"{_shown(now)} -> {_shown(then)}"
    # What is shown is rounded: behind the same text there may be another number.
    beside = (
        ("value", now.value, then.value),
        ("n", now.n, then.n),
        ("of", now.of, then.of),
        ("interval", _limits(now.interval), _limits(then.interval)),
        ("flags", " ".join(now.flags) or None, " ".join(then.flags) or None),
    )
    said = (f", {name} {text_of(old)} -> {text_of(new)}" for name, old, new in beside if old != new)
    return f"{_shown(now)} as before{''.join(said)}"


def _shown(cell: Cell) -> str:
    return cell.display or "nothing"


def _limits(interval: Interval | None) -> str | None:
    if interval is None:
        return None
    return f"{interval.lower:.4g} to {interval.upper:.4g} ({interval.confidence} {interval.method})"


def _names(who: Sequence[str]) -> str:
    more = len(who) - NAMED
    return ", ".join(who) if more <= 0 else f"{', '.join(who[:NAMED])} and {more} more"
