"""`stream_head`: the end of each stream as projected."""

from dataclasses import dataclass

from hepatrail_events.codec import Link
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


STREAM_HEAD = Table("stream_head", StreamHeadRow, ("stream",))


async def version_of(connection: Connection, stream: str) -> int:
    """How far a stream is projected; 0 when nothing of it is."""
    found = await connection.fetchval("SELECT version FROM stream_head WHERE stream = $1", stream)
    return 0 if found is None else int(found)
