"""`hepatrail token`: a bearer token of the embedded stack."""

from datetime import timedelta
from typing import Annotated

import typer

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, refuse
from hepatrail_events.errors import HepatrailError
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_infra.settings import load_settings
from hepatrail_infra.tokens import TokenSigner


def token(
    role: Annotated[Role, typer.Argument(help="Role of the person.")],
    actor: Annotated[str, typer.Option(help="Who the token is for; named accounts only.")],
    org: Annotated[str, typer.Option(help="Their organisation.")] = "",
    site: Annotated[list[str] | None, typer.Option(help="A site they may see; absent: all.")] = None,
    hours: Annotated[float, typer.Option(help="Hours until it ends.", min=0.01, max=24 * 31)] = 24.0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Sign a token for one person, with the key of the embedded stack."""
    try:
        settings = load_settings()
        signer = TokenSigner.load(data_dir, settings.jwt_issuer, settings.jwt_audience)
    except HepatrailError as error:
        refuse(error)
    organisation = org or settings.site_org
    typer.echo(signer.sign(actor, role, organisation, site or [ALL_SITES], timedelta(hours=hours)))
