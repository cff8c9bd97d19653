"""A directory that is handed over whole: made beside its place, then put there, never over anything."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Final

from hepatrail_events.errors import StartRefused

SUMS: Final = "SHA256SUMS"


def refuse_present(out: Path) -> None:
    """StartRefused unless a directory can be made at `out` without touching what is there."""
    if not out.parent.is_dir():
        raise StartRefused(f"There is no directory {out.parent}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StartRefused(f"{out} is there already: an export is never written over.")


@contextmanager
def disk_errors() -> Iterator[None]:
    """Errors of files become StartRefused; nothing else may be touched inside, errors of networks are of that class."""
    try:
        yield
    except OSError as error:
        raise StartRefused(f"The export cannot be written: {error.strerror}.") from error


@contextmanager
def place_beside(out: Path, *names: str) -> Iterator[Path]:
    """A directory with these directories in it until something is handed over, gone whatever happens."""
    with disk_errors():
        place = tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-")
    with place as name:
        for each in names:
            (Path(name) / each).mkdir()
        yield Path(name)


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def write_sums(directory: Path) -> str:
    """Writes `SHA256SUMS` of all files below, in the form that `sha256sum --check` reads; the hash of that file."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    text = "".join(f"{sha256_of(path)}  {path.relative_to(directory).as_posix()}\n" for path in files)
    (directory / SUMS).write_text(text, encoding="utf-8")
    return sha256_of(directory / SUMS)
