"""The embedded stack signs its own tokens; a production stack takes those of the operator's identity provider."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.errors import StartRefused
from hepatrail_events.roles import Role
from hepatrail_infra.embedded.instance import replace_text

ALGORITHM = "RS256"
KEY_FILE = "token-signing-key.pem"
JWKS_FILE = "jwks.json"
DEFAULT_TTL = timedelta(hours=24)
_BITS = 2048


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Signs bearer tokens with the claims that the API checks: iss, aud, sub, role, org, sites, iat, exp, jti."""

    _key: rsa.RSAPrivateKey
    issuer: str
    audience: str

    @classmethod
    def load_or_create(cls, data_dir: Path, issuer: str, audience: str) -> Self:
        """The signer of a data directory; its key is made once (mode 0600) and its key set written beside it."""
        file = data_dir / KEY_FILE
        if not file.exists():
            fresh = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)
            replace_text(file, _pem(fresh), 0o600)
        signer = cls.load(data_dir, issuer, audience)
        replace_text(data_dir / JWKS_FILE, json.dumps(signer.jwks()))
        return signer

    @classmethod
    def load(cls, data_dir: Path, issuer: str, audience: str) -> Self:
        """The signer of a data directory; StartRefused when it has no usable key, or one that others may read."""
        file = data_dir / KEY_FILE
        try:
            if file.stat().st_mode & 0o077:
                raise StartRefused(f"The signing key {file} is open to others; set its mode to 0600.")
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except OSError as error:
            raise StartRefused(f"The signing key {file} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise StartRefused(f"The signing key {file} is damaged.") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise StartRefused(f"The signing key {file} is no RSA key.")
        return cls(key, issuer, audience)

    def sign(self, actor_id: str, role: Role, org: str, sites: Iterable[str] = (), ttl: timedelta = DEFAULT_TTL) -> str:
        """A token for one person. Its life counts on the system's clock, also where the study's is simulated."""
        now = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": actor_id,
            "role": role.value,
            "org": org,
            "sites": list(sites),
            "iat": now,
            "exp": now + ttl,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})

    @property
    def kid(self) -> str:
        """The key's id: a hash of its public half."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return sha256_hex(public)[:16]

    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517) with the public half only."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self.kid, "use": "sig", "alg": ALGORITHM}]}


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
