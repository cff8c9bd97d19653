"""CSV in UTF-8, plain or gzipped, the first line being the names of the columns."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from hepatrail_services.importers.source_grid import FileBroken, Grid, check_columns_of


def read_csv(path: Path) -> Grid:
    """The rows of a file, those with more or fewer fields than the header too; FileBroken where it is no CSV."""
    try:
        with _open(path) as stream:
            reader = csv.reader(stream, strict=True)
            columns = check_columns_of(name.strip() for name in next(reader, []))
            return Grid(None, columns, tuple(_fields(reader)))
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileBroken(str(error)) from None


def _open(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _fields(reader: Iterator[list[str]]) -> Iterator[tuple[str, ...]]:
    return (tuple(fields) for fields in reader if fields)
