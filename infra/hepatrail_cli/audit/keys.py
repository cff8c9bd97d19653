"""`hepatrail audit keys` and `rotate-key`: who may sign the seals."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_cli.stack_files import read_run
from hepatrail_events.errors import StartRefused
from hepatrail_events.transparency.note import VerifierKey
from hepatrail_events.transparency.seal import verifier_keys
from hepatrail_infra.kafka_scan import Scan
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.proofs import Seals
from hepatrail_services.importers.api_client import Accepted, ApiClient


def keys(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Print the verifier keys of the last seal, one a tree; give them to auditors on another way than the log."""
    for key in run_audit(_keys(data_dir)):
        typer.echo(str(key))


def rotate_key(
    public: Annotated[str, typer.Option(help="The new Ed25519 public key: 32 bytes in base64.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever and holds no personal data.")],
    token: Annotated[str, typer.Option(help="Token of an ADMIN.", envvar="HEPATRAIL_TOKEN")],
    url: Annotated[str | None, typer.Option(help="Address of the API; absent: that of the running stack.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Publish the key that signs the seals from now on; the present sealer seals it once more and ends."""
    accepted = run_audit(_rotate(url or None, data_dir, public, reason, token))
    said = "is published: give its seed to the sealer" if accepted.event_ids else "was published before"
    typer.echo(f"the key {said}")


async def _keys(data_dir: Path) -> tuple[VerifierKey, ...]:
    async with servers(data_dir, postgres=False) as found, Scan(found.bootstrap) as scan:
        opened = await Seals(KafkaSource(scan)).open()
        return tuple(key for public in sorted(opened.signers) for key in verifier_keys(opened.seal.log, public))


async def _rotate(url: str | None, data_dir: Path, public: str, reason: str, token: str) -> Accepted:
    address = url or str(read_run(data_dir)["graphql"])
    command = {"commandId": str(uuid4()), "publicKey": public, "reason": reason}
    async with ApiClient(address, token, patience=30) as client:
        outcome = await client.send("publishSealingKey", command)
    if not isinstance(outcome, Accepted):
        raise StartRefused(f"The key was not published: {outcome.message}")
    return outcome
