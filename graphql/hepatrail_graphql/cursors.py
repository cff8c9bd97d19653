"""Cursors: places in a stream or in an order, as text that never expires."""

from datetime import datetime

from hepatrail_events.errors import InvalidEnvelope
from hepatrail_events.streams import SAFETY_DESK, Position, is_stream
from hepatrail_events.types import format_instant, parse_instant
from hepatrail_graphql.errors import CallerError, bad_input
from hepatrail_projections.decision import DecisionRow
from hepatrail_projections.event import EventRow
from hepatrail_projections.trail.row import TrailPlace


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
    if not is_stream(stream):
        raise _no_cursor()
    return _instant(recorded_at), stream, _number(streamseq)


def trail_cursor(place: TrailPlace) -> str:
    """The place of a row of the trail: that of its event, and its number among the event's rows."""
    return f"{format_instant(place.recorded_at)}/{Position(place.stream, place.streamseq)}#{place.row}"


def read_trail_cursor(text: str) -> TrailPlace:
    """The place in a cursor of `auditTrail`; BAD_USER_INPUT when it is none."""
    event, _, row = text.rpartition("#")
    return TrailPlace(*read_event_cursor(event), _number(row))


def rejected_cursor(row: DecisionRow) -> str:
    """The place of a decision in the order (recordedAt, partition, offset)."""
    return f"{format_instant(row.recorded_at)}/{row.partition}@{row.kafka_offset}"


def read_rejected_cursor(text: str) -> tuple[datetime, int, int]:
    """The place in a cursor of `rejectedCommands`; BAD_USER_INPUT when it is none."""
    recorded_at, _, place = text.partition("/")
    partition, _, offset = place.partition("@")
    return _instant(recorded_at), _number(partition), _number(offset)


def number_cursor(number: int) -> str:
    """The place in a list that is numbered: an offset of the access log, a seal."""
    return str(number)


def read_number_cursor(text: str) -> int:
    """The number in such a cursor; BAD_USER_INPUT when it is none."""
    return _number(text)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise _no_cursor() from None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise _no_cursor()
    return int(text)


def _no_cursor() -> CallerError:
    return bad_input("after is no cursor of this list.", field="after", rule="cursor")
