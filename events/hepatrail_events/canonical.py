"""Canonical JSON (RFC 8785) for values without floats, and the hash over it.

Restricting values to strings, booleans, null and integers below 2^53, with ASCII keys, makes `orjson` with
sorted keys write the very bytes of RFC 8785; `tests/events/test_canonical.py` holds it to the `rfc8785` package.
"""

import hashlib
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value; ValueError for floats, non-ASCII keys, unsafe integers, lone surrogates."""
    _check(value)
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ValueError(f"not canonical JSON: {error}") from error


def sha256_hex(raw: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise ValueError(f"key {key!r} is not ASCII text")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, float):
        raise ValueError("floats are not exact: write a decimal as text")
