"""Following one participant: the commits of their stream, from the mirror of the log."""

import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.codec import Recorded
from hepatrail_events.errors import Unavailable
from hepatrail_events.streams import subject_stream
from hepatrail_graphql.context import Context
from hepatrail_graphql.desk_feed import still_allowed
from hepatrail_graphql.desk_hub import PAGE
from hepatrail_graphql.waking import waking

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
    seen = await services.reader.stream_version(stream) if after is None else after
    types: list[str] = []
    while True:
        async with waking(services.notifications, services.times.page_anyway) as woken:
            page: Sequence[Recorded] = ()
            try:
                page = await services.reader.stream_events_after(stream, seen, PAGE)
            except Unavailable:
                _log.warning("the log's mirror cannot be read for now")
            for recorded in page:
                envelope = recorded.envelope
                seen = envelope.streamseq
                types.append(envelope.type)
                # A page may end inside a commit; the commit is told whole, with the next page.
                if envelope.commitindex == envelope.commitsize - 1:
                    yield Change(seen, tuple(types), envelope.recordedat)
                    types.clear()
            await still_allowed(context)
            if len(page) < PAGE:
                await woken(services.times.page_anyway)
