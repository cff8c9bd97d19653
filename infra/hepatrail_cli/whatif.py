"""`hepatrail whatif`: which values and outcomes would differ under another protocol, and the events behind each."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import orjson
import typer

from hepatrail_cli.audit.shell import instant, run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, refuse
from hepatrail_cli.whatif_json import as_json
from hepatrail_cli.whatif_lines import lines
from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_events.protocol import Protocol
from hepatrail_events.protocol_file import read_protocol_file
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import need
from hepatrail_projections.whatif_answer import WhatIf


def whatif(
    protocol: Annotated[Path, typer.Option(help="The other protocol as TOML, as `hepatrail protocol check` reads it.")],
    as_of: Annotated[str | None, typer.Option(help="At this instant, RFC 3339; else now.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what is derived of this participant.")] = None,
    always: Annotated[
        bool, typer.Option("--always", help="As if it had been the only protocol from the start of the trial.")
    ] = False,
    counts: Annotated[bool, typer.Option("--counts", help="Only how much differs, without the list.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Say which derived values and which outcomes would differ under another protocol, and the events behind each.

    The answer is what the system would show if the other protocol took effect at the instant asked about: everything
    recorded before is derived anew under it (visits, scores, baselines, grades, treatment emergence, exposure,
    queries, findings). A publication never reaches back, so reporting clocks stay under the rules under which they
    opened, and only those differ that would open, move or fall away at that moment; --always asks what they would
    have been had no other protocol ever been in force. Neither provenance nor what a row only repeats of the protocol
    counts as a value; nor are alerts and decisions looked at, which are facts.

    Outcomes are the tables of the trial, compared cell by cell: what would be shown, which participants would enter or
    leave, and by which events. A table of another algorithm or time point is another one: it would be new or gone.
    With --subject they are left out, for they are of all participants. Text lists the first of each table, JSON all.

    Only reads; nothing is published, stored or switched. Exit code 0 when it was answered, whatever differs, and 2
    when it could not be, as with a protocol file in which something is wrong.
    """
    at = None if as_of is None else instant(as_of)
    try:
        other = read_protocol_file(protocol)
    except StartRefused as refusal:
        refuse(refusal)
    found = run_audit(_ask(data_dir, other, at, always, subject))
    for warning in _warnings(found, at):
        typer.echo(warning, err=True)
    if json:
        typer.echo(orjson.dumps(as_json(found, str(protocol), always=always, listed=not counts)).decode())
        return
    for text in lines(found, str(protocol), always=always, listed=not counts):
        typer.echo(text)


async def _ask(data_dir: Path, other: Protocol, at: datetime | None, always: bool, subject: str | None) -> WhatIf:
    # Numbers of outcomes need a second to import: only who wants them waits for it.
    from hepatrail_projections.whatif_reading import WhatIfReader

    async with servers(data_dir) as there:
        pool = await reader_pool(need(there.reader, "postgres_reader"), size=1, name="whatif")
        try:
            reader = WhatIfReader(pool, make_clock(there.settings.simulated_clock))
            return await reader.what_if(other, at, always=always, subject_id=subject)
        except asyncpg.PostgresError as error:
            raise Unavailable(f"Postgres refuses ({type(error).__name__}): {error}") from None
        finally:
            await pool.close()


def _warnings(found: WhatIf, as_of: datetime | None) -> Iterator[str]:
    for stream in found.parked:
        yield f"not read on: {stream} is parked"
    # The projections always trail the present by some seconds; that goes without saying.
    if as_of is not None and (found.complete_to is None or found.complete_to < as_of):
        known = "no instant yet" if found.complete_to is None else format_instant(found.complete_to)
        yield f"provisional: the projections are complete to {known}"
