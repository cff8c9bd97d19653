"""What the auditor's commands share: 0 whole, 1 broken, 2 could not read."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import typer

from hepatrail_events.errors import Broken, HepatrailError
from hepatrail_events.types import parse_instant

BROKEN = 1
READ_FAILED = 2

Result = TypeVar("Result")


def run_audit(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a command's work; Broken ends it with 1, every other error of ours with 2 and one sentence."""
    try:
        return asyncio.run(work)
    except Broken as error:
        typer.echo(f"broken: {error}")
        raise typer.Exit(BROKEN) from None
    except HepatrailError as error:
        typer.echo(f"could not read: {error}", err=True)
        raise typer.Exit(READ_FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def instant(text: str) -> datetime:
    """An instant as an option gives it; typer.BadParameter when it is none (RFC 3339)."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}") from None
