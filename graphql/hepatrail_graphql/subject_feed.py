"""Following one participant: the commits of their stream, from the mirror of the log, up to its completeness."""

import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from hepatrail_events.errors import Unavailable
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.context import Context
from hepatrail_graphql.cursors import PAGE
from hepatrail_graphql.desk_feed import still_allowed
from hepatrail_graphql.waking import waking
from hepatrail_projections.event import EventFilter, EventRow

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One commit: the stream's version after it, and what happened."""

    version: int
    event_types: tuple[str, ...]
    recorded_at: datetime


async def changes(context: Context, subject_id: str, after: int | None) -> AsyncGenerator[Change, None]:
    """Yields the commits behind a version, for ever; None: behind the present one. UNAUTHENTICATED ends it."""
    services, stream = context.services, subject_stream(subject_id)
    version = await services.reader.stream_version(stream) if after is None else after
    place: tuple[datetime, str, int] | None = None
    while True:
        async with waking(services.notifications, services.times.page_anyway) as woken:
            page: Sequence[EventRow] = ()
            try:
                found = await services.reader.events(PAGE, place, EventFilter(stream=stream))
                page = found.items
            except Unavailable:
                _log.warning("the log's mirror cannot be read for now")
            for change in _commits(page):
                if change.version > version:
                    yield change
            if page:
                last = page[-1]
                place = (last.recorded_at, last.stream, last.streamseq)
            await still_allowed(context)
            if len(page) < PAGE:
                # An event is shown here only when the log is complete up to it, which no notification tells.
                await woken(min(1.0, services.times.page_anyway))


def _commits(page: Sequence[EventRow]) -> list[Change]:
    return [
        Change(rows[-1].streamseq, tuple(row.type for row in rows), rows[-1].recorded_at)
        for rows in (list(group) for _, group in groupby(page, key=lambda row: row.commit_id))
    ]
