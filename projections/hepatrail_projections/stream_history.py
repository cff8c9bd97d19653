"""A stream's events straight from its records, for those who ask the log and not the tables: pure."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.codec import Link, Recorded, read
from hepatrail_events.errors import BrokenChain, InvalidEnvelope, InvalidMessage
from hepatrail_infra.kafka_quarantine import Place


@dataclass(frozen=True, slots=True)
class StreamHistory:
    """A stream's events in order, as far as they continue each other; `stopped` says where and why no further."""

    events: tuple[Recorded, ...]
    stopped: str | None = None


def stream_history(
    stream: str, records: Iterable[tuple[Place, bytes]], released: Container[Place], until: datetime
) -> StreamHistory:
    """The events recorded until an instant (aware, inclusive), from the records under the stream's key, in order.

    As every projector reads them: released records are passed over, and the next event may follow the one before or
    the released one; what comes twice counts once; a record that does not continue the stream ends it.
    """
    ends, seen, found = [Link()], set[str](), list[Recorded]()
    for place, raw in records:
        if place in released:
            ends += [Link(end.streamseq + 1, sha256_hex(raw)) for end in ends]
            continue
        try:
            recorded = read(raw)
            if recorded.envelope.stream != stream:
                raise InvalidEnvelope(f"the subject is {recorded.envelope.stream[:80]}")
            if recorded.envelope.recordedat > until:
                break
            if recorded.hash in seen:
                continue
            ends = [_next(ends, recorded)]
        except InvalidMessage as error:
            stopped = f"{stream} stops at {place.topic}/{place.partition}@{place.offset}: {error}"
            return StreamHistory(tuple(found), stopped)
        seen.add(recorded.hash)
        found.append(recorded)
    return StreamHistory(tuple(found))


def _next(ends: Iterable[Link], recorded: Recorded) -> Link:
    for end in ends:
        try:
            return end.follow(recorded)
        except InvalidMessage:
            continue
    raise BrokenChain(f"{recorded.envelope.stream}@{recorded.envelope.streamseq} does not follow what stands before it")
