"""The end of one stream while a verifier follows it."""

from typing import Final

from hepatrail_events.envelope import GENESIS, Envelope
from hepatrail_events.types import format_instant
from hepatrail_services.audit.strict_reading import Fault

End = tuple[int, str]
"""A streamseq and the hash of that event's bytes."""

UNKNOWN: Final = -1
"""For `due`: after what could not be read, any index of a commit may come."""

_FORKED: Final = "\ud800"
"""A lone surrogate, which no decoded text can be: nothing matches it while there are two ends."""


class StreamHead:
    """A stream as far as it was followed.

    `seq` and `hash` are its end, `at` the last recordedat; `commit`, `size` and `due` say that index `due` of the
    commit comes next (0: a new commit), `offset` where the last event of an unfinished commit stands, `first` is the
    first recordedat. The events checker writes these fields itself where an event follows as it should. `ends` holds
    both ends while the next event may follow either.
    """

    __slots__ = ("at", "commit", "due", "ends", "first", "hash", "name", "offset", "seq", "size")

    def __init__(self, name: str) -> None:
        self.name = name
        self.seq = 0
        self.hash = GENESIS
        self.at = ""
        self.first = ""
        self.commit = ""
        self.size = 0
        self.due = 0
        self.offset = 0
        self.ends: tuple[End, End] | None = None

    @property
    def end(self) -> End:
        """The last streamseq and hash."""
        return (self.seq, self.hash) if self.ends is None else self.ends[0]

    def follow(self, envelope: Envelope, digest: str, offset: int) -> Fault | None:
        """Goes on to this event, whether it follows or not; the first reason why it does not."""
        before = self.end
        fault = self._not_linked(envelope, before)
        doubled = fault is not None and fault.code == "DOUBLED"
        fault = fault or self._not_in_commit(envelope) or self._back_in_time(envelope)
        self._move((envelope.streamseq, digest), before if doubled else None)
        self.at = format_instant(envelope.recordedat)
        self.first = self.first or self.at
        self.commit, self.size, self.offset = str(envelope.commitid), envelope.commitsize, offset
        following = envelope.commitindex + 1
        self.due = following if following < envelope.commitsize else 0
        return fault

    def pass_unreadable(self, digest: str) -> None:
        """Goes past a record that cannot be read: its writer has counted it, or somebody has put it there."""
        seq, before = self.end
        self._move((seq + 1, digest), (seq, before))
        self.due = UNKNOWN

    def pass_released(self, envelope: Envelope | None, digest: str) -> None:
        """Goes past a released record, as deciders do: one that stands in the chain was counted, any other was not."""
        seq, before = self.end
        stands = envelope is not None and (envelope.stream, envelope.streamseq - 1, envelope.prevhash) == (
            self.name,
            seq,
            before,
        )
        skipped, link = (seq + 1, digest), (seq, before)
        self._move(*((skipped, link) if stands else (link, skipped)))
        self.due = UNKNOWN

    def _move(self, end: End, other: End | None) -> None:
        self.ends = None if other is None else (end, other)
        self.seq, self.hash = end if other is None else (end[0], _FORKED)

    def _not_linked(self, envelope: Envelope, end: End) -> Fault | None:
        ends = self.ends or (end,)
        if (envelope.streamseq - 1, envelope.prevhash) in ends:
            return None
        reached = [seq for seq, _ in ends]
        if envelope.streamseq - 1 in reached:
            return Fault("BROKEN_CHAIN", "prevhash is not the hash of the event before")
        if envelope.streamseq <= max(reached):
            return Fault("DOUBLED", f"streamseq {envelope.streamseq} came a second time, {end[0] + 1} was due")
        return Fault("STREAM_GAP", f"streamseq {envelope.streamseq} came where {end[0] + 1} was due")

    def _not_in_commit(self, envelope: Envelope) -> Fault | None:
        commit, index, size = str(envelope.commitid), envelope.commitindex, envelope.commitsize
        if index >= size:
            return Fault("COMMIT_INCOMPLETE", f"index {index} in a commit of {size}")
        if self.due == UNKNOWN:
            return None
        same = commit == self.commit and size == self.size
        if index != self.due or (index > 0 and not same) or (index == 0 and commit == self.commit):
            due = "a new commit" if self.due == 0 else f"index {self.due} of {self.size} of commit {self.commit}"
            return Fault("COMMIT_INCOMPLETE", f"index {index} of {size} of commit {commit} came where {due} was due")
        return None

    def _back_in_time(self, envelope: Envelope) -> Fault | None:
        at = format_instant(envelope.recordedat)
        return Fault("TIME_BACKWARDS", f"recordedat {at} comes after {self.at}") if at < self.at else None
