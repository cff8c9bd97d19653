"""Signed notes (C2SP signed-note): text, a blank line, signature lines; Ed25519 only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hepatrail_events.errors import BadSignature
from hepatrail_events.transparency.exact_base64 import decode, encode

_ED25519 = b"\x01"
_DASH = "\u2014 "
MAX_SIGNATURES = 64


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name; its text is `<name>+<key id in hex>+<base64 of 0x01 and the key>`."""

    name: str
    public: bytes

    def __str__(self) -> str:
        encoded = encode(_ED25519 + self.public)
        return f"{self.name}+{key_id(self.name, self.public).hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text of a key; BadSignature when it is none, or its id is not its own."""
        name, _, rest = text.strip().partition("+")
        claimed, _, encoded = rest.partition("+")
        try:
            raw = decode(encoded)
        except ValueError:
            raw = b""
        if not name or len(raw) != 33 or raw[:1] != _ED25519 or key_id(name, raw[1:]).hex() != claimed:
            raise BadSignature(f"{text[:80]!r} is no verifier key for Ed25519")
        return cls(name, raw[1:])

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether the key made this signature of the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key; it signs under any name."""

    seed: bytes = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public half."""
        return self._private.public_key().public_bytes_raw()

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, name: str, text: str) -> str:
        """The signed note of a text that ends in a newline; the same input gives the same bytes."""
        if not text.endswith("\n") or " " in name or "+" in name or not name:
            raise ValueError("a note's text ends in a newline, its key's name holds neither space nor plus")
        line = encode(key_id(name, self.public) + self._private.sign(text.encode()))
        return f"{text}\n{_DASH}{name} {line}\n"


def open_note(note: str, keys: Iterable[VerifierKey]) -> str:
    """The text of a note that one of the keys has signed; BadSignature when none has, or a known one did not."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n") or signatures.count("\n") > MAX_SIGNATURES:
        raise BadSignature("this is no signed note")
    text += "\n"
    known = {(key.name, key_id(key.name, key.public)): key for key in keys}
    verified = False
    for line in signatures.splitlines():
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            raw = decode(encoded)
        except ValueError:
            raw = b""
        if not line.startswith(_DASH) or not space or len(raw) < 5:
            raise BadSignature("a signature line is malformed")
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        if not key.verifies(text, raw[4:]):
            raise BadSignature(f"the signature of {name} is not its own")
        verified = True
    if not verified:
        raise BadSignature("no known key has signed this note")
    return text
