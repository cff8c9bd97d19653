"""Listings that an auditor takes away as a file (AUD-09): CSV (RFC 4180) or JSON Lines, with their count."""

import csv
import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TextIO

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be executed by a spreadsheet: it gets an apostrophe before it."""


class Format(StrEnum):
    """How a listing is written."""

    CSV = "csv"
    JSONL = "jsonl"


class Listing:
    """Writes rows of one kind to a text file that was opened with `newline=""`; `rows` counts them.

    CSV has a line of names first; JSON Lines end with `{"count":N}`. In CSV a value that is no text is its JSON,
    nothing is an empty cell.
    """

    def __init__(self, file: TextIO, form: Format, columns: Sequence[str]) -> None:
        self._file = file
        self._columns = tuple(columns)
        self._csv = csv.writer(file) if form is Format.CSV else None
        self.rows = 0
        if self._csv is not None:
            self._csv.writerow(self._columns)

    def write(self, row: Mapping[str, Any]) -> None:
        """One more row; KeyError when it lacks a column."""
        values = {name: row[name] for name in self._columns}
        if self._csv is None:
            self._file.write(_json(values) + "\n")
        else:
            self._csv.writerow([_cell(value) for value in values.values()])
        self.rows += 1

    def end(self) -> None:
        """Says how many there are, where the format has a place for it."""
        if self._csv is None:
            self._file.write(_json({"count": self.rows}) + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
