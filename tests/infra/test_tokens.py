from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.roles import Role
from hepatrail_infra.tokens import ALGORITHM, JWKS_FILE, KEY_FILE, TokenSigner


@pytest.fixture
def signer(tmp_path: Path) -> TokenSigner:
    return TokenSigner.load_or_create(tmp_path, "issuer", "audience")


def test_a_token_verifies_against_the_published_key_set(signer: TokenSigner, tmp_path: Path) -> None:
    token = signer.sign("inv-1", Role.INVESTIGATOR, "BFH", ["BFH", "S2"], timedelta(minutes=5))
    keys = jwt.PyJWKSet.from_json((tmp_path / JWKS_FILE).read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=[ALGORITHM], issuer="issuer", audience="audience")
    assert (claims["sub"], claims["role"], claims["org"], claims["sites"]) == (
        "inv-1",
        "INVESTIGATOR",
        "BFH",
        ["BFH", "S2"],
    )
    assert claims["exp"] - claims["iat"] == 300
    assert claims["jti"]


def test_the_key_set_holds_no_private_half(signer: TokenSigner) -> None:
    assert set(signer.jwks()["keys"][0]) <= {"kty", "n", "e", "kid", "use", "alg", "key_ops"}


def test_the_key_is_made_once_and_is_for_its_owner_only(signer: TokenSigner, tmp_path: Path) -> None:
    assert TokenSigner.load_or_create(tmp_path, "issuer", "audience").kid == signer.kid
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_may_read_is_refused(signer: TokenSigner, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(StartRefused, match="0600"):
        TokenSigner.load(tmp_path, "issuer", "audience")


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_missing_or_damaged_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / KEY_FILE).write_bytes(content)
        (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(StartRefused):
        TokenSigner.load(tmp_path, "issuer", "audience")
