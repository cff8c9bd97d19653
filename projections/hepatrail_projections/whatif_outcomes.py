"""Which outcomes of the trial would differ under another protocol, and which events they rest on: pure.

The tables of `endpoints.md` are made of all participants under both protocols and compared cell by cell, paired by the
codes of table, row and column. Named as responsible are, as for rows (`whatif.py`), the events on which a cell rests on
one side only; where both sides rest on the same events, all of these. Decided here:

- A cell that names no event, as a count of none of other values, is answered for by those of its row.
- Titles, labels, notes and the order of rows repeat the protocol or follow from the cells: they are no difference.
- A table, row or column that is on one side only is one difference, with all its cells.
- A code that names an algorithm or a time point is never paired with another one: under a protocol with another MELD
  the tables of the one are gone and those of the other are new (`change_parameters.py`). Numbers of two formulas are
  not one parameter that changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from hepatrail_projections.clinical.endpoints.cells import Cell, Row, Table
from hepatrail_projections.endpoints.answer import Outcomes
from hepatrail_projections.responsible_event import ResponsibleEvent

Change: TypeAlias = Literal["changed", "new", "gone"]


class CellPair(NamedTuple):
    """The cell at a place of a table, as it is and as it would be; one of them may be missing."""

    row: str
    column: str
    now: Cell | None
    then: Cell | None


@dataclass(frozen=True, slots=True)
class OutcomeDifference:
    """A cell that would be another one; with `column` or `row` alone a whole column or row, with neither a whole table.

    A whole one would be there in addition (`new`) or would not (`gone`). Labels are those of the protocol; `cells` has
    the one cell, or all of the whole. `enter` and `leave` are ids of participants in order, `stay` those who are in it
    on both sides, by other events. `event_ids` are those responsible, in no
    order before `named` has put them into that of the streams.
    """

    table: str
    title: str
    row: str | None
    row_label: str | None
    column: str | None
    column_label: str | None
    change: Change
    cells: tuple[CellPair, ...]
    enter: tuple[str, ...]
    leave: tuple[str, ...]
    stay: tuple[str, ...]
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class OutcomeDifferences:
    """The differences in the order of the tables, and each event that one of them names, once, by stream and place."""

    listed: tuple[OutcomeDifference, ...]
    events: tuple[ResponsibleEvent, ...]


def outcome_differences(now: Outcomes, then: Outcomes) -> Iterator[OutcomeDifference]:
    """What differs between the outcomes as they are and as they would be; of a table first columns, then row by row."""
    before, after = ({table.code: table for table in each.tables} for each in (now, then))
    for code in _merged(before, after):
        old, new = before.get(code), after.get(code)
        if old is None or new is None:
            yield _Compared(old, new).whole_table()
        else:
            yield from _Compared(old, new).differing()


def named(differences: Iterable[OutcomeDifference], events: Iterable[ResponsibleEvent]) -> OutcomeDifferences:
    """The differences, each with those of the events that it names, in the order of streams."""
    ordered = sorted(events, key=lambda each: (each.stream, each.streamseq))
    places = {each.event_id: place for place, each in enumerate(ordered)}
    listed = tuple(
        replace(each, event_ids=tuple(sorted((one for one in each.event_ids if one in places), key=places.__getitem__)))
        for each in differences
    )
    used = {one for each in listed for one in each.event_ids}
    return OutcomeDifferences(listed, tuple(each for each in ordered if each.event_id in used))


def _merged(now: Iterable[str], then: Iterable[str]) -> list[str]:
    """The codes of both sides: in the order of `then`, each that is gone behind the one before it in `now`."""
    found, known, at = list(then), set(then), 0
    for code in now:
        if code in known:
            at = found.index(code) + 1
        else:
            found.insert(at, code)
            at += 1
    return found


class _Side:
    """A table, or none, by its codes."""

    def __init__(self, table: Table | None) -> None:
        self.columns = {} if table is None else {each.code: each.label for each in table.columns}
        self.rows: dict[str, Row] = {} if table is None else {each.code: each for each in table.rows}
        self.cells = {code: {each.column: each for each in row.cells} for code, row in self.rows.items()}

    def cell(self, row: str, column: str) -> Cell | None:
        """The cell at a place; None where there is none."""
        return self.cells.get(row, {}).get(column)


class _Compared:
    """A table on both sides; one of them may be missing."""

    def __init__(self, old: Table | None, new: Table | None) -> None:
        one = old if new is None else new
        assert one is not None, "a table is on one side at least"
        self._table = one
        self._change: Change = _change(old is not None, new is not None)
        self._old, self._new = _Side(old), _Side(new)
        self._rows = _merged(self._old.rows, self._new.rows)
        self._columns = _merged(self._old.columns, self._new.columns)

    def whole_table(self) -> OutcomeDifference:
        """The table as one difference."""
        return self._difference(None, None, self._change, self._cells(self._rows, self._columns))

    def differing(self) -> Iterator[OutcomeDifference]:
        """Columns and rows of one side, and the cells that differ."""
        both_rows = [each for each in self._rows if each in self._old.rows and each in self._new.rows]
        both_columns = [each for each in self._columns if each in self._old.columns and each in self._new.columns]
        for column in self._columns:
            change = _change(column in self._old.columns, column in self._new.columns)
            if change != "changed":
                yield self._difference(None, column, change, self._cells(both_rows, [column]))
        for row in self._rows:
            change = _change(row in self._old.rows, row in self._new.rows)
            if change != "changed":
                yield self._difference(row, None, change, self._cells([row], self._columns))
                continue
            for pair in self._cells([row], both_columns):
                if pair.now != pair.then:
                    change = _change(pair.now is not None, pair.then is not None)
                    yield self._difference(row, pair.column, change, (pair,))

    def _cells(self, rows: Iterable[str], columns: Iterable[str]) -> tuple[CellPair, ...]:
        wanted = list(columns)
        pairs = (
            CellPair(row, column, self._old.cell(row, column), self._new.cell(row, column))
            for row in rows
            for column in wanted
        )
        return tuple(each for each in pairs if each.now is not None or each.then is not None)

    def _difference(
        self, row: str | None, column: str | None, change: Change, cells: tuple[CellPair, ...]
    ) -> OutcomeDifference:
        before, after = _held(each.now for each in cells), _held(each.then for each in cells)
        who = sorted({**before, **after})
        old, new = _ids(before), _ids(after)
        if row is not None and not old | new:
            of_row = self._cells([row], self._columns)
            old, new = (_ids(_held(side)) for side in ((each.now for each in of_row), (each.then for each in of_row)))
        return OutcomeDifference(
            table=self._table.code,
            title=self._table.title,
            row=row,
            row_label=None if row is None else {**self._old.rows, **self._new.rows}[row].label,
            column=column,
            column_label=None if column is None else {**self._old.columns, **self._new.columns}[column],
            change=change,
            cells=cells,
            enter=tuple(each for each in who if each not in before),
            leave=tuple(each for each in who if each not in after),
            stay=tuple(each for each in who if each in before and each in after and before[each] != after[each]),
            event_ids=tuple(old ^ new or old | new),
        )


def _change(was: bool, would_be: bool) -> Change:
    if was and would_be:
        return "changed"
    return "gone" if was else "new"


def _ids(held: Mapping[str, frozenset[UUID]]) -> frozenset[UUID]:
    return frozenset[UUID]().union(*held.values())


def _held(cells: Iterable[Cell | None]) -> Mapping[str, frozenset[UUID]]:
    """The participants in cells, with the events of each."""
    # Most cells of a row hold the very same contributions.
    distinct = {id(each.contributions): each.contributions for each in cells if each is not None}
    found: dict[str, frozenset[UUID]] = {}
    for held in distinct.values():
        for one in held:
            found[one.subject_id] = found.get(one.subject_id, frozenset()).union(one.event_ids)
    return found
