"""The answer of `hepatrail whatif` in lines of text."""

from collections.abc import Iterator
from typing import Any

from hepatrail_cli.audit.values import text_of
from hepatrail_cli.responsible_words import because
from hepatrail_cli.whatif_outcome_lines import outcome_lines
from hepatrail_events.types import format_instant
from hepatrail_projections.whatif import ProtocolDifference
from hepatrail_projections.whatif_answer import WhatIf
from hepatrail_projections.whatif_counts import ByColumn, Count, Counts, counts_of, outcome_counts_of
from hepatrail_projections.whatif_kinds import TITLES, Kind

_SHOWN = {
    "visit": ("kind", "target"),
    "score": ("status", "value"),
    "reporting_clock": ("due_at",),
    "data_query": ("message",),
    "safety_finding": ("words",),
}
"""By table, what a line says of a row that would be new or gone."""

_MOVED = " entering, leaving or resting on other events"


def lines(found: WhatIf, name: str, *, always: bool, listed: bool) -> Iterator[str]:
    """The answer line by line; without the list only how much differs."""
    numbers = counts_of(found.differences)
    in_force = "none" if found.in_force is None else found.in_force.version
    since = "from the start of the trial" if always else "from that instant on"
    yield f"{name} ({found.hash[:12]}) in place of version {in_force}, as of {format_instant(found.at)}, {since}"
    for kind, count in numbers.kinds.items():
        yield f"\n{TITLES[kind]}: {_said(count)}"
        yield from (f"  {_column(key)}: {_said(each)}" for key, each in numbers.columns.items() if key.kind is kind)
        yield from _parameters(numbers, kind)
    yield from _outcome_counts(found)
    if listed and found.differences:
        yield ""
        yield from map(line, found.differences)
    of_tables = () if found.outcomes is None else found.outcomes.listed
    if listed and found.outcomes is not None and of_tables:
        yield ""
        yield from outcome_lines(found.outcomes)
    yield "" if found.differences or of_tables else "nothing would differ"
    beside = f"; outcomes: {_in_tables(outcome_counts_of(of_tables).total)}" if of_tables else ""
    yield f"{_said(numbers.total)} of {found.participants} compared{beside}"


def _said(count: Count) -> str:
    return f"{_many(count.values, 'value')} in {_many(count.rows, 'row')} of {_many(count.participants, 'participant')}"


def _outcome_counts(found: WhatIf) -> Iterator[str]:
    if found.outcomes is None:
        yield "\noutcomes: left out, for they are of all participants"
    elif found.outcomes.listed:
        numbers = outcome_counts_of(found.outcomes.listed)
        moved = numbers.total.participants
        yield f"\noutcomes: {_in_tables(numbers.total)}{_MOVED if moved else ''}"
        yield from (
            f"  {key.table}{'' if key.change == 'changed' else f' what would be {key.change}'}: {_in_tables(count)}"
            for key, count in numbers.tables.items()
        )


def _in_tables(count: Count) -> str:
    said = f"{_many(count.values, 'value')} in {_many(count.rows, 'row')}"
    return f"{said}; {_many(count.participants, 'participant')}" if count.participants else said


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _column(key: ByColumn) -> str:
    return f"{key.table} {key.column or f'rows that would be {key.change}'}"


def _parameters(numbers: Counts, kind: Kind) -> Iterator[str]:
    by_table: dict[str, list[str]] = {}
    for key, count in numbers.parameters.items():
        if key.kind is kind:
            by_table.setdefault(key.table, []).append(f"{key.parameter} {count.values}")
    yield from (f"  values by {table}: {', '.join(each)}" for table, each in by_table.items())


def line(difference: ProtocolDifference) -> str:
    """A difference in one line of text."""
    own = difference.parameter if difference.parameter not in difference.key.split("|") else None
    whose = (difference.subject_id, difference.table, own, difference.key)
    what = f"{difference.column} {_text(difference, difference.now)} -> {_text(difference, difference.then)}"
    if difference.column is None:
        row: dict[str, Any] = difference.then or difference.now or {}
        said = ", ".join(f"{name} {text_of(row[name])}" for name in _SHOWN.get(difference.table, ()))
        what = f"{difference.change}{f' ({said})' if said else ''}"
    return f"{' '.join(each for each in whose if each)}: {what}; {because(difference.events, 'by the protocol alone')}"


def _text(difference: ProtocolDifference, value: Any) -> str:
    """A value; of grades what they say, which stands too far behind in their JSON."""
    if (difference.table, difference.column) != ("lab_result", "grades") or not value:
        return text_of(value)
    said = (each["status"] if each["grade"] is None else f"grade {each['grade']}" for each in value)
    return ", ".join(f"{each['term']} {text}" for each, text in zip(value, said, strict=True))
