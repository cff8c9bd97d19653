"""`hepatrail import sdtm DIR`: SDTM domains DM, EX, LB, AE become commands of the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import read_run
from hepatrail_events.errors import StartRefused
from hepatrail_events.roles import Role
from hepatrail_services.importers.account import Account, settle_account, write_findings, write_refusals
from hepatrail_services.importers.api_client import Accepted, ApiClient
from hepatrail_services.importers.mapping import AeReports, SdtmMapping, read_mapping
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.run import Settled, run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import DOMAINS, holds, read_directory

import_app = typer.Typer(help="Data of other systems become commands.", no_args_is_help=True)


@import_app.callback()
def import_data() -> None:
    """Data of other systems become commands."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is and in whose names the import acts; no `admin` token: sites are not activated."""

    url: str
    token: str
    admin: str | None


@import_app.command("sdtm")
def import_sdtm(
    directory: Annotated[Path, typer.Argument(help="Directory with dm, ex, lb, ae as .csv or .csv.gz.")],
    mapping: Annotated[Path | None, typer.Option(help="Mapping file; default: the one for CDISC Pilot 01.")] = None,
    url: Annotated[str | None, typer.Option(help="GraphQL endpoint; default: that of the stack in --data-dir.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="HEPATRAIL_TOKEN", help="Token of an INVESTIGATOR, in whose name rows go in.")
    ] = None,
    admin_token: Annotated[
        str | None, typer.Option(envvar="HEPATRAIL_ADMIN_TOKEN", help="Token of an ADMIN, to activate the sites.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    ae_reports: Annotated[
        bool,
        typer.Option(
            "--ae-reports",
            help="AE from the mapping's file of reports (CDISC Pilot 01: ae_reports_original.csv) in place of ae.csv: "
            "later reports of an event become its follow-ups. So too where there is no ae.csv.",
        ),
    ] = False,
    refused: Annotated[Path, typer.Option(help="File of refused rows, with reasons.")] = Path("refused.csv"),
    findings: Annotated[Path, typer.Option(help="File of findings.")] = Path("findings.csv"),
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Subjects side by side.")] = 16,
) -> None:
    """Imports SDTM; it may be interrupted and run again, and a second run changes nothing.

    Exit code 0 when every row is accounted for, also when some were refused; 1 when the API failed; 2 when the
    directory, the mapping or the access is not usable.
    """

    async def work() -> None:
        console = Console()
        chosen = read_mapping(mapping)
        reports = _reports(directory, chosen, asked=ae_reports)
        source = read_directory(directory, {"AE": reports.file} if reports else None)
        plan = plan_import(source, chosen, reports)
        if source.ignored:
            console.print(f"Not read: {', '.join(source.ignored)}", highlight=False)
        access = _access(url, token, admin_token, data_dir)
        await _activate(access, chosen, console)
        account = settle_account(plan, await _send(plan, access, concurrency, console))
        write_refusals(refused, account.refusals)
        write_findings(findings, account.findings)
        _show(account, console)
        if reports:
            told = account.domain("AE").accepted
            console.print(f"AE: adverse events {account.adverse_events}, reports {told}", highlight=False)
        console.print(f"Refused rows: {refused}   Findings: {findings}", highlight=False)

    run(work())


def _reports(directory: Path, mapping: SdtmMapping, *, asked: bool) -> AeReports | None:
    """How AE is read when its rows are reports: because it was asked for, or because there is no other AE."""
    reports = mapping.ae.reports
    if asked and reports is None:
        raise StartRefused("The mapping has no ae.reports: it does not say which file holds the reports.")
    if reports and (asked or (not holds(directory, "ae") and holds(directory, reports.file))):
        return reports
    return None


def _access(url: str | None, token: str | None, admin: str | None, data_dir: Path) -> Access:
    if url and token:
        return Access(url, token, admin)
    if url or token:
        raise StartRefused("Give --url and --token together, or neither and --data-dir.")
    ready = read_run(data_dir)
    tokens: Mapping[str, str] = ready["tokens"]
    return Access(ready["graphql"], tokens[Role.INVESTIGATOR], admin or tokens[Role.ADMIN])


async def _activate(access: Access, mapping: SdtmMapping, console: Console) -> None:
    sites = mapping.sites
    if not sites.activate:
        return
    if access.admin is None:
        console.print("No --admin-token: the sites of the mapping are not activated.", highlight=False)
        return
    async with ApiClient(access.url, access.admin) as client:
        outcomes = await activate_sites(client, mapping.study, sites.ids, sites.approval_ref)
    for site_id, outcome in outcomes.items():
        stated = "active" if isinstance(outcome, Accepted) else outcome.message
        console.print(f"Site {site_id}: {stated}", highlight=False)


async def _send(plan: Plan, access: Access, concurrency: int, console: Console) -> tuple[Settled, ...]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = _bars(plan, progress)

        def advance(settled: Settled) -> None:
            progress.advance(bars[settled.unit.rows[0].domain], len(settled.unit.rows))

        async with ApiClient(access.url, access.token, concurrency=concurrency) as client:
            return await run_plan(plan, client, concurrency=concurrency, on_settled=advance)


def _bars(plan: Plan, progress: Progress) -> dict[str, TaskID]:
    totals: dict[str, int] = dict.fromkeys(DOMAINS, 0)
    for unit in plan.units:
        totals[unit.rows[0].domain] += len(unit.rows)
    return {domain: progress.add_task(f"{domain} rows", total=total) for domain, total in totals.items()}


def _show(account: Account, console: Console) -> None:
    table = Table("domain", title="Rows", title_justify="left")
    for name in ("read", "accepted", "kept, unaccepted", "refused", "of these changed", "balance"):
        table.add_column(name, justify="right")
    for one in account.domains:
        counts = (one.read, one.accepted, one.kept, one.refused, one.changed)
        table.add_row(one.domain, *map(str, counts), "even" if one.balanced else "WRONG")
    console.print(table)
    for reason, number in sorted(account.kept_reasons.items()):
        console.print(f"LB kept, unaccepted: {reason} {number}", highlight=False)
    for (domain, code), number in sorted(account.refused_reasons.items()):
        console.print(f"{domain} refused: {code} {number}", highlight=False)
    for (domain, kind), number in sorted(account.found.items()):
        console.print(f"{domain} found: {kind} {number}", highlight=False)
