"""Reading the trail: events in the order of the log's times, each with the old values that the fold before it knows.

There is no table: twelve rows an event would double a rebuild. The fold of a stream is remembered up to the event
that was read last, so that the next page goes on from there.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hepatrail_events.streams import SAFETY_DESK, STUDY, SUBJECT_ID_PATTERN, subject_stream
from hepatrail_projections.table import MAX_BIGINT, Connection
from hepatrail_projections.trail.row import TrailFilter, TrailPlace, TrailRow
from hepatrail_projections.trail.rows import pass_over, trail_rows
from hepatrail_projections.trail.state import TrailState

LOOKED_AT: Final = 2_000
"""The most events that are looked at for one page, unless none of them has a row that was asked for."""

_REMEMBERED = 64
_FETCHED = 100
"""So many events are folded before other tasks have their turn."""
_GROWTH = 4
_ROWS_OF_AN_EVENT = 40
"""Most events have fewer; where one has more, the next page folds a little again."""


@dataclass(slots=True)
class TrailStates:
    """The folds of the streams that were read last, by stream and version; what is in it is never changed."""

    _known: OrderedDict[tuple[str, int], TrailState] = field(default_factory=OrderedDict)

    def before(self, stream: str, streamseq: int) -> TrailState:
        """The nearest known fold of what was said before an event, to go on from; an empty one when there is none."""
        versions = [version for name, version in self._known if name == stream and version < streamseq]
        if not versions:
            return TrailState()
        key = (stream, max(versions))
        self._known.move_to_end(key)
        return self._known[key].copy()

    def keep(self, stream: str, state: TrailState) -> None:
        """Remembers a fold that nobody goes on with."""
        self._known[stream, state.version] = state
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


class _Stream:
    """A stream that is folded as far as it is asked for."""

    def __init__(self, state: TrailState, cursor: Any) -> None:
        self.state = state
        self._cursor = cursor
        self._ahead: deque[tuple[int, bytes]] = deque()

    @classmethod
    async def open(cls, connection: Connection, states: TrailStates, stream: str, streamseq: int) -> "_Stream":
        """The stream from the nearest known fold on."""
        state = states.before(stream, streamseq)
        sql = "SELECT streamseq, raw FROM event WHERE stream = $1 AND streamseq > $2 ORDER BY streamseq"
        return cls(state, await connection.cursor(sql, stream, state.version))

    async def go_to(self, streamseq: int) -> None:
        """Folds what was said before an event."""
        while (await self._next())[0] < streamseq:
            pass_over(self.state, self._ahead.popleft()[1])

    async def rows(self) -> tuple[TrailRow, ...]:
        """The rows of the next event."""
        await self._next()
        return trail_rows(self.state, self._ahead.popleft()[1])

    async def _next(self) -> tuple[int, bytes]:
        if not self._ahead:
            self._ahead.extend((row["streamseq"], row["raw"]) for row in await self._cursor.fetch(_FETCHED))
        return self._ahead[0]


@dataclass(frozen=True, slots=True)
class Looked:
    """Rows in the order of the trail; `go_on` is the place to look on from, None at the end or with enough rows."""

    rows: tuple[TrailRow, ...]
    go_on: TrailPlace | None


async def trail_after(
    connection: Connection,
    states: TrailStates,
    after: TrailPlace | None,
    complete_to: datetime,
    chosen: TrailFilter,
    limit: int,
) -> Looked:
    """Rows behind a place, of events recorded until `complete_to`: `limit` of them, or what 2,000 events hold."""
    if chosen.subject_id is not None and not re.fullmatch(SUBJECT_ID_PATTERN, chosen.subject_id):
        return Looked((), None)
    page = _Page(connection, states, chosen, after, limit)
    looked, size = 0, limit
    while looked < LOOKED_AT and not page.full:
        asked = min(size, LOOKED_AT - looked)
        events = await _events(connection, after, complete_to, chosen, asked)
        await page.take(events)
        if len(events) < asked:
            return Looked(page.rows, None)
        looked, after, size = looked + asked, events[-1], size * _GROWTH
    return Looked(page.rows, None if page.full else after)


class _Page:
    """Rows in the making, and the streams that they are read from."""

    def __init__(
        self, connection: Connection, states: TrailStates, chosen: TrailFilter, after: TrailPlace | None, limit: int
    ) -> None:
        self._connection = connection
        self._states = states
        self._chosen = chosen
        self._after = after
        self._limit = limit
        self._rows: list[TrailRow] = []
        self._streams: dict[str, _Stream] = {}

    @property
    def rows(self) -> tuple[TrailRow, ...]:
        """The rows so far, no more than are wanted."""
        return tuple(self._rows[: self._limit])

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return len(self._rows) >= self._limit

    async def take(self, events: Iterable[TrailPlace]) -> None:
        """Reads events until the page is full, and remembers how far the streams are."""
        before: tuple[str, TrailState] | None = None
        for event in events:
            stream = await self._stream(event)
            await stream.go_to(event.streamseq)
            if len(self._rows) + _ROWS_OF_AN_EVENT >= self._limit:
                # The page may end within this event, and the next one then begins with it.
                before = (event.stream, stream.state.copy())
            self._rows += [row for row in await stream.rows() if _wanted(row, self._chosen, self._after)]
            if self.full:
                break
        for name, stream in self._streams.items():
            self._states.keep(name, stream.state.copy())
        if before is not None:
            self._states.keep(*before)

    async def _stream(self, event: TrailPlace) -> _Stream:
        found = self._streams.get(event.stream)
        if found is None:
            found = await _Stream.open(self._connection, self._states, event.stream, event.streamseq)
            self._streams[event.stream] = found
        return found


def _wanted(row: TrailRow, chosen: TrailFilter, after: TrailPlace | None) -> bool:
    return (
        (after is None or row.place > after)
        and (chosen.field is None or row.field == chosen.field)
        and (chosen.object_id is None or str(row.object_id) == chosen.object_id)
        and (chosen.subject_id is None or row.subject_id == chosen.subject_id)
    )


async def _events(
    connection: Connection, after: TrailPlace | None, complete_to: datetime, chosen: TrailFilter, limit: int
) -> list[TrailPlace]:
    """The events that may have rows behind a place, each as the place behind its last row.

    Of an object, those whose bytes name it. Of a participant, the stream, what names the participant on the desk and
    in the study, and what happened there to alerts and holds of the participant.
    """
    recorded_at, stream, streamseq = (None, None, None) if after is None else after[:3]
    if after is not None and after.row >= MAX_BIGINT:
        streamseq = after.streamseq + 1
    subject = None if chosen.subject_id is None else subject_stream(chosen.subject_id)
    rows: list[Any] = await connection.fetch(
        "SELECT recorded_at, stream, streamseq FROM event "
        "WHERE ($1::timestamptz IS NULL OR (recorded_at, stream, streamseq) >= ($1, $2::text, $3::bigint)) "
        "AND recorded_at <= $4 AND ($5::text IS NULL OR actor_id = $5) "
        "AND ($6::timestamptz IS NULL OR recorded_at >= $6) AND ($7::timestamptz IS NULL OR recorded_at < $7) "
        "AND ($8::bytea IS NULL OR position($8 IN raw) > 0) "
        "AND ($9::text IS NULL OR stream = $10 OR (stream = ANY ($11) AND (payload->>'subjectId' = $9 "
        "OR payload->>'alertId' IN (SELECT alert_id::text FROM alert WHERE subject_id = $9) "
        "OR payload->>'holdId' IN (SELECT hold_id::text FROM hold WHERE subject_id = $9)))) "
        "ORDER BY recorded_at, stream, streamseq LIMIT $12",
        recorded_at,
        stream,
        streamseq,
        complete_to,
        chosen.actor_id,
        chosen.since,
        chosen.until,
        None if chosen.object_id is None else chosen.object_id.encode(errors="replace"),
        chosen.subject_id,
        subject,
        [SAFETY_DESK, STUDY],
        limit,
    )
    return [TrailPlace(row[0], row[1], row[2], MAX_BIGINT) for row in rows]
