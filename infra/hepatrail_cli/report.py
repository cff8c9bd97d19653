"""`hepatrail report`: the outcomes of the trial as tables, figures and analysis rows, put on record."""

from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from hepatrail_cli.audit.exporting import ME, By
from hepatrail_cli.audit.shell import instant
from hepatrail_cli.handing_over import disk_errors, place_beside, refuse_present, write_sums
from hepatrail_cli.servers import Servers, servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_events.errors import StartRefused
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.postgres import reader_pool
from hepatrail_infra.settings import need
from hepatrail_projections.reading import Reader
from hepatrail_services.access_log import Access
from hepatrail_services.access_tool import tool_access

REPORT = "report.html"


def report(
    out: Annotated[Path, typer.Option("--out", help="The directory to make; it must not be there, or be empty.")],
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", parser=instant, help="As of this instant (RFC 3339); absent: now.")
    ] = None,
    by: By = ME,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write every outcome of the trial: report.html, tables/*.csv, analysis/*.json (CDISC Dataset-JSON).

    The same past instant gives the same bytes. The report is put on record. Exit code 2 when the directory or the
    instant is not usable, 1 when a server is away.
    """
    typer.echo(run(_report(data_dir, _Asked(out, as_of, by))))


@dataclass(frozen=True, slots=True)
class _Asked:
    out: Path
    as_of: datetime | None
    by: str


async def _report(data_dir: Path, asked: _Asked) -> str:
    # Numbers and figures need a second to import: only who wants them waits for it.
    from hepatrail_projections.endpoints.outcomes import CODE_VERSION, outcomes
    from hepatrail_projections.endpoints.reading import OutcomeFacts
    from hepatrail_services.outcome_report.files import report_files

    refuse_present(asked.out)
    async with servers(data_dir) as found:
        clock = make_clock(found.settings.simulated_clock)
        if asked.as_of is not None and asked.as_of > clock.now():
            raise StartRefused(f"{format_instant(asked.as_of)} has not come yet.")
        async with await reader_pool(need(found.reader, "postgres_reader"), name="report") as pool:
            known, complete_to = await Reader(pool, clock).answer(OutcomeFacts().read, asked.as_of)
        if known.published is None:
            raise StartRefused(f"No protocol was in force at {format_instant(known.at)}.")
        answer = outcomes(known.facts, known.published, known.at)
        with place_beside(asked.out, "made") as place:
            made = place / "made"
            with disk_errors():
                for name, content in report_files(answer, known.facts, known.published.protocol, _hepatrail()):
                    (made / name).parent.mkdir(exist_ok=True)
                    (made / name).write_bytes(content)
                digest = write_sums(made)
            provisional = complete_to is None or asked.as_of is None or asked.as_of > complete_to
            detail: dict[str, Any] = {
                "list": "report",
                "by": asked.by,
                "asOf": format_instant(known.at),
                "versions": f"{CODE_VERSION}, protocol {known.published.version}",
                "participants": len(known.facts),
                "rows": len(answer.tables),
                "sha256": digest,
                "provisional": provisional,
            }
            await _on_record(found, detail)
            with disk_errors():
                made.replace(asked.out)
    doubt = " (provisional: more may be recorded for this instant)" if provisional else ""
    return (
        f"{len(answer.tables)} tables of {answer.safety_set} treated participants as of {format_instant(known.at)}"
        f"{doubt}: {asked.out / REPORT}"
    )


def _hepatrail() -> str:
    return metadata.version("hepatrail")


async def _on_record(found: Servers, detail: dict[str, Any]) -> None:
    async with tool_access(found.bootstrap, make_clock(found.settings.simulated_clock)) as access:
        await access.write(Access.EXPORT, detail=detail)
