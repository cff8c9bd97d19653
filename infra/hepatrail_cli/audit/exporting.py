"""Writing a listing for an auditor, and putting it on record before anybody has it (AUD-07, AUD-09)."""

import getpass
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from hepatrail_cli.audit.shell import instant
from hepatrail_cli.servers import Servers
from hepatrail_events.errors import StartRefused
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access
from hepatrail_services.audit.listing import Format, Listing

Since: TypeAlias = Annotated[
    datetime | None, typer.Option("--since", parser=instant, help="At or after this instant (RFC 3339).")
]
Until: TypeAlias = Annotated[
    datetime | None, typer.Option("--until", parser=instant, help="Before this instant (RFC 3339).")
]
Form: TypeAlias = Annotated[Format, typer.Option("--format", help="CSV, or JSON Lines that end with the count.")]
Out: TypeAlias = Annotated[Path | None, typer.Option("--out", help="The file; absent: standard output.")]
By: TypeAlias = Annotated[str, typer.Option("--by", help="Who exports; it is on record.")]
ME = getpass.getuser()
"""Whoever runs the command, unless it is said otherwise."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: its name, what was asked for, by whom, in which format and where to."""

    name: str
    asked: Mapping[str, str | Sequence[str] | datetime | None]
    by: str
    form: Format
    out: Path | None

    def said(self) -> dict[str, Any]:
        """For the access log: what restricts it, instants as text."""
        given = {name: value for name, value in self.asked.items() if value is not None}
        return {
            "list": self.name,
            **{name: format_instant(each) if isinstance(each, datetime) else each for name, each in given.items()},
            "by": self.by,
            "format": self.form.value,
        }


@asynccontextmanager
async def exported(export: Export, columns: Sequence[str], found: Servers) -> AsyncIterator[Listing]:
    """A listing to write; when it is whole it is put on record with its count and hash, and only then handed over.

    Raises StartRefused when the file cannot be written, Unavailable when it cannot be put on record.
    """
    beside = None if export.out is None else export.out.parent
    try:
        with tempfile.TemporaryDirectory(dir=beside, prefix=".listing-") as directory:
            path = Path(directory) / "listing"
            with path.open("w", encoding="utf-8", newline="") as file:
                listing = Listing(file, export.form, columns)
                yield listing
                listing.end()
            await _on_record(export, path, listing.rows, found)
            _hand_over(path, export.out)
    except OSError as error:
        raise StartRefused(f"The listing cannot be written: {error.strerror}.") from error


async def _on_record(export: Export, path: Path, rows: int, found: Servers) -> None:
    with path.open("rb") as written:
        digest = file_digest(written, "sha256").hexdigest()
    async with tool_access(found.bootstrap, make_clock(found.settings.simulated_clock)) as access:
        await access.write(Access.EXPORT, detail={**export.said(), "rows": rows, "sha256": digest})


def _hand_over(path: Path, out: Path | None) -> None:
    if out is not None:
        path.replace(out)
        return
    with path.open("rb") as written:
        shutil.copyfileobj(written, sys.stdout.buffer)
    sys.stdout.flush()


def tell(line: str, out: Path | None) -> None:
    """Says something without disturbing a listing on standard output."""
    typer.echo(line, err=out is None)
