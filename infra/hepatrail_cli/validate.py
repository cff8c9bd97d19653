"""`hepatrail validate`: the clinical derivations against a file of expected answers; needs no server, no settings."""

from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.shell import FAILED, REFUSED
from hepatrail_cli.validate_grades import grades
from hepatrail_events.errors import InvalidMessage
from hepatrail_projections.clinical.scores.vectors import as_json, compare, read_vectors

validate_app = typer.Typer(
    no_args_is_help=True, help="Hold the scores and grades of this version to answers computed elsewhere."
)
validate_app.command()(grades)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file of expected answers.")]


@validate_app.command()
def scores(file: File) -> None:
    """Compute every case of FILE (CSV with id, score, inputs, expected) and compare.

    Prints one line a case that differs, with what differs, and at the end how many passed. Exit code 1 when a case
    differs, 2 when FILE is no file of such cases: nothing is compared then.
    """
    passed = failed = 0
    try:
        vectors = list(read_vectors(_text(file)))
        if not vectors:
            raise InvalidMessage("line 2: no case; to compare nothing proves nothing")
    except InvalidMessage as error:
        typer.echo(f"hepatrail: {file}: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    for vector in vectors:
        found = compare(vector)
        if found is None:
            passed += 1
            continue
        failed += 1
        case = vector.case.encode("unicode_escape").decode("ascii")
        typer.echo(f"{case}: expected {as_json(found.expected)}, computed {as_json(found.computed)}")
    typer.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(FAILED)


def _text(file: Path) -> str:
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidMessage(f"line {line}: not UTF-8") from None
