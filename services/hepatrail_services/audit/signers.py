"""Which key signs the next seal.

A seal may be signed by the last key that the seal before covers, or by the last one that it covers itself; a key's
event is covered when its leaf is within the sealed size of the study's partition. So a new key is introduced by a seal
of the old one, and the old one has said its last word with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hepatrail_events.transparency.note import SigningKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of ours that may sign the next seal; `rotates` when that seal introduces the key after it."""

    key: SigningKey
    rotates: bool


@dataclass(slots=True)
class Published:
    """The public keys that the study has published: leaf index of the event, 32 bytes; oldest first."""

    keys: list[tuple[int, bytes]] = field(default_factory=list)

    def last_within(self, size: int) -> bytes | None:
        """The last key that is covered by a tree of this size; None when there is none."""
        return next((public for index, public in reversed(self.keys) if index < size), None)

    def has(self, public: bytes) -> bool:
        """Whether the study has ever had this key."""
        return any(known == public for _, known in self.keys)


def choose_signer(own: Mapping[bytes, SigningKey], before: bytes | None, now: bytes | None) -> Signer | None:
    """Who signs: `before` is the last key that the last seal covers (None: no seal), `now` the last one by now.

    `own` are our keys by their public halves; None when neither is ours.
    """
    if before is not None and before in own:
        return Signer(own[before], rotates=now != before)
    return Signer(own[now], rotates=False) if now is not None and now in own else None
