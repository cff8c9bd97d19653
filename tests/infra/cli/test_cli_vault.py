"""The operator's side of the vault, on a real Postgres, through the command itself."""

import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hepatrail_cli.main import app
from hepatrail_infra.postgres import Dsns, Passwords, prepare_databases
from hepatrail_infra.vault import ERASED, Vault

MASTER = bytes(range(64))


@pytest.fixture(scope="module")
async def dsns(postgres_dsn: str) -> Dsns:
    passwords = Passwords("own'er", "wri@ter/1", "reader", "use", "destroy")
    return await prepare_databases(postgres_dsn, passwords, vault_database="cli_vault")


@pytest.fixture
def hepatrail(dsns: Dsns, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HEPATRAIL_KAFKA", "nowhere:9092")
    monkeypatch.setenv("HEPATRAIL_VAULT_USE", dsns.vault_use)
    monkeypatch.setenv("HEPATRAIL_VAULT_DESTROY", dsns.vault_destroy)
    monkeypatch.setenv("HEPATRAIL_VAULT_MASTER_KEY", base64.b64encode(MASTER).decode())
    return CliRunner()


async def seal(dsns: Dsns, subject: str) -> None:
    vault = Vault(dsns.vault_use, MASTER)
    await vault.start()
    await vault.key_for(subject, create=True)
    await vault.stop()


@pytest.fixture(scope="module")
async def subject(dsns: Dsns) -> str:
    await seal(dsns, "BFH-001")
    return "BFH-001"


def test_backup_destroy_restore(hepatrail: CliRunner, subject: str, tmp_path: Path) -> None:
    file = str(tmp_path / "vault.backup")
    done = hepatrail.invoke(app, ["vault", "backup", file])
    assert (done.exit_code, "1 keys and tombstones" in done.output) == (0, True)

    asked = hepatrail.invoke(app, ["vault", "destroy", subject, "--reason", "request", "--by", "dpo"], input="n\n")
    assert asked.exit_code == 1
    done = hepatrail.invoke(app, ["vault", "destroy", subject, "--reason", "request", "--by", "dpo", "--yes"])
    assert (done.exit_code, "BFH-001: erased" in done.output) == (0, True)

    done = hepatrail.invoke(app, ["vault", "restore", file])
    assert (done.exit_code, "1 keys stay destroyed" in done.output) == (0, True)


def test_refusals_are_one_sentence(hepatrail: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_text("no backup\n")
    done = hepatrail.invoke(app, ["vault", "restore", str(damaged)])
    assert done.exit_code == 2
    assert done.stderr == f"hepatrail: The file {damaged} is no vault backup.\n"
    monkeypatch.setenv("HEPATRAIL_VAULT_MASTER_KEY", base64.b64encode(bytes(64)).decode())
    done = hepatrail.invoke(app, ["vault", "backup", str(tmp_path / "b")])
    assert done.exit_code == 2
    assert "is not the key with which this vault was made" in done.stderr


def test_the_erased_constant_is_not_text() -> None:
    assert not isinstance(ERASED, str)
