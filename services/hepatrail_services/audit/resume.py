"""What a seal's record says beside the seal, so that the next start need not read the whole log: hints, never trusted.

They are a Kafka header, which nobody signs. A frontier counts only when its root is the signed one, and a place only
when the record that stands there has the hash that is named; else the partition is read from its beginning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.errors import NotJson
from hepatrail_events.transparency.checkpoint import TREES, Checkpoint
from hepatrail_events.transparency.merkle import Frontier

RESUME: Final = "resume"
"""The header's name."""
_HASH: Final = 32


@dataclass(frozen=True, slots=True)
class Resume:
    """Where everything was read to when the seal was made.

    `access` is the next offset of the access log, `offsets` the next one of each partition: the last leaf stands just
    before it and has the hash in `last` (empty for a tree without leaves). `frontiers` are the hashes of `Frontier`,
    `history` those of the tree over all seals, this one included.
    """

    access: int
    offsets: tuple[int, ...]
    last: tuple[bytes, ...]
    frontiers: tuple[tuple[bytes, ...], ...]
    history: tuple[bytes, ...]

    def raw(self) -> bytes:
        """The header's value."""
        return canonical_json(
            {
                "access": self.access,
                "frontiers": [[each.hex() for each in hashes] for hashes in self.frontiers],
                "history": [each.hex() for each in self.history],
                "last": [each.hex() for each in self.last],
                "offsets": list(self.offsets),
            }
        )

    @classmethod
    def read(cls, raw: bytes | None) -> Self | None:
        """Reads the header's value; None for anything that is not of this form."""
        try:
            body = parse_object(raw or b"")
            resume = cls(
                access=_offset(body["access"]),
                offsets=tuple(_offset(each) for each in body["offsets"]),
                last=tuple(bytes.fromhex(each) for each in body["last"]),
                frontiers=tuple(_hashes(each) for each in body["frontiers"]),
                history=_hashes(body["history"]),
            )
        except (NotJson, KeyError, TypeError, ValueError):
            return None
        whole = {len(resume.offsets), len(resume.last), len(resume.frontiers)} == {TREES}
        return resume if whole and all(len(each) in (0, _HASH) for each in resume.last) else None

    def tree(self, partition: int, signed: Checkpoint) -> Frontier | None:
        """The partition's frontier, None unless it is that of the signed checkpoint."""
        if signed.size and not self.offsets[partition]:
            return None
        return frontier_of(self.frontiers[partition], signed)

    def seals(self, signed: Checkpoint) -> Frontier | None:
        """The frontier over all seals, None unless it is that of the signed history."""
        return frontier_of(self.history, signed)


def frontier_of(hashes: Iterable[bytes], signed: Checkpoint) -> Frontier | None:
    """The frontier with these hashes, None unless its size and root are the signed ones."""
    try:
        frontier = Frontier(signed.size, tuple(hashes))
    except ValueError:
        return None
    return frontier if frontier.root() == signed.root else None


def _offset(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(value)
    return value


def _hashes(values: Any) -> tuple[bytes, ...]:
    hashes = tuple(bytes.fromhex(each) for each in values)
    if any(len(each) != _HASH for each in hashes):
        raise ValueError(values)
    return hashes
