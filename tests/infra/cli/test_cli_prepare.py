import pytest
from typer.testing import CliRunner

from hepatrail_cli.main import app

ADDRESSES = {
    "KAFKA": "127.0.0.1:1",
    "POSTGRES": "postgresql://postgres:admin-secret@127.0.0.1:1/postgres",
    "POSTGRES_OWNER": "postgresql://hepatrail_owner:a@h/hepatrail",
    "POSTGRES_WRITER": "postgresql://hepatrail_writer:b@h/hepatrail",
    "POSTGRES_READER": "postgresql://hepatrail_reader:c@h/hepatrail",
    "VAULT_USE": "postgresql://hepatrail_vault_use:d@h/hepatrail_vault",
    "VAULT_DESTROY": "postgresql://hepatrail_vault_destroy:e@h/hepatrail_vault",
}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"POSTGRES_WRITER": None}, "HEPATRAIL_POSTGRES_WRITER is not set."),
        ({"KAFKA": None}, "HEPATRAIL_KAFKA is not set."),
        (
            {"POSTGRES_READER": "postgresql://hepatrail_writer:c@h/hepatrail"},
            "HEPATRAIL_POSTGRES_READER must be the address of the role hepatrail_reader, with its password.",
        ),
        (
            {"VAULT_USE": "postgresql://hepatrail_vault_use@h/hepatrail_vault"},
            "HEPATRAIL_VAULT_USE must be the address of the role hepatrail_vault_use, with its password.",
        ),
    ],
)
def test_an_address_that_is_missing_or_of_another_role_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], sentence: str
) -> None:
    for name, value in {**ADDRESSES, **changed}.items():
        if value is None:
            monkeypatch.delenv(f"HEPATRAIL_{name}", raising=False)
        else:
            monkeypatch.setenv(f"HEPATRAIL_{name}", value)
    done = CliRunner().invoke(app, ["prepare"])
    assert (done.exit_code, done.stderr) == (2, f"hepatrail: {sentence}\n")
