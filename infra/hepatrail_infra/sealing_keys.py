"""Sealing and opening with a key in hand: AES-256-SIV (RFC 5297), pure and deterministic.

Associated data are kid, command id and path, so that a text moved to another field, command or subject does
not open.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hepatrail_events.errors import CommandRejected, InvalidMessage, Unavailable
from hepatrail_events.ids import derived_id
from hepatrail_events.types import SealedText


class Unreadable(Enum):
    """Why a sealed text has no clear text any more."""

    ERASED = "ERASED"
    """The vault holds a tombstone: the key was destroyed on purpose."""
    KEY_MISSING = "KEY_MISSING"
    """The vault holds neither key nor tombstone: something was lost."""


ERASED = Unreadable.ERASED
KEY_MISSING = Unreadable.KEY_MISSING


class KeyDestroyed(CommandRejected):
    """The subject's key was destroyed: no text can be written any more."""

    def __init__(self) -> None:
        super().__init__(
            "The participant's text was erased for good; no further text can be recorded.",
            rule="PRV-05",
            code="KEY_DESTROYED",
        )


class KeyMissing(Unavailable):
    """The vault holds neither the key nor a tombstone for it; a restore of a backup may bring it back."""


class SealBroken(InvalidMessage):
    """The text was altered, or moved from another field, command or subject."""

    code = "SEAL_BROKEN"


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The key of one subject: 64 bytes, the two halves of AES-256-SIV."""

    kid: str
    key: bytes = field(repr=False)


def kid_of(subject_id: str) -> str:
    """The id of a subject's key; known without the vault."""
    return str(derived_id(subject_id, "key"))


def seal(key: SubjectKey, cid: UUID | str, path: str, text: str) -> SealedText:
    """The sealed text of field `path` of command `cid`; the same input gives the same bytes."""
    cipher = AESSIV(key.key).encrypt(text.encode(), _associated(key.kid, str(cid), path))
    return SealedText(kid=key.kid, cid=str(cid), path=path, ct=base64.b64encode(cipher).decode("ascii"))


def open_with(key: SubjectKey, sealed: SealedText) -> str:
    """The clear text; SealBroken when it was not sealed by this key for this field of this command."""
    try:
        cipher = base64.b64decode(sealed.ct, validate=True)
        return AESSIV(key.key).decrypt(cipher, _associated(sealed.kid, sealed.cid, sealed.path)).decode()
    except (InvalidTag, binascii.Error, UnicodeDecodeError):
        raise SealBroken(f"the sealed text of {sealed.path} in command {sealed.cid} does not open") from None


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys fetched beforehand, so that the many texts of an answer open without asking the vault each time."""

    keys: Mapping[str, SubjectKey | Unreadable]

    def open(self, sealed: SealedText) -> str | Unreadable:
        """The clear text, or why there is none; KeyError when the key was not fetched."""
        key = self.keys[sealed.kid]
        return key if isinstance(key, Unreadable) else open_with(key, sealed)


def _associated(kid: str, cid: str, path: str) -> list[bytes]:
    return [kid.encode(), cid.encode(), path.encode()]
