"""`hepatrail protocol ...`: protocol files before they are published."""

from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.shell import refuse
from hepatrail_events.errors import StartRefused
from hepatrail_events.protocol import content_hash
from hepatrail_events.protocol_file import read_protocol_file

protocol_app = typer.Typer(no_args_is_help=True, help="Look at a protocol file before it is published.")


@protocol_app.callback()
def _group() -> None:
    """Keeps `check` a command of its own while it is the only one."""


@protocol_app.command()
def check(file: Annotated[Path, typer.Argument(help="The protocol as TOML.")]) -> None:
    """Print the hash under which the file would be published, or what is wrong with it and on which line."""
    try:
        protocol = read_protocol_file(file)
    except StartRefused as refusal:
        refuse(refusal)
    typer.echo(f"{content_hash(protocol.content())}  {protocol.trial}: {len(protocol.points)} time points")
