"""`hepatrail import sdtm DIR`: SDTM domains DM, EX, LB, VS, SV, AE, DS become commands of the API.

With the mapping that `hepatrail export sdtm` writes, all that was exported comes back.

`hepatrail import pbcseq FILE` makes such domains of a study that was published otherwise, and goes on the same way.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
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
from hepatrail_services.importers.pbcseq import read_pbcseq
from hepatrail_services.importers.plan import Plan
from hepatrail_services.importers.records_mapping import RecordsMapping
from hepatrail_services.importers.run import Settled, run_plan
from hepatrail_services.importers.sdtm import plan_import
from hepatrail_services.importers.sites import activate_sites
from hepatrail_services.importers.source import DOMAINS, USUAL, Source, holds, read_directory

Url = Annotated[str | None, typer.Option(help="GraphQL endpoint; default: that of the stack in --data-dir.")]
Token = Annotated[
    str | None, typer.Option(envvar="HEPATRAIL_TOKEN", help="Token of an INVESTIGATOR, in whose name rows go in.")
]
AdminToken = Annotated[
    str | None, typer.Option(envvar="HEPATRAIL_ADMIN_TOKEN", help="Token of an ADMIN, to activate the sites.")
]
SponsorToken = Annotated[
    str | None,
    typer.Option(envvar="HEPATRAIL_SPONSOR_TOKEN", help="Token of a SPONSOR, for what only the sponsor may say."),
]
Refused = Annotated[Path, typer.Option(help="File of refused rows, with reasons.")]
Findings = Annotated[Path, typer.Option(help="File of findings.")]
Concurrency = Annotated[int, typer.Option(min=1, max=256, help="Subjects side by side.")]
Mapped = SdtmMapping | RecordsMapping
PBCSEQ = Path("pbcseq.toml")
REFUSED, FINDINGS, CONCURRENCY = Path("refused.csv"), Path("findings.csv"), 16

import_app = typer.Typer(help="Data of other systems become commands.", no_args_is_help=True)


@import_app.callback()
def import_data() -> None:
    """Data of other systems become commands."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is and in whose names the import acts.

    No `admin` token: sites are not activated; no `sponsor` token: what the sponsor judged is refused, row by row.
    """

    url: str
    token: str
    admin: str | None
    sponsor: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that were given on the command line or in the environment."""

    token: str | None
    admin: str | None
    sponsor: str | None


@dataclass(frozen=True, slots=True)
class Options:
    """How many subjects go in side by side, and the files that say what did not go in, or went in with a remark."""

    refused: Path
    findings: Path
    concurrency: int


@import_app.command("sdtm")
def import_sdtm(
    directory: Annotated[
        Path,
        typer.Argument(
            help="Directory with dm, ex, lb, ae, and vs, sv, ds where there are any, as .csv, .csv.gz, .xpt (SAS XPORT "
            "version 5), .json, .ndjson or .dsjc (Dataset-JSON 1.1, compressed)."
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="Mapping file, or the name of one that is shipped: cdisc_pilot.toml (CDISC Pilot 01, the default), "
            "cdisc_msg.toml (example study of the SDTM Metadata Submission Guidelines 2.0). An export brings its own."
        ),
    ] = None,
    url: Url = None,
    token: Token = None,
    admin_token: AdminToken = None,
    sponsor_token: SponsorToken = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    ae_reports: Annotated[
        bool,
        typer.Option(
            "--ae-reports",
            help="AE from the mapping's file of reports (CDISC Pilot 01: ae_reports_original.csv) in place of ae.csv: "
            "later reports of an event become its follow-ups. So too where there is no ae.csv.",
        ),
    ] = False,
    refused: Refused = REFUSED,
    findings: Findings = FINDINGS,
    concurrency: Concurrency = CONCURRENCY,
) -> None:
    """Imports SDTM; it may be interrupted and run again, and a second run changes nothing.

    Exit code 0 when every row is accounted for, also when some were refused; 1 when the API failed; 2 when the
    directory, the mapping or the access is not usable.
    """

    async def work() -> None:
        chosen = read_mapping(mapping)
        reports = _reports(directory, chosen, asked=ae_reports)
        domains = chosen.domains if isinstance(chosen, RecordsMapping) else USUAL
        source = read_directory(directory, {"AE": reports.file} if reports else None, domains)
        options = Options(refused, findings, concurrency)
        tokens = Tokens(token, admin_token, sponsor_token)
        await _import(source, chosen, reports, lambda: _access(url, tokens, data_dir), options)

    run(work())


@import_app.command("pbcseq")
def import_pbcseq(
    file: Annotated[Path, typer.Argument(help="The data set pbcseq of R's package survival, as .csv or .csv.gz.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file, or the name of one that is shipped; default: pbcseq.toml.")
    ] = None,
    url: Url = None,
    token: Token = None,
    admin_token: AdminToken = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    refused: Refused = REFUSED,
    findings: Findings = FINDINGS,
    concurrency: Concurrency = CONCURRENCY,
) -> None:
    """Imports the Mayo Clinic's sequential data of primary biliary cholangitis, as `import sdtm` imports SDTM.

    One session on day 0 stands for the randomisation; the outcomes need a protocol with a long horizon.
    """

    async def work() -> None:
        source, chosen = read_pbcseq(file), read_mapping(mapping or PBCSEQ)
        options = Options(refused, findings, concurrency)
        await _import(source, chosen, None, lambda: _access(url, Tokens(token, admin_token, None), data_dir), options)

    run(work())


async def _import(
    source: Source, mapping: Mapped, reports: AeReports | None, access_to: Callable[[], Access], options: Options
) -> None:
    """Plans, sends and accounts for a source; `access_to` is asked once the source is known to be usable."""
    console = Console()
    plan = plan_import(source, mapping, reports)
    if source.ignored:
        console.print(f"Not read: {', '.join(source.ignored)}", highlight=False)
    if source.same:
        console.print(f"Same rows once more: {', '.join(source.same)}", highlight=False)
    access = access_to()
    await _activate(access, mapping, console)
    account = settle_account(plan, await _send(plan, access, options.concurrency, console))
    write_refusals(options.refused, account.refusals)
    write_findings(options.findings, account.findings)
    _show(account, console)
    if reports:
        told = account.domain("AE").accepted
        console.print(f"AE: adverse events {account.adverse_events}, reports {told}", highlight=False)
    console.print(f"Refused rows: {options.refused}   Findings: {options.findings}", highlight=False)


def _reports(directory: Path, mapping: Mapped, *, asked: bool) -> AeReports | None:
    """How AE is read when its rows are reports: because it was asked for, or because there is no other AE."""
    reports = None if isinstance(mapping, RecordsMapping) else mapping.ae.reports
    if asked and reports is None:
        raise StartRefused("The mapping has no ae.reports: it does not say which file holds the reports.")
    if reports and (asked or (not holds(directory, "ae") and holds(directory, reports.file))):
        return reports
    return None


def _access(url: str | None, given: Tokens, data_dir: Path) -> Access:
    if url and given.token:
        return Access(url, given.token, given.admin, given.sponsor)
    if url or given.token:
        raise StartRefused("Give --url and --token together, or neither and --data-dir.")
    ready = read_run(data_dir)
    tokens: Mapping[str, str] = ready["tokens"]
    return Access(
        ready["graphql"],
        tokens[Role.INVESTIGATOR],
        given.admin or tokens[Role.ADMIN],
        given.sponsor or tokens.get(Role.SPONSOR),
    )


async def _activate(access: Access, mapping: Mapped, console: Console) -> None:
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

        async with AsyncExitStack() as stack:

            async def client(token: str) -> ApiClient:
                return await stack.enter_async_context(ApiClient(access.url, token, concurrency=concurrency))

            others = {} if access.sponsor is None else {Role.SPONSOR: await client(access.sponsor)}
            importer = await client(access.token)
            return await run_plan(plan, importer, others=others, concurrency=concurrency, on_settled=advance)


def _bars(plan: Plan, progress: Progress) -> dict[str, TaskID]:
    totals: dict[str, int] = {domain: 0 for domain in DOMAINS if domain in plan.read}
    for unit in plan.units:
        totals[unit.rows[0].domain] += len(unit.rows)
    return {domain: progress.add_task(f"{domain} rows", total=total) for domain, total in totals.items()}


def _show(account: Account, console: Console) -> None:
    table = Table("domain", title="Rows", title_justify="left")
    for name in ("read", "accepted", "kept", "refused", "of these changed", "balance"):
        table.add_column(name, justify="right")
    for one in account.domains:
        counts = (one.read, one.accepted, one.kept, one.refused, one.changed)
        table.add_row(one.domain, *map(str, counts), "even" if one.balanced else "WRONG")
    console.print(table)
    for (domain, reason), number in sorted(account.kept_reasons.items()):
        console.print(f"{domain} kept: {reason} {number}", highlight=False)
    for (domain, code), number in sorted(account.refused_reasons.items()):
        console.print(f"{domain} refused: {code} {number}", highlight=False)
    for (domain, kind), number in sorted(account.found.items()):
        console.print(f"{domain} found: {kind} {number}", highlight=False)
