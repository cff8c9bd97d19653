"""`hepatrail audit review`: an auditor says that a period of the trail was reviewed (AUD-10)."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from hepatrail_cli.audit.shell import READ_FAILED, instant, run_audit
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_cli.stack_files import read_run
from hepatrail_events.errors import StartRefused
from hepatrail_events.types import format_instant
from hepatrail_services.importers.api_client import Accepted, ApiClient, Rejected

_SEAL = """query Seal($after: String) { checkpointSeals(first: 1, after: $after) { edges { node { seal hash } } } }"""


def review(
    begin: Annotated[datetime, typer.Option("--from", parser=instant, help="Begin of the period (RFC 3339).")],
    end: Annotated[datetime, typer.Option("--to", parser=instant, help="End of the period, not in the future.")],
    token: Annotated[str, typer.Option(envvar="HEPATRAIL_TOKEN", help="Token of the AUDITOR who reviewed.")],
    seal: Annotated[
        int | None, typer.Option(help="The seal up to which the log was reviewed; its hash is stated too.", min=1)
    ] = None,
    findings: Annotated[str | None, typer.Option(help="What was found; nothing about a participant.")] = None,
    url: Annotated[str | None, typer.Option(help="GraphQL endpoint; default: that of the stack in --data-dir.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Record that a period of the audit trail was reviewed, as an event of the study, in the auditor's name."""
    period = {"from": format_instant(begin), "to": format_instant(end)}
    outcome = run_audit(_review(url, data_dir, token, seal, {**period, "findings": findings}))
    if isinstance(outcome, Rejected):
        typer.echo(f"refused: {outcome.message}", err=True)
        raise typer.Exit(READ_FAILED)
    typer.echo(f"reviewed: {period['from']} to {period['to']}; event {outcome.event_ids[0]} at {outcome.position}")


async def _review(
    url: str | None, data_dir: Path, token: str, seal: int | None, stated: dict[str, Any]
) -> Accepted | Rejected:
    async with ApiClient(url or read_run(data_dir)["graphql"], token) as client:
        command = {"commandId": str(uuid4()), **{name: value for name, value in stated.items() if value is not None}}
        if seal is not None:
            command |= {"seal": seal, "sealHash": await _hash_of(client, seal)}
        return await client.send("reviewAuditTrail", command)


async def _hash_of(client: ApiClient, seal: int) -> str:
    """The hash of a seal; StartRefused when there is none of the number."""
    answer = await client.execute(_SEAL, {"after": str(seal + 1)})
    for edge in answer["checkpointSeals"]["edges"]:
        if edge["node"]["seal"] == seal:
            return str(edge["node"]["hash"])
    raise StartRefused(f"There is no seal {seal}.")
