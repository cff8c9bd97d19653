"""`hepatrail audit checkpoint`: a seal now, and its files to take away."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_cli.stack_files import stack_settings
from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import BadSignature, Broken, StartRefused
from hepatrail_events.transparency.seal import Opened, open_seal
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import make_clock
from hepatrail_infra.settings import need
from hepatrail_services.audit.checkpoint_files import write_seal
from hepatrail_services.audit.demand import demand_seal
from hepatrail_services.audit.study_records import published_keys


def checkpoint(
    out: Annotated[Path | None, typer.Option(help="Directory for record, checkpoints and verifier keys.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the sealer.", min=1)] = 30.0,
    by: Annotated[str, typer.Option(help="Who asks; it is on record.")] = getpass.getuser(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Have the whole log sealed as it stands now; keep the files where nobody of the trial can reach them."""
    opened, raw = run_audit(_checkpoint(data_dir, by, timeout))
    seal = opened.seal
    if out is not None:
        _write(out, opened)
    size = sum(tree.size for tree in opened.trees)
    typer.echo(
        f"seal {seal.seal} ({seal.reason.value}) at {format_instant(seal.at)}: {size} events; "
        f"SHA-256 of the seal {sha256_hex(raw)}"
    )


async def _checkpoint(data_dir: Path, by: str, patience: float) -> tuple[Opened, bytes]:
    settings = stack_settings(data_dir)
    bootstrap = need(settings.kafka, "kafka")
    seal, raw = await demand_seal(bootstrap, make_clock(settings.simulated_clock), by=by, patience=patience)
    try:
        return open_seal(seal, await published_keys(bootstrap)), raw
    except BadSignature as error:
        raise Broken(f"BAD_SIGNATURE in seal {seal.seal}: {error}", code="BAD_SIGNATURE") from None


def _write(out: Path, opened: Opened) -> None:
    async def write() -> None:
        try:
            write_seal(out, opened.seal, next(iter(opened.signers)))
        except OSError as error:
            raise StartRefused(f"The files cannot be written to {out}: {error.strerror}.") from error

    run_audit(write())
