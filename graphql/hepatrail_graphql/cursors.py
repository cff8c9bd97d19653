"""Cursors: places in a stream or in an order, as text that never expires."""

from datetime import datetime

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.streams import SAFETY_DESK, Position, is_stream
from hepatrail_events.types import format_instant, parse_instant
from hepatrail_graphql.errors import CallerError, bad_input
from hepatrail_projections.event import EventRow


def desk_cursor(streamseq: int) -> str:
    """The place of an event of the safety desk; also a Position."""
    return str(Position(SAFETY_DESK, streamseq))


def read_desk_cursor(text: str) -> int:
    """The desk's streamseq in a cursor; BAD_USER_INPUT when it is none."""
    try:
        position = Position.parse(text)
    except InvalidEnvelope:
        raise _no_cursor() from None
    if position.stream != SAFETY_DESK:
        raise _no_cursor()
    return position.version


def event_cursor(row: EventRow) -> str:
    """The place of an event in the order (recordedAt, stream, streamseq)."""
    return f"{format_instant(row.recorded_at)}/{Position(row.stream, row.streamseq)}"


def read_event_cursor(text: str) -> tuple[datetime, str, int]:
    """The place in a cursor of `events`; BAD_USER_INPUT when it is none."""
    recorded_at, _, place = text.partition("/")
    stream, _, streamseq = place.rpartition("@")
    if not is_stream(stream) or not streamseq.isascii() or not streamseq.isdigit() or len(streamseq) > 15:
        raise _no_cursor()
    try:
        return parse_instant(recorded_at), stream, int(streamseq)
    except ValueError:
        raise _no_cursor() from None


def _no_cursor() -> CallerError:
    return bad_input("after is no cursor of this list.", field="after", rule="cursor")
