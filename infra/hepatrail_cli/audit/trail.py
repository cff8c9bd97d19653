"""`hepatrail audit trail`: the audit trail as a file, from the log itself."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.audit.exporting import ME, By, Export, Form, Out, Since, Until, exported, tell
from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import is_stream
from hepatrail_infra.kafka_scan import Scan
from hepatrail_projections.trail.row import TrailFilter
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.listing import Format
from hepatrail_services.audit.trail_listing import COLUMNS, list_trail

_SUBJECT = "subject-"


def trail(
    subject: Annotated[str | None, typer.Option(help="Only of this participant.")] = None,
    field: Annotated[str | None, typer.Option(help="Only of fields of this name.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this account did.")] = None,
    since: Since = None,
    until: Until = None,
    form: Form = Format.CSV,
    out: Out = None,
    by: By = ME,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the audit trail, one row a field: who, when, what, old value, new value, why. Free text stays sealed.

    It is read from Kafka, complete to the moment, and needs no database; the export is put on record.
    """
    asked = {"subject": subject, "field": field, "actor": actor, "since": since, "until": until}
    chosen = TrailFilter(subject_id=subject, field=field, actor_id=actor, since=since, until=until)
    rows, unreadable = run_audit(_trail(data_dir, chosen, Export("auditTrail", asked, by, form, out)))
    tell(f"{rows} rows" + (f" in {out}" if out else ""), out)
    if unreadable:
        tell(f"{unreadable} events cannot be read and have no rows: see `hepatrail quarantine list`", out)


async def _trail(data_dir: Path, chosen: TrailFilter, export: Export) -> tuple[int, int]:
    if chosen.subject_id is not None and not is_stream(_SUBJECT + chosen.subject_id):
        raise StartRefused(f"{chosen.subject_id[:80]!r} is no pseudonym.")
    async with servers(data_dir, postgres=False) as found:
        with tempfile.TemporaryDirectory(prefix="hepatrail-trail-") as directory:
            async with Scan(found.bootstrap) as scan:
                made = await list_trail(KafkaSource(scan), chosen, Path(directory))
            async with exported(export, COLUMNS, found) as listing:
                for row in made.rows():
                    listing.write(row)
    return listing.rows, made.unreadable
