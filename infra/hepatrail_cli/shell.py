"""What all commands share: how they run, refuse and print."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from hepatrail_events.errors import HepatrailError, StartRefused

REFUSED = 2
FAILED = 1

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="HEPATRAIL_DATA_DIR", help="Directory of the running stack, when HEPATRAIL_* is not set."
    ),
]
DEFAULT_DATA_DIR = Path("data")

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a command's work; an error of ours ends it with one sentence, 2 for a refusal and 1 for anything else."""
    try:
        return asyncio.run(work)
    except HepatrailError as error:
        refuse(error)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def refuse(error: HepatrailError) -> NoReturn:
    """Says why and ends the command."""
    typer.echo(f"hepatrail: {error}", err=True)
    raise typer.Exit(REFUSED if isinstance(error, StartRefused) else FAILED)
