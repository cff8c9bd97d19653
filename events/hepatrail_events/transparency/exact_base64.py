"""Base64 (RFC 4648 section 4) in its one canonical form, so that no character of a signed text can change unseen."""

import base64


def encode(raw: bytes) -> str:
    """The text of some bytes."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a text; ValueError unless it is exactly what `encode` makes of them.

    Python's own decoder passes over bits behind the last byte and over padding that is not needed.
    """
    raw = base64.b64decode(text, validate=True)
    if encode(raw) != text:
        raise ValueError("base64 that is not in canonical form")
    return raw
