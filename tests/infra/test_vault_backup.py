"""A backup holds everything, says when it is damaged, and never brings an erased text back."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.types import SealedText
from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases
from hepatrail_infra.vault import ERASED, Vault, kid_of

MASTER = bytes(range(64))
_numbers = count(1)


async def fresh(postgres_dsn: str, master: bytes = MASTER) -> tuple[Vault, Dsns]:
    passwords = Passwords("own'er", "wri@ter/1", "reader", "use", "destroy")
    dsns = await prepare_databases(postgres_dsn, passwords, vault_database=f"backup_{next(_numbers)}")
    vault = Vault(dsns.vault_use, master, dsns.vault_destroy)
    await vault.start()
    return vault, dsns


async def text_of(vault: Vault, subject: str) -> SealedText:
    return vault.seal(await vault.key_for(subject, create=True), "c", "p", f"text of {subject}")


@pytest.fixture
async def vault(postgres_dsn: str) -> AsyncIterator[Vault]:
    opened, _ = await fresh(postgres_dsn)
    yield opened
    await opened.stop()


@pytest.fixture
async def elsewhere(postgres_dsn: str) -> AsyncIterator[Vault]:
    opened, _ = await fresh(postgres_dsn)
    yield opened
    await opened.stop()


async def test_a_backup_brings_keys_and_tombstones_to_another_server(
    vault: Vault, elsewhere: Vault, tmp_path: Path
) -> None:
    texts = [await text_of(vault, f"BFH-{number:03d}") for number in range(4)]
    await vault.destroy("BFH-000", "participant's request", "dpo")
    assert await vault.backup(tmp_path / "b") == 4
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    done = await elsewhere.restore(tmp_path / "b")
    assert (done.keys, done.tombstones, done.refused_by_tombstone, done.different) == (3, 1, 0, ())
    assert [await elsewhere.open_sealed(text) for text in texts] == [ERASED] + [f"text of BFH-00{n}" for n in (1, 2, 3)]
    again = await elsewhere.restore(tmp_path / "b")
    assert (again.keys, again.tombstones) == (0, 0)


async def test_a_backup_from_before_an_erasure_does_not_bring_the_text_back(vault: Vault, tmp_path: Path) -> None:
    text = await text_of(vault, "BFH-001")
    await vault.backup(tmp_path / "b")
    await vault.destroy("BFH-001", "participant's request", "dpo")
    assert (await vault.restore(tmp_path / "b")).refused_by_tombstone == 1
    assert await vault.open_sealed(text) is ERASED


async def test_a_tombstone_of_the_backup_destroys_the_key_of_the_vault(
    vault: Vault, elsewhere: Vault, tmp_path: Path
) -> None:
    await text_of(vault, "BFH-001")
    await vault.destroy("BFH-001", "participant's request", "dpo")
    await vault.backup(tmp_path / "b")
    text = await text_of(elsewhere, "BFH-001")
    assert (await elsewhere.restore(tmp_path / "b")).tombstones == 1
    assert await elsewhere.open_sealed(text) is ERASED


async def test_an_existing_key_is_never_replaced(vault: Vault, elsewhere: Vault, tmp_path: Path) -> None:
    await text_of(vault, "BFH-001")
    await vault.backup(tmp_path / "b")
    text = await text_of(elsewhere, "BFH-001")
    assert (await elsewhere.restore(tmp_path / "b")).different == (kid_of("BFH-001"),)
    assert await elsewhere.open_sealed(text) == "text of BFH-001"


async def test_a_damaged_backup_changes_nothing(postgres_dsn: str, vault: Vault, tmp_path: Path) -> None:
    await text_of(vault, "BFH-001")
    await text_of(vault, "BFH-002")
    await vault.backup(tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    target, dsns = await fresh(postgres_dsn)
    for position in range(0, len(whole) - 1, 37):
        flipped = bytes([whole[position] ^ 1])
        (tmp_path / "b").write_bytes(whole[:position] + flipped + whole[position + 1 :])
        with pytest.raises(StartRefused):
            await target.restore(tmp_path / "b")
    for lines in (whole.splitlines(True)[:-1], whole.splitlines(True)[1:], []):
        (tmp_path / "b").write_bytes(b"".join(lines))
        with pytest.raises(StartRefused):
            await target.restore(tmp_path / "b")
    async with connection(dsns.vault_use) as link:
        assert await link.fetchval("SELECT count(*) FROM subject_key") == 0
    await target.stop()


async def test_a_backup_of_another_master_key_is_refused(postgres_dsn: str, vault: Vault, tmp_path: Path) -> None:
    await text_of(vault, "BFH-001")
    await vault.backup(tmp_path / "b")
    stranger, _ = await fresh(postgres_dsn, bytes(64))
    with pytest.raises(StartRefused, match="another master key"):
        await stranger.restore(tmp_path / "b")
    await stranger.stop()


async def test_a_backup_holds_no_clear_key_and_no_clear_text(vault: Vault, tmp_path: Path) -> None:
    await text_of(vault, "BFH-001")
    key = await vault.key_for("BFH-001")
    await vault.backup(tmp_path / "b")
    raw = (tmp_path / "b").read_bytes()
    assert key.key not in raw
    assert b"text of" not in raw


async def test_a_place_that_cannot_be_written_is_refused(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be written"):
        await vault.backup(tmp_path / "missing" / "b")
    with pytest.raises(StartRefused, match="cannot be read"):
        await vault.restore(tmp_path / "missing" / "b")
