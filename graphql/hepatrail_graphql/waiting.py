"""Reading one's own writes: waiting until a stream is projected far enough (DESIGN section 5, `minPosition`)."""

import asyncio
from datetime import datetime

from hepatrail_events.streams import Position, subject_of
from hepatrail_events.types import parse_instant
from hepatrail_graphql.authorize import may_see
from hepatrail_graphql.context import Context
from hepatrail_graphql.errors import bad_input, not_yet_projected


async def reached(context: Context, position: Position) -> bool:
    """Whether the stream is projected that far, waiting up to `read_wait` seconds for it."""
    services = context.services
    loop = asyncio.get_running_loop()
    deadline = loop.time() + services.times.read_wait
    while True:
        # Begun before reading, so that a change in between is not slept over.
        change = asyncio.create_task(services.notifications.wait_change(max(0.0, deadline - loop.time())))
        try:
            if await services.reader.stream_version(position.stream) >= position.version:
                return True
            if loop.time() >= deadline:
                return False
            await change
        finally:
            change.cancel()


async def wait_for(context: Context, min_position: str | None) -> None:
    """Waits for `minPosition`; NOT_YET_PROJECTED when it is not reached in time.

    A participant of another site answers as one that does not exist: after the same time, with the same error.
    """
    if min_position is None:
        return
    loop = asyncio.get_running_loop()
    ends = loop.time() + context.services.times.read_wait
    position = Position.parse(min_position)
    if not await reached(context, position):
        raise not_yet_projected(min_position)
    subject_id = subject_of(position.stream)
    if subject_id is not None and not await visible(context, subject_id):
        await asyncio.sleep(max(0.0, ends - loop.time()))
        raise not_yet_projected(min_position)


async def visible(context: Context, subject_id: str) -> bool:
    """Whether the participant exists and belongs to a site of the caller."""
    read = await context.services.reader.subject(subject_id)
    return read is not None and may_see(context.actor, read.rows.subject.site_id)


def instant_argument(value: datetime | str | None, field: str) -> datetime | None:
    """An instant that a query was given; BAD_USER_INPUT when it cannot be read."""
    if value is None:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise bad_input(f"{field} {error}.", field=field, rule="RFC 3339") from None
