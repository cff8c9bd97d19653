"""Who asks: bearer tokens (RS256 or ES256), checked in full, and access withdrawn before a token's end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
from jwt.exceptions import ExpiredSignatureError, MissingRequiredClaimError, PyJWTError
from pydantic import ValidationError

from hepatrail_events.commands import Actor
from hepatrail_events.errors import HepatrailError, Unavailable
from hepatrail_events.roles import ALL_SITES
from hepatrail_graphql.keys import KeySet

ALGORITHMS = ("RS256", "ES256")
FRESH_SECONDS = 10.0
"""How long the list of withdrawn access is used before it is read again."""
STALE_SECONDS = 45.0
"""How old the list may become while Postgres is away; then nobody is let in, so that 60 s (ACC-04) hold."""

_REQUIRED = ["exp", "iss", "aud", "sub", "jti", "role", "org", "sites"]


class Refused(HepatrailError):
    """The token is not accepted; the message says why and never quotes it."""

    def __init__(self, message: str, *, field: str, subject: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or component behind a valid token; `expires` is its end in seconds since 1970, UTC."""

    actor: Actor
    jti: str
    expires: float


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Access that ended before its token: subjects of tokens, and single tokens (ACC-04)."""

    subjects: frozenset[str] = field(default_factory=frozenset)
    tokens: frozenset[str] = field(default_factory=frozenset)

    def includes(self, principal: Principal) -> bool:
        """Whether this person or token lost access."""
        return principal.actor.id in self.subjects or principal.jti in self.tokens


class Authenticates(Protocol):
    """The port to whoever knows who asks."""

    async def authenticate(self, token: str) -> Principal:
        """The person behind a token; Refused, or Unavailable when that cannot be told for now."""
        ...

    async def check(self, principal: Principal) -> None:
        """Whether a person let in earlier still is: Refused after the token's end or a withdrawal; Unavailable."""
        ...


class Authenticator:
    """Checks tokens against a key set and the withdrawals on the study's projection."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        withdrawn: Callable[[], Awaitable[Withdrawn]],
        fresh_seconds: float = FRESH_SECONDS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._read_withdrawn = withdrawn
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._withdrawn = Withdrawn()
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def authenticate(self, token: str) -> Principal:
        """The person behind a token; Refused names the claim at fault, Unavailable when it cannot be told."""
        claims = await self._claims(token)
        principal = _principal(claims)
        await self.check(principal)
        return principal

    async def check(self, principal: Principal) -> None:
        """Refused when the token has ended or access was withdrawn; Unavailable when that cannot be told."""
        if principal.expires <= time.time():
            raise Refused("The token has expired.", field="exp", subject=principal.actor.id)
        if (await self._current()).includes(principal):
            raise Refused("Access was withdrawn.", field="sub", subject=principal.actor.id)

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError:
            raise Refused("The bearer token is no JSON Web Token.", field="token") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise Refused("The token must be signed with RS256 or ES256.", field="alg")
        key = await self._keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise Refused("The token's key is not in the key set.", field="kid")
        if key.algorithm_name != algorithm:
            raise Refused("The token's algorithm is not that of its key.", field="alg")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": _REQUIRED, "strict_aud": True},
            )
        except MissingRequiredClaimError as error:
            raise Refused(f"The token lacks the claim {error.claim}.", field=error.claim) from None
        except ExpiredSignatureError:
            raise Refused("The token has expired.", field="exp") from None
        except PyJWTError as error:
            raise Refused("The token is not valid here.", field=_CLAIM.get(type(error).__name__, "signature")) from None
        return claims

    async def _current(self) -> Withdrawn:
        now = asyncio.get_running_loop().time()
        if now - self._read_at <= self._fresh_seconds:
            return self._withdrawn
        async with self._lock:
            if now - self._read_at > self._fresh_seconds:
                await self._reread(now)
        return self._withdrawn

    async def _reread(self, now: float) -> None:
        try:
            self._withdrawn = await self._read_withdrawn()
        except Unavailable:
            if now - self._read_at > self._stale_seconds:
                raise
            return
        self._read_at = now


_CLAIM = {
    "InvalidAudienceError": "aud",
    "InvalidIssuerError": "iss",
    "ImmatureSignatureError": "nbf",
    "InvalidIssuedAtError": "iat",
    "InvalidSubjectError": "sub",
    "InvalidJTIError": "jti",
}


def bearer(header: str | None) -> str:
    """The token of an Authorization header; Refused when there is none."""
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("An Authorization header of the form `Bearer <token>` is needed.", field="token")
    return token.strip()


def _principal(claims: Mapping[str, Any]) -> Principal:
    sites, subject = claims["sites"], str(claims["sub"])
    if sites == ALL_SITES:
        sites = [ALL_SITES]
    if not isinstance(sites, list) or not all(isinstance(site, str) for site in sites):
        raise Refused("The claim sites must be a list of site ids.", field="sites", subject=subject)
    try:
        actor = Actor.model_validate(
            {"id": subject, "role": claims["role"], "org": claims["org"], "sites": tuple(sites)}, strict=False
        )
    except ValidationError as error:
        claim = {"id": "sub"}.get(first := str(error.errors()[0]["loc"][0]), first)
        raise Refused(f"The claim {claim} is not valid.", field=claim, subject=subject) from None
    return Principal(actor, str(claims["jti"]), float(claims["exp"]))
