"""`hepatrail audit access`: the access log as a file, its chains checked while it is read."""

from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.audit.exporting import ME, By, Export, Form, Out, Since, Until, exported, tell
from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.errors import Broken
from hepatrail_infra.kafka_scan import Scan
from hepatrail_services.access_log import Access
from hepatrail_services.audit.access_listing import COLUMNS, AccessChains, AccessChoice, list_access
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.listing import Format


def access(
    kind: Annotated[list[Access] | None, typer.Option(help="Only this kind; may be given several times.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    since: Since = None,
    until: Until = None,
    form: Form = Format.CSV,
    out: Out = None,
    by: By = ME,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the access log: logins, refusals, tokens, exports and readings; the export is put on record itself.

    Every record is read, whatever is listed: exit code 1 when the chain of an instance is broken.
    """
    kinds = frozenset(kind) if kind else None
    asked = {
        "kind": sorted(each.value for each in kinds) if kinds else None,
        "actor": actor,
        "since": since,
        "until": until,
    }
    chosen = AccessChoice(kinds, actor, since, until)
    chains, rows = run_audit(_access(data_dir, chosen, Export("accessLog", asked, by, form, out)))
    tell(f"{rows} rows" + (f" in {out}" if out else ""), out)
    run_audit(_judged(chains))
    tell(f"whole: {chains.records} records in {len(chains.heads)} chains", out)


async def _access(data_dir: Path, chosen: AccessChoice, export: Export) -> tuple[AccessChains, int]:
    chains = AccessChains()
    async with (
        servers(data_dir, postgres=False) as found,
        Scan(found.bootstrap) as scan,
        exported(export, COLUMNS, found) as listing,
    ):
        async for row in list_access(KafkaSource(scan), chosen, chains):
            listing.write(row)
    return chains, listing.rows


async def _judged(chains: AccessChains) -> None:
    problems = chains.problems
    if problems.count:
        first = problems.first()[0]
        in_all = f"({problems.count} problem{'s' if problems.count != 1 else ''} in all)"
        raise Broken(f"{first.line()}\n{in_all}", code=first.code)
