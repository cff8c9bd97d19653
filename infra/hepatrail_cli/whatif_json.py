"""The answer of `hepatrail whatif` as JSON values."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.endpoints.cells import Cell
from hepatrail_projections.whatif_answer import WhatIf
from hepatrail_projections.whatif_counts import counts_of, outcome_counts_of
from hepatrail_projections.whatif_outcomes import CellPair, OutcomeDifference, OutcomeDifferences


def as_json(found: WhatIf, name: str, *, always: bool, listed: bool) -> dict[str, Any]:
    """The answer; what differs is left out, of values and of outcomes, unless it is to be listed.

    `outcomes` is None where one participant alone was asked about.
    """
    in_force, numbers = found.in_force, counts_of(found.differences)
    body: dict[str, Any] = {
        "protocol": {"file": name, "hash": found.hash},
        "inForce": None if in_force is None else {"version": in_force.version, "hash": in_force.row.hash},
        "asOf": format_instant(found.at),
        "completeTo": None if found.complete_to is None else format_instant(found.complete_to),
        "always": always,
        "participants": found.participants,
        "parked": found.parked,
        "counts": {
            **numbers.total._asdict(),
            "kinds": [{"kind": kind, **count._asdict()} for kind, count in numbers.kinds.items()],
            "columns": [{**key._asdict(), **count._asdict()} for key, count in numbers.columns.items()],
            "parameters": [{**key._asdict(), **count._asdict()} for key, count in numbers.parameters.items()],
        },
    }
    body |= {"differences": [asdict(each) for each in found.differences]} if listed else {}
    return body | {"outcomes": None if found.outcomes is None else _outcomes(found.outcomes, listed=listed)}


def _outcomes(found: OutcomeDifferences, *, listed: bool) -> dict[str, Any]:
    """Counts, differences, and the events that they name by id, each once: most cells of a table rest on the same."""
    numbers = outcome_counts_of(found.listed)
    tables = [{**key._asdict(), **count._asdict()} for key, count in numbers.tables.items()]
    body: dict[str, Any] = {"counts": {**numbers.total._asdict(), "tables": tables}}
    if not listed:
        return body
    return body | {
        "differences": [_difference(each) for each in found.listed],
        "events": [asdict(each) for each in found.events],
    }


def _difference(each: OutcomeDifference) -> dict[str, Any]:
    """A difference; `now` and `then` are a cell, and of what is whole the cells by their codes, None where none is."""
    return {
        "table": each.table,
        "title": each.title,
        "row": each.row,
        "row_label": each.row_label,
        "column": each.column,
        "column_label": each.column_label,
        "change": each.change,
        "now": None if each.change == "new" else _side(each, lambda pair: pair.now),
        "then": None if each.change == "gone" else _side(each, lambda pair: pair.then),
        "enter": each.enter,
        "leave": each.leave,
        "stay": each.stay,
        "event_ids": each.event_ids,
    }


def _side(each: OutcomeDifference, side: Callable[[CellPair], Cell | None]) -> dict[str, Any] | None:
    cells = [(pair.row, pair.column, _cell(cell)) for pair in each.cells if (cell := side(pair)) is not None]
    if each.row is not None and each.column is not None:
        return cells[0][2] if cells else None
    if each.row is not None:
        return {column: cell for _, column, cell in cells}
    if each.column is not None:
        return {row: cell for row, _, cell in cells}
    return _by_row(cells)


def _by_row(cells: Iterable[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for row, column, cell in cells:
        found.setdefault(row, {})[column] = cell
    return found


def _cell(cell: Cell) -> dict[str, Any]:
    interval = cell.interval
    return {
        "display": cell.display,
        "value": cell.value,
        "n": cell.n,
        "of": cell.of,
        "interval": None if interval is None else asdict(interval) | {"confidence": str(interval.confidence)},
        "flags": cell.flags,
    }
