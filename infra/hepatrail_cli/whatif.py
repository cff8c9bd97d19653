"""`hepatrail whatif`: which derived values would differ under another protocol, and which events are behind them."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import orjson
import typer

from hepatrail_cli.audit.shell import instant, run_audit
from hepatrail_cli.audit.values import text_of
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, refuse
from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_events.protocol import Protocol
from hepatrail_events.protocol_file import read_protocol_file
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import need
from hepatrail_projections.responsible_event import ResponsibleEvent
from hepatrail_projections.whatif import ProtocolDifference
from hepatrail_projections.whatif_counts import ByColumn, Count, Counts, counts_of
from hepatrail_projections.whatif_kinds import TITLES, Kind
from hepatrail_projections.whatif_reading import WhatIf, WhatIfReader

_NAMED = 3
_SHOWN = {
    "visit": ("kind", "target"),
    "score": ("status", "value"),
    "reporting_clock": ("due_at",),
    "data_query": ("message",),
    "safety_finding": ("words",),
}
"""By table, what a line says of a row that would be new or gone."""


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
    """Say which derived values of participants would differ under another protocol, and the events behind each.

    The answer is what the system would show if the other protocol took effect at the instant asked about: everything
    recorded before is derived anew under it (visits, scores, baselines, grades, treatment emergence, exposure,
    queries, findings). A publication never reaches back, so reporting clocks stay under the rules under which they
    opened, and only those differ that would open, move or fall away at that moment; --always asks what they would
    have been had no other protocol ever been in force. Neither provenance nor what a row only repeats of the protocol
    counts as a value; the outcome tables are not looked at, nor are alerts and decisions, which are facts.

    Only reads; nothing is published, stored or switched. Exit code 0 when it was answered, whatever differs, and 2
    when it could not be, as with a protocol file in which something is wrong.
    """
    at = None if as_of is None else instant(as_of)
    try:
        other = read_protocol_file(protocol)
    except StartRefused as refusal:
        refuse(refusal)
    found = run_audit(_ask(data_dir, other, at, always, subject))
    numbers = counts_of(found.differences)
    for warning in _warnings(found, at):
        typer.echo(warning, err=True)
    if json:
        typer.echo(orjson.dumps(as_json(found, numbers, str(protocol), always=always, listed=not counts)).decode())
        return
    for text in _lines(found, numbers, str(protocol), always=always, listed=not counts):
        typer.echo(text)


async def _ask(data_dir: Path, other: Protocol, at: datetime | None, always: bool, subject: str | None) -> WhatIf:
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


def as_json(found: WhatIf, numbers: Counts, name: str, *, always: bool, listed: bool) -> dict[str, Any]:
    """The answer as JSON values; `differences` are left out unless they are to be listed."""
    in_force = found.in_force
    body: dict[str, Any] = {
        "protocol": {"file": name, "hash": found.hash},
        "inForce": None if in_force is None else {"version": in_force.version, "hash": in_force.row.hash},
        "asOf": format_instant(found.at),
        "completeTo": None if found.complete_to is None else format_instant(found.complete_to),
        "always": always,
        "participants": found.participants,
        "parked": found.parked,
        "counts": {
            **numbers.total._asdict(),
            "kinds": [{"kind": kind, **count._asdict()} for kind, count in numbers.kinds.items()],
            "columns": [{**key._asdict(), **count._asdict()} for key, count in numbers.columns.items()],
            "parameters": [{**key._asdict(), **count._asdict()} for key, count in numbers.parameters.items()],
        },
    }
    return body | ({"differences": [asdict(each) for each in found.differences]} if listed else {})


def _lines(found: WhatIf, numbers: Counts, name: str, *, always: bool, listed: bool) -> Iterator[str]:
    in_force = "none" if found.in_force is None else found.in_force.version
    since = "from the start of the trial" if always else "from that instant on"
    yield f"{name} ({found.hash[:12]}) in place of version {in_force}, as of {format_instant(found.at)}, {since}"
    for kind, count in numbers.kinds.items():
        yield f"\n{TITLES[kind]}: {_said(count)}"
        yield from (f"  {_column(key)}: {_said(each)}" for key, each in numbers.columns.items() if key.kind is kind)
        yield from _parameters(numbers, kind)
    if listed and found.differences:
        yield ""
        yield from map(line, found.differences)
    yield "" if found.differences else "nothing would differ"
    yield f"{_said(numbers.total)} of {found.participants} compared"


def _said(count: Count) -> str:
    return f"{_many(count.values, 'value')} in {_many(count.rows, 'row')} of {_many(count.participants, 'participant')}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _column(key: ByColumn) -> str:
    return f"{key.table} {key.column or f'rows that would be {key.change}'}"


def _parameters(numbers: Counts, kind: Kind) -> Iterator[str]:
    by_table: dict[str, list[str]] = {}
    for key, count in numbers.parameters.items():
        if key.kind is kind:
            by_table.setdefault(key.table, []).append(f"{key.parameter} {count.values}")
    yield from (f"  values by {table}: {', '.join(each)}" for table, each in by_table.items())


def line(difference: ProtocolDifference) -> str:
    """A difference in one line of text."""
    own = difference.parameter if difference.parameter not in difference.key.split("|") else None
    whose = (difference.subject_id, difference.table, own, difference.key)
    what = f"{difference.column} {_text(difference, difference.now)} -> {_text(difference, difference.then)}"
    if difference.column is None:
        row: dict[str, Any] = difference.then or difference.now or {}
        said = ", ".join(f"{name} {text_of(row[name])}" for name in _SHOWN.get(difference.table, ()))
        what = f"{difference.change}{f' ({said})' if said else ''}"
    return f"{' '.join(each for each in whose if each)}: {what}; {_because(difference.events)}"


def _text(difference: ProtocolDifference, value: Any) -> str:
    """A value; of grades what they say, which stands too far behind in their JSON."""
    if (difference.table, difference.column) != ("lab_result", "grades") or not value:
        return text_of(value)
    said = (each["status"] if each["grade"] is None else f"grade {each['grade']}" for each in value)
    return ", ".join(f"{each['term']} {text}" for each, text in zip(value, said, strict=True))


def _because(events: tuple[ResponsibleEvent, ...]) -> str:
    if not events:
        return "by the protocol alone"
    more = len(events) - _NAMED
    said = [_event(each) for each in events[:_NAMED]]
    return "; ".join([*said, f"and {more} more events"] if more > 0 else said)


def _event(event: ResponsibleEvent) -> str:
    whose = f"{event.type} {event.stream}@{event.streamseq} by {event.actor_id} ({event.actor_role})"
    return f"{whose} at {format_instant(event.recorded_at)}"
