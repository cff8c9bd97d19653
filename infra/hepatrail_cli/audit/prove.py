"""`hepatrail audit prove`: a proof as a file, from the log itself, that any tool for transparency logs can check."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hepatrail_cli.audit.shell import run_audit
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.errors import StartRefused
from hepatrail_infra.kafka_admin import PARTITIONS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_scan import Scan
from hepatrail_services.audit.kafka_source import KafkaSource
from hepatrail_services.audit.proofs import prove_consistency, prove_inclusion


def prove(
    event_id: Annotated[UUID | None, typer.Argument(help="The event that is to be shown to be in the log.")] = None,
    stream: Annotated[str | None, typer.Option(help="Its stream, e.g. subject-BFH-001: found sooner.")] = None,
    seal: Annotated[int | None, typer.Option(help="In which seal; absent: the last.", min=1)] = None,
    first: Annotated[int | None, typer.Option("--from", help="Instead: the earlier of two seals.", min=1)] = None,
    second: Annotated[int | None, typer.Option("--to", help="The later seal, which continues it.", min=1)] = None,
    partition: Annotated[int | None, typer.Option(help="Of which tree.", min=0, max=PARTITIONS - 1)] = None,
    out: Annotated[Path | None, typer.Option(help="File for the proof; absent: standard output.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Prove that an event is in a seal, or (--from, --to, --partition) that nothing was changed between two seals."""
    run_audit(_prove(data_dir, event_id, stream, seal, first, second, partition, out))


async def _prove(
    data_dir: Path,
    event_id: UUID | None,
    stream: str | None,
    seal: int | None,
    first: int | None,
    second: int | None,
    partition: int | None,
    out: Path | None,
) -> None:
    async with servers(data_dir, postgres=False) as found, Scan(found.bootstrap) as scan:
        source = KafkaSource(scan)
        if event_id is not None and first is second is partition is None:
            partitions = range(PARTITIONS) if stream is None else (partition_of(stream),)
            inclusion = await prove_inclusion(source, event_id, partitions=partitions, number=seal)
            tree = inclusion.checkpoint
            said = f"leaf {inclusion.index} of {tree.size} in {tree.origin}, seal {inclusion.seal}"
            text = inclusion.text
        elif event_id is None and seal is None and not (first is None or second is None or partition is None):
            consistency = await prove_consistency(source, partition, first, second)
            before, after = consistency.first, consistency.second
            said = f"the first {before.size} of {after.size} leaves in {after.origin} are those of seal {first}"
            text = consistency.text
        else:
            raise StartRefused("Give either an event, or --from, --to and --partition.")
    _hand_out(text, said, out)


def _hand_out(text: str, said: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        typer.echo(said, err=True)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise StartRefused(f"The proof cannot be written to {out}: {error.strerror}.") from error
    typer.echo(said)
