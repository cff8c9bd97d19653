"""`hepatrail quarantine`: what could not be read, and what is to become of it."""

import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir, run
from hepatrail_cli.stack_files import stack_settings
from hepatrail_events.errors import CommandRejected, StartRefused, Unavailable
from hepatrail_infra.clock import make_clock
from hepatrail_infra.kafka_admin import EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import close_producer, make_producer
from hepatrail_infra.kafka_quarantine import Released, record_bytes
from hepatrail_infra.postgres import connection, reader_pool
from hepatrail_infra.settings import Settings, need, secret
from hepatrail_projections.meta import request_retry
from hepatrail_projections.quarantine import QuarantineRow
from hepatrail_projections.reading import Reader

quarantine_app = typer.Typer(no_args_is_help=True, help="Records that could not be read, and the subjects that wait.")

Stream = Annotated[str, typer.Argument(help="The parked stream, e.g. subject-BFH-001.")]
Result = TypeVar("Result")


@quarantine_app.command("list")
def list_parked(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List everything that could not be read and was not released."""
    parked = run(_read(data_dir, lambda reader: reader.parked()))
    table = Table("stream", "place", "code", "reason")
    for row in parked:
        table.add_row(row.stream or "-", place(row), row.code, row.reason)
    Console().print(table if parked else "Nothing is parked.")


@quarantine_app.command()
def show(stream: Stream, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show why a stream is parked, with the very bytes that could not be read."""
    for row in run(_read(data_dir, lambda reader: parked_of(reader, stream))):
        typer.echo(f"{place(row)}  {row.code}: {row.reason}")
        typer.echo(row.raw.decode("utf-8", "backslashreplace"))


@quarantine_app.command()
def retry(stream: Stream, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Have the projector read a parked stream again; for after an upgrade that understands it."""
    run(_retry(data_dir, stream))
    typer.echo(f"The projector reads {stream} again; `hepatrail quarantine list` shows what came of it.")


@quarantine_app.command()
def release(
    stream: Stream,
    offset: Annotated[int, typer.Option(help="Offset of the record that is to be passed over.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever and holds no personal data.")],
    by: Annotated[str, typer.Option(help="Who decided it.")] = getpass.getuser(),
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Pass over an unreadable record for good: every reader of the log then skips it. Logged, with the reason."""
    row = run(_release(data_dir, stream, offset, reason, by))
    typer.echo(f"{place(row)} is passed over from now on.")


def place(row: QuarantineRow) -> str:
    """Where a record stands in the log."""
    return f"{row.topic}/{row.partition}@{row.kafka_offset}"


async def parked_of(reader: Reader, stream: str) -> tuple[QuarantineRow, ...]:
    """What is parked of a stream; CommandRejected when nothing is."""
    rows = tuple(row for row in await reader.parked() if row.stream == stream)
    if not rows:
        raise CommandRejected(f"Nothing of {stream} is parked.", code="UNKNOWN")
    return rows


async def _read(data_dir: Path, work: Callable[[Reader], Awaitable[Result]]) -> Result:
    settings = stack_settings(data_dir)
    pool = await reader_pool(secret(settings.postgres_reader, "postgres_reader"), size=1, name="quarantine")
    try:
        return await work(Reader(pool))
    finally:
        await pool.close()


async def _retry(data_dir: Path, stream: str) -> None:
    await _read(data_dir, lambda reader: parked_of(reader, stream))
    settings = stack_settings(data_dir)
    async with connection(secret(settings.postgres_writer, "postgres_writer"), name="quarantine") as link:
        await request_retry(link, stream)


async def _release(data_dir: Path, stream: str, offset: int, reason: str, by: str) -> QuarantineRow:
    if len(reason.strip()) < 3:
        raise StartRefused("A release needs a reason.")
    rows = await _read(data_dir, lambda reader: parked_of(reader, stream))
    row = next((row for row in rows if row.kafka_offset == offset), None)
    if row is None or row.topic != EVENTS:
        raise CommandRejected(f"No record of {stream} is parked at offset {offset}.", code="UNKNOWN")
    settings = stack_settings(data_dir)
    released = Released(
        topic=row.topic,
        stream=stream,
        partition=row.partition,
        offset=row.kafka_offset,
        reason=reason.strip(),
        by=by,
        at=make_clock(settings.simulated_clock).now(),
    )
    await _publish(settings, released)
    return row


async def _publish(settings: Settings, released: Released) -> None:
    producer = make_producer(need(settings.kafka, "kafka"))
    try:
        await producer.start()
        await producer.send_and_wait(QUARANTINE, record_bytes(released), key=released.stream.encode(), partition=0)
    except KafkaError as error:
        raise Unavailable(f"the release could not be written: {error}") from error
    finally:
        await close_producer(producer)
