"""The audit trail of the whole log, from the log itself (AUD-09): complete to the moment, whatever the database says.

One partition is folded at a time, because a stream lives in one, and its rows are put down in order; at the end the
twelve are merged. So memory holds the present values and the rows of one partition, not those of the trial.
"""

import heapq
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hepatrail_events.errors import InvalidMessage
from hepatrail_events.streams import NEVER_PARKED, subject_stream
from hepatrail_events.transparency.checkpoint import TREES
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_projections.trail.row import TrailFilter, TrailRow
from hepatrail_projections.trail.rows import trail_rows
from hepatrail_projections.trail.state import TrailState
from hepatrail_services.audit.source import LogSource

COLUMNS: Final = (
    "position",
    "eventId",
    "recordedAt",
    "receivedAt",
    "subjectId",
    "actorId",
    "actorRole",
    "actorOrg",
    "automated",
    "event",
    "object",
    "field",
    "oldValue",
    "newValue",
    "reason",
    "protocolVersion",
)
"""What a row says, by the names of the API; free text is sealed as in the log."""


@dataclass(frozen=True, slots=True)
class TrailListing:
    """The rows, put down in files of a directory; `unreadable` events have none: they are in the quarantine."""

    files: tuple[Path, ...]
    unreadable: int

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows by recordedAt, stream, streamseq and number."""
        with ExitStack() as opened:
            parts = [opened.enter_context(path.open(encoding="utf-8")) for path in self.files]
            for line in heapq.merge(*parts, key=_place_in):
                yield json.loads(line)[1]


async def list_trail(source: LogSource, chosen: TrailFilter, directory: Path) -> TrailListing:
    """Reads every partition to its end and puts the chosen rows down in the directory.

    Raises Unavailable when the log cannot be read.
    """
    files, unreadable = [], 0
    for partition in range(TREES):
        lines = []
        async for found in _rows_of(source, partition, chosen):
            if found is None:
                unreadable += 1
                continue
            lines += [_line(row) for row in found if _wanted(row, chosen)]
        lines.sort(key=_place_in)
        files.append(directory / f"{partition:02}.jsonl")
        files[-1].write_text("".join(lines), "utf-8")
    return TrailListing(tuple(files), unreadable)


async def _rows_of(
    source: LogSource, partition: int, chosen: TrailFilter
) -> AsyncIterator[tuple[TrailRow, ...] | None]:
    """The rows of each event of a partition; None for one that cannot be read."""
    states: dict[bytes, TrailState] = {}
    only = None if chosen.subject_id is None else {each.encode() for each in (*NEVER_PARKED, _stream(chosen))}
    async for batch in source.rows(EVENTS, partition):
        for _, key, value in batch:
            if key is None or (only is not None and key not in only):
                continue
            try:
                yield trail_rows(states.setdefault(key, TrailState()), value or b"")
            except InvalidMessage:
                yield None


def _stream(chosen: TrailFilter) -> str:
    return subject_stream(chosen.subject_id or "")


def _wanted(row: TrailRow, chosen: TrailFilter) -> bool:
    return (
        (chosen.subject_id is None or row.subject_id == chosen.subject_id)
        and (chosen.field is None or row.field == chosen.field)
        and (chosen.object_id is None or str(row.object_id) == chosen.object_id)
        and (chosen.actor_id is None or row.actor_id == chosen.actor_id)
        and (chosen.since is None or row.recorded_at >= chosen.since)
        and (chosen.until is None or row.recorded_at < chosen.until)
    )


def _line(row: TrailRow) -> str:
    place = [format_instant(row.recorded_at), row.stream, row.streamseq, row.row]
    return json.dumps([place, listed(row)], separators=(",", ":")) + "\n"


def _place_in(line: str) -> list[Any]:
    """The place of a row that was put down: the line begins with it, and no name of a stream holds a bracket."""
    place: list[Any] = json.loads(line[1 : line.index("]") + 1])
    return place


def listed(row: TrailRow) -> Mapping[str, Any]:
    """What a listing says of a row."""
    values = (
        f"{row.stream}@{row.streamseq}",
        str(row.event_id),
        format_instant(row.recorded_at),
        format_instant(row.received_at),
        row.subject_id,
        row.actor_id,
        row.actor_role,
        row.actor_org,
        row.automated,
        row.event_type,
        str(row.object_id),
        row.field,
        row.old,
        row.new,
        row.reason,
        row.protocol_version,
    )
    return dict(zip(COLUMNS, values, strict=True))
