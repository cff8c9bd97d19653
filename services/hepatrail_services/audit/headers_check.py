"""The headers of events, which readers use to place a record without reading it, held to what the value says."""

from collections.abc import Iterator, Sequence

from hepatrail_events.codec import parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidMessage
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.audit.problems import Problem
from hepatrail_services.audit.source import HeaderRow

_OURS = ("ce_", "content-type")


def wrong_headers(partition: int, rows: Sequence[HeaderRow]) -> Iterator[Problem]:
    """One problem for each event whose `ce_*` headers are not those of its envelope; unreadable ones are no matter."""
    for offset, _, value, headers in rows:
        try:
            envelope = Envelope.from_json(parse_object(value or b""))
        except InvalidMessage:
            continue
        due = envelope.headers()
        found = [(name, content) for name, content in headers if name.startswith(_OURS)]
        if sorted(found) != sorted(due):
            names = sorted({name for name, _ in set(due) ^ set(found)}) or sorted(name for name, _ in found)
            message = f"{', '.join(names)} is not what the event says"
            yield Problem("WRONG_HEADER", EVENTS, partition, offset, envelope.stream, envelope.streamseq, message)
