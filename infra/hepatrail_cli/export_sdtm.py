"""`hepatrail export sdtm`: the whole trial as SDTM-shaped CDISC Dataset-JSON, put on record before anybody has it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hepatrail_cli.audit.exporting import ME, By
from hepatrail_cli.audit.shell import instant
from hepatrail_cli.handing_over import SUMS, disk_errors, place_beside, refuse_present, write_sums
from hepatrail_cli.servers import Servers, servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_events.errors import StartRefused
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import connection
from hepatrail_infra.settings import need
from hepatrail_projections.derive import SubjectRows
from hepatrail_projections.event import events_of
from hepatrail_projections.meta import enter_live_schema
from hepatrail_projections.offset import complete_to_of
from hepatrail_projections.quarantine import parked_of
from hepatrail_projections.snapshots import fold_study_events
from hepatrail_projections.study_view import PublishedProtocol, StudyView
from hepatrail_projections.subject import subject_ids
from hepatrail_projections.subject_reading import rows_of
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access
from hepatrail_services.exporters import import_mapping, notes
from hepatrail_services.exporters.dataset_json import Form, Origin, document, header, line
from hepatrail_services.exporters.domains import DOMAINS, Domain

HEPATRAIL: Final = metadata.version("hepatrail")
_AT_ONCE = 25
"""Participants read at once: a year of one is some thousand rows."""

export_app = typer.Typer(help="The trial's data for other systems.", no_args_is_help=True)


@export_app.callback()
def export_data() -> None:
    """The trial's data for other systems."""


@export_app.command("sdtm")
def export_sdtm(
    out: Annotated[Path, typer.Option("--out", help="The directory to make; it must not be there, or be empty.")],
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", parser=instant, help="As of this instant (RFC 3339); absent: now.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="One JSON object, or one line a row.")] = Form.JSON,
    by: By = ME,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write all participants as SDTM (DM, EX, LB, VS, AE, DS, RS, ...), with notes and the mapping to read them back.

    The same past instant gives the same bytes. Free text stays sealed; the export is put on record. Exit code 2 when
    the directory or the instant is not usable, 1 when a server is away.
    """
    for told in run(_export(data_dir, _Asked(out, as_of, form, by))):
        typer.echo(told)


@dataclass(frozen=True, slots=True)
class _Asked:
    out: Path
    as_of: datetime | None
    form: Form
    by: str


@dataclass(slots=True)
class _Spool:
    """The rows of all participants on disk, one file a domain, until their numbers are known."""

    directory: Path
    counts: dict[str, int] = field(default_factory=lambda: {each.dataset.name: 0 for each in DOMAINS})
    participants: int = 0
    sites: set[str] = field(default_factory=set)
    modified: datetime | None = None

    def add(self, rows: SubjectRows, published: PublishedProtocol) -> None:
        """One participant more."""
        self.participants += 1
        if rows.subject.site_id is not None:
            self.sites.add(rows.subject.site_id)
        self.modified = max(self.modified or rows.subject.recorded_at, rows.subject.recorded_at)
        for domain in DOMAINS:
            made = domain.rows(rows, published.protocol)
            self.counts[domain.dataset.name] += len(made)
            with self._path(domain).open("ab") as file:
                file.writelines(line(each) + b"\n" for each in made)

    def lines(self, domain: Domain) -> Iterator[bytes]:
        """The rows of a domain, without the ends of the lines."""
        self._path(domain).touch()
        with self._path(domain).open("rb") as file:
            for each in file:
                yield each[:-1]

    def _path(self, domain: Domain) -> Path:
        return self.directory / domain.stem


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: of when, under which protocol, and why it might still change (empty: it does not)."""

    at: datetime
    published: PublishedProtocol
    doubts: tuple[str, ...]


async def _export(data_dir: Path, asked: _Asked) -> list[str]:
    refuse_present(asked.out)
    async with servers(data_dir) as found:
        with place_beside(asked.out, "rows", "made") as directory:
            spool, made = _Spool(directory / "rows"), directory / "made"
            read = await _collected(found, asked, spool)
            with disk_errors():
                digest = _write(made, spool, read, asked.form)
            await _on_record(found, asked, spool, read, digest)
            with disk_errors():
                made.replace(asked.out)
    rows = ", ".join(f"{name} {count}" for name, count in spool.counts.items())
    return [
        f"{spool.participants} participants as of {format_instant(read.at)}: {rows}",
        *(f"provisional: {doubt}" for doubt in read.doubts),
        f"SHA-256 of {SUMS} {digest}",
    ]


async def _collected(found: Servers, asked: _Asked, spool: _Spool) -> _Read:
    """All participants from one snapshot of the projections."""
    now = make_clock(found.settings.simulated_clock).now()
    at = asked.as_of or now
    if at > now:
        raise StartRefused(f"{format_instant(at)} has not come yet.")
    async with _snapshot(need(found.reader, "postgres_reader")) as link:
        study = fold_study_events(await events_of(link, STUDY, at))
        published = study.published_at(at)
        if published is None:
            raise StartRefused(f"No protocol was in force at {format_instant(at)}.")
        everybody = await subject_ids(link)
        for begin in range(0, len(everybody), _AT_ONCE):
            for rows in await _rows(link, everybody[begin : begin + _AT_ONCE], study, asked.as_of, now):
                with disk_errors():
                    spool.add(rows, published)
        return _Read(at, published, await _doubts(link, everybody, asked.as_of))


@asynccontextmanager
async def _snapshot(dsn: str) -> AsyncIterator[Connection]:
    async with connection(dsn, name="export") as link, link.transaction(isolation="repeatable_read", readonly=True):
        await enter_live_schema(link)
        yield link


async def _rows(
    link: Connection, some: list[str], study: StudyView, as_of: datetime | None, now: datetime
) -> list[SubjectRows]:
    derived = await rows_of(link, some, study, as_of, now)
    return [derived[each].rows for each in sorted(derived)]


async def _doubts(link: Connection, everybody: list[str], as_of: datetime | None) -> tuple[str, ...]:
    """Why the same instant could give other bytes later."""
    complete = await complete_to_of(link)
    parked = await parked_of(link, [subject_stream(each) for each in everybody])
    told = [f"{stream} holds events that could not be read" for stream in sorted(parked)]
    if complete is None or (as_of is not None and complete < as_of):
        until = "an unknown instant" if complete is None else format_instant(complete)
        told.append(f"the projections are complete to {until} only")
    return tuple(told)


def _write(made: Path, spool: _Spool, read: _Read, form: Form) -> str:
    version = read.published.version
    origin = Origin(
        study=read.published.protocol.trial,
        created=read.at,
        modified=spool.modified,
        system="hepatrail",
        version=HEPATRAIL,
        metadata=f"MDV.{version}",
    )
    for domain in DOMAINS:
        head = header(domain.dataset, origin, spool.counts[domain.dataset.name])
        with (made / f"{domain.stem}.{form}").open("wb") as file:
            file.writelines(document(head, spool.lines(domain), form))
    told = notes.notes(origin, read.published.protocol.site_zone, version, form, spool.counts)
    mapping = import_mapping.import_mapping(read.published.protocol, spool.sites)
    for name, text in ((notes.FILE, told), (import_mapping.FILE, mapping)):
        (made / name).write_text(text, encoding="utf-8")
    return write_sums(made)


async def _on_record(found: Servers, asked: _Asked, spool: _Spool, read: _Read, digest: str) -> None:
    """The export in the access log (AUD-07, DAT-08): what was asked, of when, by which versions, rows and hash."""
    detail: dict[str, Any] = {
        "list": "sdtm",
        "by": asked.by,
        "format": asked.form.value,
        "asOf": format_instant(read.at),
        "versions": f"hepatrail {HEPATRAIL}, projection {PROJECTION_VERSION}, protocol {read.published.version}",
        "participants": spool.participants,
        "rows": sum(spool.counts.values()),
        "sha256": digest,
        "provisional": bool(read.doubts),
    }
    async with tool_access(found.bootstrap, make_clock(found.settings.simulated_clock)) as access:
        await access.write(Access.EXPORT, detail=detail)
