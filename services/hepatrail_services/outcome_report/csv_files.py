"""The tables as CSV (RFC 4180, UTF-8): a line a cell, with all that it rests on, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from re import compile as pattern
from typing import Final

from hepatrail_events.types import format_instant
from hepatrail_projections.clinical.endpoints.cells import Cell, Contribution, Table, text
from hepatrail_services.audit.listing import FORMULA
from hepatrail_services.outcome_report.codes import slug
from hepatrail_services.outcome_report.provenance import Provenance

COLUMNS: Final = (
    "table",
    "row",
    "rowLabel",
    "column",
    "columnLabel",
    "value",
    "display",
    "n",
    "of",
    "lower",
    "upper",
    "confidence",
    "method",
    "flags",
    "participants",
    "eventIds",
    "asOf",
    "protocolVersion",
    "codeVersion",
    "N",
)
"""`participants` stand between semicolons; so do their `eventIds`, in the same order, a participant's with spaces."""
_NUMBER: Final = pattern(r"-?[0-9]+(\.[0-9]+)?")


def file_name(table: Table) -> str:
    """The file of a table; ValueError where its code is no code."""
    return f"{slug(table.code)}.csv"


def table_csv(table: Table, provenance: Provenance) -> bytes:
    """One table. Text that a spreadsheet would run gets an apostrophe before it; a negative number stays one."""
    file = StringIO(newline="")
    lines = csv.writer(file)
    lines.writerow(COLUMNS)
    labels = {each.code: each.label for each in table.columns}
    made = (
        format_instant(provenance.as_of),
        provenance.protocol_version,
        provenance.code_version,
        str(provenance.n),
    )
    for row, cell in table.cells():
        place = (table.code, row.code, row.label, cell.column, labels[cell.column])
        lines.writerow(_safe([*place, *_content(cell), *made]))
    return file.getvalue().encode()


def _content(cell: Cell) -> tuple[str, ...]:
    interval = cell.interval
    limits = ("", "", "", "")
    if interval is not None:
        limits = (
            text(interval.lower) or "",
            text(interval.upper) or "",
            text(interval.confidence) or "",
            interval.method,
        )
    return (
        cell.value or "",
        cell.display,
        _count(cell.n),
        _count(cell.of),
        *limits,
        ";".join(cell.flags),
        ";".join(each.subject_id for each in cell.contributions),
        _events(cell.contributions),
    )


def _events(contributions: Sequence[Contribution]) -> str:
    if not any(each.event_ids for each in contributions):
        return ""
    return ";".join(" ".join(map(str, each.event_ids)) for each in contributions)


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _safe(texts: Iterable[str]) -> list[str]:
    """A text that begins like a formula and is no number gets an apostrophe before it."""
    return [f"'{each}" if each.startswith(FORMULA) and not _NUMBER.fullmatch(each) else each for each in texts]
