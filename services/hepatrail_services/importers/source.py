"""SDTM domains as rows of text: CSV or gzipped CSV, nothing interpreted."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from hepatrail_events.errors import StartRefused

DOMAINS = ("DM", "EX", "LB", "AE")
"""The domains that are read, in the order in which a subject's commands are sent."""
_ENDINGS = (".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of a domain: `number` counts records from 1, the header being none of them.

    `whole` is False when the line has more or fewer fields than the header.
    """

    domain: str
    number: int
    values: Mapping[str, str]
    whole: bool = True

    def __getitem__(self, column: str) -> str:
        """The text of a column, without surrounding blanks; empty when the domain has no such column."""
        return self.values.get(column, "")


@dataclass(frozen=True, slots=True)
class Source:
    """What a directory holds: the rows of each domain read, and the names of the files left alone."""

    rows: Mapping[str, tuple[SourceRow, ...]]
    ignored: tuple[str, ...]


def read_directory(directory: Path, named: Mapping[str, str] | None = None) -> Source:
    """Reads DM, EX, LB and AE; StartRefused when the directory or one of the four is not there.

    `named` (domain -> file name without its ending) names files that are not called like their domain.
    """
    if not directory.is_dir():
        raise StartRefused(f"{directory} is no directory: name the one that holds dm.csv, ex.csv, lb.csv and ae.csv.")
    files = _files(directory)
    chosen: dict[str, Path] = {}
    for domain in DOMAINS:
        stem = (named or {}).get(domain, domain.lower())
        found = _called(files, stem)
        if len(found) != 1:
            stated = "both plain and gzipped: keep one" if found else f"missing (as {stem}.csv or {stem}.csv.gz)"
            raise StartRefused(f"{domain} in {directory} is {stated}.")
        chosen[domain] = found[0]
    ignored = tuple(sorted(path.name for path in files.values() if path not in chosen.values()))
    return Source({domain: read_file(domain, path) for domain, path in chosen.items()}, ignored)


def holds(directory: Path, stem: str) -> bool:
    """Whether a directory has a file of this name, plain or gzipped; False where there is no directory."""
    return directory.is_dir() and bool(_called(_files(directory), stem))


def _files(directory: Path) -> dict[str, Path]:
    return {path.name.lower(): path for path in sorted(directory.iterdir()) if path.is_file()}


def _called(files: Mapping[str, Path], stem: str) -> list[Path]:
    return [files[name] for ending in _ENDINGS if (name := stem.lower() + ending) in files]


def read_file(domain: str, path: Path) -> tuple[SourceRow, ...]:
    """All rows of one file; StartRefused when it is no UTF-8 CSV with a header."""
    try:
        with _open(path) as stream:
            return tuple(_rows(domain, stream))
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise StartRefused(f"{path} cannot be read as CSV in UTF-8: {error}.") from None


def _open(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(domain: str, stream: TextIO) -> Iterable[SourceRow]:
    reader = csv.reader(stream, strict=True)
    header = [name.strip() for name in next(reader, [])]
    if len(set(header)) != len(header) or not all(header):
        raise csv.Error("the header has an empty or a repeated column name")
    number = 0
    for fields in reader:
        if not fields:
            continue
        number += 1
        values = dict(zip(header, (field.strip() for field in fields), strict=False))
        yield SourceRow(domain, number, values, whole=len(fields) == len(header))
