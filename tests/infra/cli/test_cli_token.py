from pathlib import Path

import jwt
from typer.testing import CliRunner

from hepatrail_cli.main import app
from hepatrail_infra.tokens import TokenSigner


def test_a_token_for_one_person(tmp_path: Path) -> None:
    signer = TokenSigner.load_or_create(tmp_path, "hepatrail-embedded", "hepatrail")
    command = ["token", "COORDINATOR", "--actor", "li.na", "--site", "BFH", "--hours", "1", "--data-dir", str(tmp_path)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    # No stack runs here; `test_access_on_record.py` has the other case.
    assert done.stderr == "hepatrail: no stack runs, so that this token is not on record.\n"
    key = jwt.PyJWKSet.from_dict(signer.jwks()).keys[0]
    claims = jwt.decode(
        done.stdout.strip(), key, algorithms=["RS256"], audience="hepatrail", issuer="hepatrail-embedded"
    )
    assert (claims["sub"], claims["role"], claims["sites"]) == ("li.na", "COORDINATOR", ["BFH"])
    assert claims["exp"] - claims["iat"] == 3600


def test_without_a_key_it_refuses_in_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["token", "MONITOR", "--actor", "m", "--data-dir", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("hepatrail: The signing key ")
    assert done.stderr.count("\n") == 1
