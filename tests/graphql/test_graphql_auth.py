"""Tokens: RS256 and ES256, exact issuer and audience, every claim, and access withdrawn before a token's end."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hepatrail_events.errors import StartRefused, Unavailable
from hepatrail_events.roles import Role
from hepatrail_graphql.auth import Authenticator, Principal, Refused, Withdrawn, bearer
from hepatrail_graphql.keys import KeySet, key_set

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def document() -> dict[str, Any]:
    return {
        "keys": [
            {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa", "alg": "RS256"},
            {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "alg": "ES256"},
            {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(b"k" * 32).decode(), "alg": "HS256"},
        ]
    }


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "iss": "hepatrail-embedded",
        "aud": "hepatrail",
        "sub": "dr-li",
        "role": "INVESTIGATOR",
        "org": "BFH",
        "sites": ["BFH"],
        "jti": "token-1",
        "exp": datetime.now(UTC) + timedelta(hours=1),
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def token(kid: str = "rsa", key: Any = RSA_KEY, algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid})


class Withdrawals:
    def __init__(self) -> None:
        self.now = Withdrawn()
        self.away = False

    async def __call__(self) -> Withdrawn:
        if self.away:
            raise Unavailable("Postgres is away")
        return self.now


async def load() -> dict[str, Any]:
    return document()


def authenticator(withdrawn: Withdrawals | None = None, **options: float) -> Authenticator:
    return Authenticator(
        KeySet(load),
        issuer="hepatrail-embedded",
        audience="hepatrail",
        withdrawn=withdrawn or Withdrawals(),
        **options,
    )


@pytest.mark.parametrize("signed", [lambda: token(), lambda: token("ec", EC_KEY, "ES256")], ids=["RS256", "ES256"])
async def test_a_valid_token_names_its_person(signed: Any) -> None:
    principal = await authenticator().authenticate(signed())
    assert (principal.actor.id, principal.actor.role, principal.actor.org) == ("dr-li", Role.INVESTIGATOR, "BFH")
    assert principal.actor.sites == ("BFH",)
    assert principal.jti == "token-1"


async def test_the_claim_sites_may_name_all_sites() -> None:
    principal = await authenticator().authenticate(token(sites="*"))
    assert principal.actor.may_see("anywhere")


def unsigned() -> str:
    return jwt.encode(claims(), "", algorithm="none", headers={"kid": "rsa"})


def confused() -> str:
    """The public key's own bytes taken for a shared secret."""
    body = claims()
    body["exp"] = int(body["exp"].timestamp())
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "kid": "rsa"}, body)
    ]
    return ".".join([*parts, "c2lnbmF0dXJl"])


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (unsigned, "alg"),
        (confused, "alg"),
        (lambda: token("oct", "k" * 32, "HS256"), "alg"),
        (lambda: token("rsa", EC_KEY, "ES256"), "alg"),
        (lambda: token("other"), "kid"),
        (lambda: jwt.encode(claims(), RSA_KEY, algorithm="RS256"), "kid"),
        (lambda: token(key=STRANGER), "signature"),
        (lambda: token()[:-6] + "AAAAAA", "signature"),
        (lambda: token(aud="somebody-else"), "aud"),
        (lambda: token(aud=["hepatrail", "other"]), "aud"),
        (lambda: token(aud=None), "aud"),
        (lambda: token(iss="hepatrail-embedded/"), "iss"),
        (lambda: token(iss=None), "iss"),
        (lambda: token(exp=datetime.now(UTC) - timedelta(seconds=1)), "exp"),
        (lambda: token(exp=None), "exp"),
        (lambda: token(nbf=datetime.now(UTC) + timedelta(minutes=5)), "nbf"),
        (lambda: token(sub=None), "sub"),
        (lambda: token(sub=""), "sub"),
        (lambda: token(jti=None), "jti"),
        (lambda: token(role=None), "role"),
        (lambda: token(role="SUPERUSER"), "role"),
        (lambda: token(org=None), "org"),
        (lambda: token(sites=None), "sites"),
        (lambda: token(sites="BFH"), "sites"),
        (lambda: token(sites=[1]), "sites"),
        (lambda: "no.token", "token"),
    ],
)
async def test_a_token_that_is_not_valid_here_is_refused_and_named(bad: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        await authenticator().authenticate(bad())
    assert refused.value.field == field
    assert "eyJ" not in refused.value.message


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic ZHI6cGFzcw==", "token"])
def test_a_request_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(Refused):
        bearer(header)


def test_the_scheme_is_read_in_any_case() -> None:
    assert bearer("bEARER  abc ") == "abc"


async def test_withdrawn_access_refuses_the_person_and_the_single_token() -> None:
    withdrawn = Withdrawals()
    gate = authenticator(withdrawn, fresh_seconds=0.0)
    principal = await gate.authenticate(token())
    await gate.check(principal)
    withdrawn.now = Withdrawn(subjects=frozenset({"dr-li"}))
    with pytest.raises(Refused, match="withdrawn"):
        await gate.check(principal)
    withdrawn.now = Withdrawn(tokens=frozenset({"token-1"}))
    with pytest.raises(Refused, match="withdrawn"):
        await gate.authenticate(token())
    assert (await gate.authenticate(token(jti="token-2"))).jti == "token-2"


async def test_the_list_of_withdrawals_outlives_a_short_outage_and_nobody_enters_after_a_long_one() -> None:
    withdrawn = Withdrawals()
    gate = authenticator(withdrawn, fresh_seconds=0.0, stale_seconds=30.0)
    await gate.authenticate(token())
    withdrawn.away = True
    assert (await gate.authenticate(token())).actor.id == "dr-li"
    strict = authenticator(withdrawn, fresh_seconds=0.0, stale_seconds=0.0)
    with pytest.raises(Unavailable):
        await strict.authenticate(token())


async def test_a_token_ends_while_its_user_is_connected() -> None:
    gate = authenticator()
    principal = await gate.authenticate(token())
    ended = Principal(principal.actor, principal.jti, datetime.now(UTC).timestamp() - 1)
    with pytest.raises(Refused, match="expired"):
        await gate.check(ended)


async def test_a_new_key_is_found_and_unknown_keys_do_not_make_the_set_be_read_again_and_again() -> None:
    readings: list[int] = []
    keys: list[dict[str, Any]] = document()["keys"][:1]

    async def reading() -> dict[str, Any]:
        readings.append(1)
        return {"keys": keys}

    found = KeySet(reading, retry_seconds=0.0)
    assert await found.find("rsa") is not None
    assert await found.find("ec") is None
    keys.append(document()["keys"][1])
    assert await found.find("ec") is not None

    readings.clear()
    patient = KeySet(reading, retry_seconds=60.0)
    for kid in ("rsa", "a", "b", "c"):
        await patient.find(kid)
    assert len(readings) == 1


async def test_known_keys_stay_good_while_the_identity_provider_is_away() -> None:
    away = False

    async def reading() -> dict[str, Any]:
        if away:
            raise Unavailable("no answer")
        return document()

    found = KeySet(reading, cache_seconds=0.0, retry_seconds=0.0)
    assert await found.find("rsa") is not None
    away = True
    assert await found.find("rsa") is not None
    with pytest.raises(Unavailable):
        await KeySet(reading).find("rsa")


async def test_a_key_set_comes_from_a_file_or_an_https_address_only(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    with pytest.raises(Unavailable):
        await key_set(str(file)).find("rsa")
    file.write_text(json.dumps(document()))
    assert await key_set(str(file)).find("rsa") is not None
    assert await key_set(str(file)).find("oct") is None
    with pytest.raises(StartRefused):
        key_set("http://identity.example/jwks.json")
