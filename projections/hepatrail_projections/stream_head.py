"""`stream_head`: the end of each stream as projected."""

from dataclasses import dataclass
from typing import Final

from hepatrail_events.codec import Link, Recorded, parse_object
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import InvalidMessage
from hepatrail_projections.table import Connection, Table


@dataclass(frozen=True, slots=True)
class StreamHeadRow:
    """The last event of a stream: its streamseq and hash.

    `other_version` and `other_hash` are a second end that the next event may follow: after an unreadable record was
    released, nobody can know whether its writer had counted it.
    """

    stream: str
    version: int
    hash: str
    other_version: int | None = None
    other_hash: str | None = None

    @property
    def link(self) -> Link:
        """The end of the chain."""
        return Link(self.version, self.hash)

    @property
    def other_end(self) -> Link | None:
        """The second end, when there is one."""
        if self.other_version is None or self.other_hash is None:
            return None
        return Link(self.other_version, self.other_hash)


GENESIS_LINK: Final = Link()
"""The end of a stream of which nothing is known."""

STREAM_HEAD = Table("stream_head", StreamHeadRow, ("stream",))


async def version_of(connection: Connection, stream: str) -> int:
    """How far a stream is projected; 0 when nothing of it is."""
    found = await connection.fetchval("SELECT version FROM stream_head WHERE stream = $1", stream)
    return 0 if found is None else int(found)


def next_link(head: StreamHeadRow | None, recorded: Recorded) -> Link:
    """The end of the chain after an event; StreamGap or BrokenChain when it follows neither end of its stream."""
    if head is None:
        return GENESIS_LINK.follow(recorded)
    try:
        return head.link.follow(recorded)
    except InvalidMessage:
        if head.other_end is None:
            raise
        return head.other_end.follow(recorded)


def follows_other(head: StreamHeadRow, recorded: Recorded) -> bool:
    """Whether the event takes the place of a released one that its writer had not counted."""
    other, envelope = head.other_end, recorded.envelope
    return other is not None and (envelope.streamseq, envelope.prevhash) == (other.streamseq + 1, other.hash)


def stands_in_chain(stream: str, link: Link, raw: bytes) -> bool:
    """Whether bytes that cannot be read as an event say in their envelope that they follow this end of the stream."""
    try:
        envelope = Envelope.from_json(parse_object(raw))
    except InvalidMessage:
        return False
    return (envelope.stream, envelope.streamseq, envelope.prevhash) == (stream, link.streamseq + 1, link.hash)
