"""`hepatrail token`: a bearer token of the embedded stack."""

import getpass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.issued_tokens import record_issued
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import stack_is_known, stack_settings
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import load_settings, need
from hepatrail_infra.tokens import TokenSigner
from hepatrail_services.access_tool import tool_access


def token(
    role: Annotated[Role, typer.Argument(help="Role of the person.")],
    actor: Annotated[str, typer.Option(help="Who the token is for; named accounts only.")],
    org: Annotated[str, typer.Option(help="Their organisation.")] = "",
    site: Annotated[list[str] | None, typer.Option(help="A site they may see; absent: all.")] = None,
    hours: Annotated[float, typer.Option(help="Hours until it ends.", min=0.01, max=24 * 31)] = 24.0,
    by: Annotated[str, typer.Option(help="Who issues it; it is on record.")] = getpass.getuser(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Sign a token for one person, with the key of the embedded stack.

    While a stack runs that is put on record first: without its record no token is given out.
    """
    signed, recorded = run(_issued(data_dir, actor, role, org, site or [ALL_SITES], timedelta(hours=hours), by))
    if not recorded:
        typer.echo("hepatrail: no stack runs, so that this token is not on record.", err=True)
    typer.echo(signed)


async def _issued(
    data_dir: Path, actor: str, role: Role, org: str, sites: list[str], ttl: timedelta, by: str
) -> tuple[str, bool]:
    """The token, and whether it is on record; Unavailable when it should be and cannot."""
    settings = load_settings()
    signer = TokenSigner.load(data_dir, settings.jwt_issuer, settings.jwt_audience)
    signed = signer.sign(actor, role, org or settings.site_org, sites, ttl)
    if not stack_is_known(data_dir):
        return signed, False
    settings = stack_settings(data_dir)
    async with tool_access(need(settings.kafka, "kafka"), make_clock(settings.simulated_clock)) as access:
        await record_issued(access, signed, by)
    return signed, True
