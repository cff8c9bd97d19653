"""`hepatrail validate grades`: CTCAE v5.0 grades of laboratory values against a file of expected ones."""

import gzip
import zlib
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.shell import FAILED, REFUSED
from hepatrail_events.errors import InvalidMessage
from hepatrail_projections.clinical.grading.expected import Caveat, Compared, compare_all, read_rows

_GZIP = b"\x1f\x8b"


def grades(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file of expected grades (CSV, .gz).")
    ],
) -> None:
    """Grade every row of FILE on its participant's laboratory history and compare.

    Prints one line a row that differs, then how many rows were left out and why, and at the end how many passed. Exit
    code 1 when a row differs, 2 when FILE is no file of such rows: nothing is compared then.
    """
    try:
        rows = read_rows(_text(file))
    except InvalidMessage as error:
        typer.echo(f"hepatrail: {file}: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    passed = failed = 0
    left_out: Counter[str] = Counter()
    for compared in compare_all(rows):
        if compared.caveat is not None:
            left_out[_reason(compared)] += 1
        elif compared.agrees:
            passed += 1
        else:
            failed += 1
            typer.echo(_mismatch(compared))
    for reason, count in sorted(left_out.items()):
        typer.echo(f"left out: {count} {'row' if count == 1 else 'rows'}, {reason}")
    typer.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(FAILED)


def _reason(compared: Compared) -> str:
    assert compared.caveat is not None, "only a caveat leaves a row out"
    if compared.caveat is Caveat.OTHER_TERM:
        return f"{compared.caveat}: {_plain(compared.row.term)}"
    return f"{compared.caveat}: {compared.row.term}"


def _mismatch(compared: Compared) -> str:
    row, computed = compared.row, compared.computed
    expected = "no grade" if row.grade is None else str(row.grade)
    if computed is None:
        found = "nothing: no number, another unit or another direction"
    elif computed.grade is not None:
        found = str(computed.grade)
    else:
        least = "" if computed.grade_min is None else f", at least {computed.grade_min}"
        missing = f", {' and '.join(computed.missing)} missing" if computed.missing else ""
        found = f"{computed.status}{least}{missing}"
    where = " ".join(_plain(text) for text in (row.subject, row.test, row.collected, row.term) if text)
    return f"row {row.number}: {where}: expected {expected}, computed {found}"


def _plain(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


def _text(file: Path) -> str:
    raw = file.read_bytes()
    try:
        return (gzip.decompress(raw) if raw.startswith(_GZIP) else raw).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidMessage("it is not UTF-8") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise InvalidMessage("it is a damaged .gz") from None
