"""Writes a dataset in every format that the import reads, to hold its readers to each other."""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyreadstat

Value = str | int | float | bool | None
Rows = Sequence[Sequence[Value]]
CREATED = "2026-01-05T08:00:00"


def plain(value: Value) -> str:
    """A value as a CSV file holds it, by numpy's formatting of numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return np.format_float_positional(value + 0.0, trim="-")
    return str(value)


def dataset(name: str, columns: Mapping[str, str], rows: Rows, /, **otherwise: Any) -> dict[str, Any]:
    """A Dataset-JSON object; `columns` gives each name its dataType, `otherwise` replaces attributes."""
    described = [
        {"itemOID": f"IT.{name}.{column}", "name": column, "label": column, "dataType": kind}
        for column, kind in columns.items()
    ]
    whole = {
        "datasetJSONCreationDateTime": CREATED,
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name}",
        "records": len(rows),
        "name": name,
        "label": name,
        "columns": described,
        "rows": [list(row) for row in rows],
    }
    return {key: value for key, value in {**whole, **otherwise}.items() if value is not ...}


def lines(whole: Mapping[str, Any]) -> bytes:
    """The same dataset as NDJSON."""
    metadata = {key: value for key, value in whole.items() if key != "rows"}
    return "\n".join(json.dumps(line) for line in (metadata, *whole.get("rows", ()))).encode() + b"\n"


def write_csv(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """CSV in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([list(columns), *([plain(value) for value in row] for row in rows)])


def write_csv_gz(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """CSV in UTF-8, gzipped."""
    write_csv(path, name, columns, rows)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_xpt(path: Path, name: str, columns: Mapping[str, str], rows: Rows, version: Any = 5) -> None:
    """SAS XPORT; numbers are doubles there, and a missing text is an empty one."""
    data = {
        column: pd.Series(
            [(row[place] or "") if kind == "string" else row[place] for row in rows],
            dtype=object if kind == "string" else float,
        )
        for place, (column, kind) in enumerate(columns.items())
    }
    pyreadstat.write_xport(pd.DataFrame(data), path, table_name=name, file_format_version=version)


def write_json(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """Dataset-JSON as one object."""
    path.write_text(json.dumps(dataset(name, columns, rows)), encoding="utf-8")


def write_ndjson(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """Dataset-JSON in lines."""
    path.write_bytes(lines(dataset(name, columns, rows)))


def write_dsjc(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """Dataset-JSON in lines, compressed as CDISC's example is."""
    path.write_bytes(gzip.compress(lines(dataset(name, columns, rows))))


def write_zlib(path: Path, name: str, columns: Mapping[str, str], rows: Rows) -> None:
    """Dataset-JSON in lines, in a zlib stream."""
    path.write_bytes(zlib.compress(lines(dataset(name, columns, rows))))


WRITERS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "csv": (".csv", write_csv),
    "csv.gz": (".csv.gz", write_csv_gz),
    "xpt": (".xpt", write_xpt),
    "json": (".json", write_json),
    "ndjson": (".ndjson", write_ndjson),
    "dsjc": (".dsjc", write_dsjc),
    "zlib": (".dsjc", write_zlib),
}
"""Every form, with the ending of its file."""
