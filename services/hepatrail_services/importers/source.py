"""SDTM domains as rows of text, whatever the format of the file: CSV, XPORT or Dataset-JSON, nothing interpreted."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.source_csv import read_csv
from hepatrail_services.importers.source_dataset_json import read_dsjc, read_json, read_ndjson
from hepatrail_services.importers.source_grid import FileBroken, Grid
from hepatrail_services.importers.source_xpt import read_xpt

REQUIRED = ("DM", "EX", "LB", "AE")
"""The domains without which there is no import; the others are read where they are."""
USUAL = ("DM", "EX", "LB", "VS", "SV", "AE", "DS")
"""The domains that are read where the mapping does not name others."""
DOMAINS = ("DM", "EX", "XP", "MH", "CM", "PR", "LB", "VS", "SV", "XA", "AE", "FA", "DS", "SS", "DE")
"""All domains that a mapping may read, in the order in which people are told of them."""
_FORMATS: Mapping[str, tuple[str, Callable[[Path], Grid]]] = {
    ".csv": ("CSV in UTF-8", read_csv),
    ".csv.gz": ("CSV in UTF-8", read_csv),
    ".xpt": ("SAS XPORT version 5", read_xpt),
    ".json": ("Dataset-JSON 1.1", read_json),
    ".ndjson": ("Dataset-JSON 1.1 in lines", read_ndjson),
    ".dsjc": ("compressed Dataset-JSON 1.1", read_dsjc),
}
"""By the ending of the file, the first one being the one that is named where there are several of the same rows."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One record of a domain: `number` counts records from 1, the header being none of them.

    `whole` is False when a line of CSV has more or fewer fields than the header.
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
    """What a directory holds: the rows of each domain read, and the names of the files left alone.

    `files` names the file of each domain, `same` the files of a domain that hold its rows once more.
    """

    rows: Mapping[str, tuple[SourceRow, ...]]
    ignored: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    same: tuple[str, ...] = ()


def read_directory(directory: Path, named: Mapping[str, str] | None = None, domains: Collection[str] = USUAL) -> Source:
    """Reads the domains; StartRefused when the directory or one of DM, EX, LB and AE is not there.

    `named` (domain -> file name without its ending) names files that are not called like their domain. A domain may
    be there in several formats as long as they hold the same rows.
    """
    if not directory.is_dir():
        raise StartRefused(f"{directory} is no directory: name the one that holds dm.csv, ex.csv, lb.csv and ae.csv.")
    files = _files(directory)
    rows: dict[str, tuple[SourceRow, ...]] = {}
    chosen: dict[str, list[Path]] = {}
    for domain in (each for each in DOMAINS if each in domains):
        stem = (named or {}).get(domain, domain.lower())
        found = _called(files, stem)
        if found:
            chosen[domain], rows[domain] = found, _read_alike(domain, directory, found)
        elif domain in REQUIRED:
            endings = f"{stem}.csv or {stem}.csv.gz, or with .xpt, .json, .ndjson or .dsjc"
            raise StartRefused(f"{domain} in {directory} is missing (as {endings}).")
    read = {path for paths in chosen.values() for path in paths}
    return Source(
        rows=rows,
        ignored=tuple(sorted(path.name for path in files.values() if path not in read)),
        files={domain: paths[0].name for domain, paths in chosen.items()},
        same=tuple(path.name for paths in chosen.values() for path in paths[1:]),
    )


def holds(directory: Path, stem: str) -> bool:
    """Whether a directory has a file of this name in a format that is read; False where there is no directory."""
    return directory.is_dir() and bool(_called(_files(directory), stem))


def _files(directory: Path) -> dict[str, Path]:
    return {path.name.lower(): path for path in sorted(directory.iterdir()) if path.is_file()}


def _called(files: Mapping[str, Path], stem: str) -> list[Path]:
    return [files[name] for ending in _FORMATS if (name := stem.lower() + ending) in files]


def _read_alike(domain: str, directory: Path, paths: list[Path]) -> tuple[SourceRow, ...]:
    rows = read_file(domain, paths[0])
    for other in paths[1:]:
        if place := _difference(rows, read_file(domain, other)):
            both = f"{paths[0].name} and {other.name}"
            raise StartRefused(f"{domain} in {directory} stands in {both}, which differ {place}: keep one.")
    return rows


def _difference(rows: tuple[SourceRow, ...], others: tuple[SourceRow, ...]) -> str:
    """Where two files of a domain are not the same; empty when they are."""
    for row, other in zip(rows, others, strict=False):
        if row != other:
            columns = (
                name for name in {**row.values, **other.values} if row.values.get(name) != other.values.get(name)
            )
            return f"in row {row.number}, {next(columns, 'the number of its fields')}"
    return f"in their number of rows ({len(rows)} and {len(others)})" if len(rows) != len(others) else ""


def read_file(domain: str, path: Path) -> tuple[SourceRow, ...]:
    """All rows of one file, by its ending; StartRefused names the file and what is wrong in it."""
    ending = next((known for known in _FORMATS if path.name.lower().endswith(known)), ".csv")
    named, read = _FORMATS[ending]
    try:
        grid = read(path)
        called = path.name.lower().removesuffix(ending)
        if grid.name is not None and called == domain.lower() and grid.name.upper() != domain:
            raise FileBroken(f"it holds the dataset {grid.name}")
    except FileBroken as error:
        raise StartRefused(f"{path} cannot be read as {named}: {error}.") from None
    return tuple(_row(domain, number, grid.columns, texts) for number, texts in enumerate(grid.rows, 1))


def _row(domain: str, number: int, columns: tuple[str, ...], texts: tuple[str, ...]) -> SourceRow:
    values = dict(zip(columns, (text.strip() for text in texts), strict=False))
    return SourceRow(domain, number, values, whole=len(texts) == len(columns))
