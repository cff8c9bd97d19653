"""`hepatrail audit diff`: which derived values changed between two instants, and because of whom and of what."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer

from hepatrail_cli.audit.shell import instant, run_audit
from hepatrail_cli.audit.values import text_of
from hepatrail_cli.responsible_words import because
from hepatrail_cli.servers import servers
from hepatrail_cli.shell import DEFAULT_DATA_DIR, DataDir
from hepatrail_events.codec import Recorded
from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import SAFETY_DESK, STUDY, is_stream, subject_stream
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import EVENTS, PARTITIONS, QUARANTINE
from hepatrail_infra.kafka_log import Record, partition_of, read_to_end
from hepatrail_infra.kafka_quarantine import Place, Released, read_quarantine
from hepatrail_projections.row_changes import RowChange, changes_between
from hepatrail_projections.stream_history import StreamHistory, stream_history


@dataclass(slots=True)
class _Log:
    """The records of the streams that are looked at, and which of them were released."""

    streams: dict[str, list[tuple[Place, bytes]]] = field(default_factory=dict)
    released: set[Place] = field(default_factory=set)


def diff(
    since: Annotated[str, typer.Option("--from", help="The earlier instant, RFC 3339.")],
    until: Annotated[str, typer.Option("--to", help="The later instant, RFC 3339.")],
    subject: Annotated[str | None, typer.Option(help="Only what is derived of this participant.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Say which derived values changed between two instants, which events changed them, whose, and why.

    Needs Kafka only. Exit code 2 when it could not be read.
    """
    t1, t2 = instant(since), instant(until)
    if t1 >= t2:
        raise typer.BadParameter("--from must lie before --to")
    log = run_audit(_read(data_dir, subject))
    histories = _histories(log, t2)
    for history in histories.values():
        if history.stopped is not None:
            typer.echo(f"not read on: {history.stopped}", err=True)
    changes = _changes(histories, subject, t1, t2)
    if json:
        found = list(changes)
        body = {"from": format_instant(t1), "to": format_instant(t2), "changes": [asdict(each) for each in found]}
        typer.echo(orjson.dumps(body).decode())
        return
    count, events = 0, set[UUID]()
    for change in changes:
        typer.echo(line(change))
        count += 1
        events |= {each.event_id for each in change.causes}
    typer.echo(f"{count} values changed by {len(events)} events")


async def _read(data_dir: Path, subject: str | None) -> _Log:
    log = _Log()
    wanted = None if subject is None else frozenset({STUDY, subject_stream(subject)})
    partitions = range(PARTITIONS) if wanted is None else sorted(set(map(partition_of, wanted)))

    async def take(records: list[Record]) -> None:
        for record in records:
            stream = (record.key or b"").decode("ascii", "replace")
            if (wanted is None and is_stream(stream)) or (wanted is not None and stream in wanted):
                place = Place(record.topic, record.partition, record.offset)
                log.streams.setdefault(stream, []).append((place, record.value or b""))

    async def take_release(records: list[Record]) -> None:
        log.released.update(_released(records))

    async with servers(data_dir, postgres=False) as found:
        await read_to_end(found.bootstrap, QUARANTINE, [0], {}, take_release)
        await read_to_end(found.bootstrap, EVENTS, partitions, {}, take)
    return log


def _released(records: Iterable[Record]) -> Iterator[Place]:
    for record in records:
        try:
            entry = read_quarantine(record.value or b"")
        except InvalidMessage:
            continue
        if isinstance(entry, Released):
            yield Place(entry.topic, entry.partition, entry.offset)


def _histories(log: _Log, until: datetime) -> dict[str, StreamHistory]:
    first = [stream for stream in (STUDY, SAFETY_DESK) if stream in log.streams]
    order = [*first, *sorted(log.streams.keys() - set(first))]
    return {stream: stream_history(stream, log.streams[stream], log.released, until) for stream in order}


def _changes(
    histories: dict[str, StreamHistory], subject: str | None, t1: datetime, t2: datetime
) -> Iterator[RowChange]:
    study: tuple[Recorded, ...] = histories[STUDY].events if STUDY in histories else ()
    for stream, history in histories.items():
        if subject is None or stream == subject_stream(subject):
            yield from changes_between(history.events, study, t1, t2)


def line(change: RowChange) -> str:
    """A change in one line of text."""
    whose = (change.subject_id or STUDY, change.table, change.key)
    what = f"{change.column} {text_of(change.old)} -> {text_of(change.new)}"
    if change.column is None:
        what = "new" if change.old is None else "gone"
    return f"{' '.join(each for each in whose if each)}: {what}; {because(change.causes, 'by time alone')}"
