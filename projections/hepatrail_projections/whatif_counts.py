"""How much would differ under another protocol: by kind, by table and column, by parameter; outcomes by table. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from hepatrail_projections.whatif import ProtocolDifference
from hepatrail_projections.whatif_kinds import Kind
from hepatrail_projections.whatif_outcomes import OutcomeDifference


class Count(NamedTuple):
    """How many values, of how many rows and participants, would differ."""

    values: int
    rows: int
    participants: int


class ByColumn(NamedTuple):
    """A column of a table, or, without one, its rows that would be `new` or `gone` as a whole."""

    kind: Kind
    table: str
    column: str | None
    change: str


class ByParameter(NamedTuple):
    """An analyte, a score, a time point, a rule, ... within a kind and a table."""

    kind: Kind
    table: str
    parameter: str


class ByTable(NamedTuple):
    """An outcome table: the cells in it that would be `changed`, or that would be `new` or `gone`."""

    table: str
    change: str


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """The counts of cells by table, in the order of the tables, and altogether.

    Participants are those that would enter, leave or be there by other events.
    """

    total: Count
    tables: dict[ByTable, Count]


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts by each of three orders of reading, each in the order of `Kind`, then by name; and altogether."""

    total: Count
    kinds: dict[Kind, Count]
    columns: dict[ByColumn, Count]
    parameters: dict[ByParameter, Count]


_Key = TypeVar("_Key", Kind, ByColumn, ByParameter)
_ORDER = {kind: place for place, kind in enumerate(Kind)}


def counts_of(differences: Iterable[ProtocolDifference]) -> Counts:
    """The counts of some differences, in whatever order they come."""
    listed = list(differences)
    return Counts(
        total=_count(listed),
        kinds=_counted(listed, lambda each: each.kind),
        columns=_counted(listed, lambda each: ByColumn(each.kind, each.table, each.column, each.change)),
        parameters=_counted(listed, _parameter),
    )


def outcome_counts_of(differences: Iterable[OutcomeDifference]) -> OutcomeCounts:
    """The counts of some differences in the order of the tables."""
    by_table: dict[ByTable, list[OutcomeDifference]] = {}
    for each in differences:
        by_table.setdefault(ByTable(each.table, each.change), []).append(each)
    total = _count_cells(each for listed in by_table.values() for each in listed)
    return OutcomeCounts(total, {key: _count_cells(listed) for key, listed in by_table.items()})


def _count_cells(differences: Iterable[OutcomeDifference]) -> Count:
    listed = list(differences)
    return Count(
        values=sum(len(each.cells) for each in listed),
        rows=len({(each.table, cell.row) for each in listed for cell in each.cells}),
        participants=len({who for each in listed for who in (*each.enter, *each.leave, *each.stay)}),
    )


def _parameter(each: ProtocolDifference) -> ByParameter | None:
    return None if each.parameter is None else ByParameter(each.kind, each.table, each.parameter)


def _counted(
    differences: Iterable[ProtocolDifference], by: Callable[[ProtocolDifference], _Key | None]
) -> dict[_Key, Count]:
    found: dict[_Key, list[ProtocolDifference]] = {}
    for each in differences:
        key = by(each)
        if key is not None:
            found.setdefault(key, []).append(each)
    return {key: _count(found[key]) for key in sorted(found, key=_place)}


def _place(key: Kind | ByColumn | ByParameter) -> tuple[int, tuple[str, ...]]:
    if isinstance(key, Kind):
        return _ORDER[key], ()
    return _ORDER[key.kind], tuple(each or "" for each in key[1:])


def _count(differences: Iterable[ProtocolDifference]) -> Count:
    listed = list(differences)
    return Count(
        values=len(listed),
        rows=len({(each.subject_id, each.table, each.key) for each in listed}),
        participants=len({each.subject_id for each in listed}),
    )
