"""The key set (JWKS, RFC 7517) that signs tokens: from a file or an https address, cached, read again for a new kid."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from hepatrail_events.errors import StartRefused, Unavailable

CACHE_SECONDS = 300.0
"""After how long a key that the identity provider took back is no longer accepted."""
RETRY_SECONDS = 10.0
"""At most one reading in this time, however many tokens name an unknown key."""

_ASYMMETRIC = frozenset({"RSA", "EC"})
Load = Callable[[], Awaitable[Mapping[str, Any]]]


class KeySet:
    """Public keys by kid. `load` fetches the document; symmetric keys in it are ignored."""

    def __init__(
        self, load: Load, *, cache_seconds: float = CACHE_SECONDS, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._load = load
        self._cache_seconds = cache_seconds
        self._retry_seconds = retry_seconds
        self._keys: dict[str, PyJWK] = {}
        self._read_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> PyJWK | None:
        """The key of this id, None when the set has none; Unavailable while no set could be read at all."""
        if kid not in self._keys or self._older_than(self._read_at, self._cache_seconds):
            async with self._lock:
                await self._refresh(kid)
        return self._keys.get(kid)

    async def _refresh(self, kid: str) -> None:
        stale = self._older_than(self._read_at, self._cache_seconds)
        if (kid in self._keys and not stale) or not self._older_than(self._tried_at, self._retry_seconds):
            return
        self._tried_at = asyncio.get_running_loop().time()
        try:
            self._keys = _public_keys(await self._load())
        except Unavailable:
            # Known keys stay good while the identity provider is away; without any nobody can be let in.
            if not self._keys:
                raise
            return
        self._read_at = self._tried_at

    def _older_than(self, instant: float, seconds: float) -> bool:
        return asyncio.get_running_loop().time() - instant > seconds


def key_set(place: str) -> KeySet:
    """The key set at a path or an https address; StartRefused for any other kind of address."""
    if "://" not in place:
        return KeySet(lambda: _from_file(Path(place)))
    if not place.startswith("https://"):
        raise StartRefused("HEPATRAIL_JWKS must be a path or an https address.")
    return KeySet(lambda: _from_address(place))


async def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        text = await asyncio.to_thread(path.read_text)
    except OSError as error:
        raise Unavailable(f"the key set {path} cannot be read: {error.strerror}") from error
    return _document(text)


async def _from_address(address: str) -> Mapping[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=5.0) as client:
            answer = await client.get(address)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"the key set cannot be fetched: {type(error).__name__}") from error
    return _document(answer.text)


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Unavailable("the key set is no JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise Unavailable("the key set has no list of keys")
    return document


def _public_keys(document: Mapping[str, Any]) -> dict[str, PyJWK]:
    found: dict[str, PyJWK] = {}
    for entry in document["keys"]:
        if not isinstance(entry, dict) or entry.get("kty") not in _ASYMMETRIC or not isinstance(entry.get("kid"), str):
            continue
        try:
            found[entry["kid"]] = PyJWK(entry)
        except PyJWTError:
            continue  # a key of a kind that is unknown here; the others stay usable
    return found
