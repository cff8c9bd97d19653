"""PRV-03 to PRV-05: sealed text, on a real Postgres."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

import hepatrail_infra.vault as vault_module
from hepatrail_events.errors import CommandRejected, StartRefused, Unavailable
from hepatrail_infra.postgres import Dsns, Passwords, connection, prepare_databases
from hepatrail_infra.vault import ERASED, KEY_MISSING, KeyDestroyed, KeyMissing, SealBroken, Vault, kid_of

MASTER = bytes(range(64))
COMMAND = UUID("0190b0a0-0000-7000-8000-000000000001")
PATH = "adverseEvent.verbatim"
_numbers = count(1)


@pytest.fixture(scope="session")
async def prepare(postgres_dsn: str) -> Callable[[], object]:
    async def fresh() -> Dsns:
        passwords = Passwords("own'er", "wri@ter/1", "reader", "use", "destroy")
        return await prepare_databases(postgres_dsn, passwords, vault_database=f"vault_{next(_numbers)}")

    return fresh


@pytest.fixture
async def dsns(prepare: Callable[[], object]) -> Dsns:
    made = await prepare()  # type: ignore[misc]
    assert isinstance(made, Dsns)
    return made


@pytest.fixture
async def vault(dsns: Dsns) -> AsyncIterator[Vault]:
    opened = Vault(dsns.vault_use, MASTER, dsns.vault_destroy)
    await opened.start()
    yield opened
    await opened.stop()


async def test_sealed_text_opens_again_and_is_the_same_each_time(vault: Vault) -> None:
    key = await vault.key_for("BFH-001", create=True)
    sealed = vault.seal(key, COMMAND, PATH, "Hämatemesis 呕血")
    assert sealed == vault.seal(key, COMMAND, PATH, "Hämatemesis 呕血")
    assert "matemesis" not in sealed.model_dump_json()
    assert await vault.open_sealed(sealed) == "Hämatemesis 呕血"
    assert sealed.kid == kid_of("BFH-001")


async def test_equal_texts_look_different_in_other_fields_and_commands(vault: Vault) -> None:
    key = await vault.key_for("BFH-001", create=True)
    other = UUID(int=7)
    assert len({vault.seal(key, c, p, "same").ct for c in (COMMAND, other) for p in ("a", "b")}) == 4


@pytest.mark.parametrize(
    "change", [{"path": "other"}, {"cid": str(UUID(int=9))}, {"ct": "AAAA"}, {"ct": "?"}, {"kid": kid_of("BFH-002")}]
)
async def test_text_that_was_moved_or_altered_does_not_open(vault: Vault, change: dict[str, str]) -> None:
    await vault.key_for("BFH-002", create=True)
    sealed = vault.seal(await vault.key_for("BFH-001", create=True), COMMAND, PATH, "bleeding")
    with pytest.raises(SealBroken):
        await vault.open_sealed(sealed.model_copy(update=change))


async def test_two_processes_that_make_a_key_at_once_get_the_same(dsns: Dsns, vault: Vault) -> None:
    other = Vault(dsns.vault_use, MASTER)
    await other.start()
    keys = await asyncio.gather(*(v.key_for(f"BFH-{n:03d}", create=True) for n in range(20) for v in (vault, other)))
    assert len({(k.kid, k.key) for k in keys}) == 20
    await other.stop()


async def test_a_destroyed_key_reads_erased_and_no_new_one_is_made(vault: Vault) -> None:
    sealed = vault.seal(await vault.key_for("BFH-001", create=True), COMMAND, PATH, "bleeding")
    assert await vault.destroy("BFH-001", "participant's request", "dpo")
    assert not await vault.destroy("BFH-001", "again", "dpo")
    assert await vault.open_sealed(sealed) is ERASED
    for create in (True, False):
        with pytest.raises(KeyDestroyed) as refusal:
            await vault.key_for("BFH-001", create)
        assert refusal.value.code == "KEY_DESTROYED"
    assert await vault.healthy()


async def test_another_process_stops_reading_a_destroyed_key(
    dsns: Dsns, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vault_module.CACHE_SECONDS <= 30
    monkeypatch.setattr(vault_module, "CACHE_SECONDS", 0.3)
    reader = Vault(dsns.vault_use, MASTER)
    await reader.start()
    sealed = vault.seal(await vault.key_for("BFH-001", create=True), COMMAND, PATH, "bleeding")
    assert await reader.open_sealed(sealed) == "bleeding"
    await vault.destroy("BFH-001", "participant's request", "dpo")
    await asyncio.sleep(0.35)
    assert await reader.open_sealed(sealed) is ERASED
    with pytest.raises(KeyDestroyed):
        await reader.key_for("BFH-001", create=True)
    await reader.stop()


async def test_a_key_made_while_it_is_destroyed_does_not_survive(dsns: Dsns, vault: Vault) -> None:
    makers = [Vault(dsns.vault_use, MASTER) for _ in range(3)]
    for maker in makers:
        await maker.start()
    await asyncio.gather(
        *(maker.key_for("BFH-001", create=True) for maker in makers),
        vault.destroy("BFH-001", "participant's request", "dpo"),
        return_exceptions=True,
    )
    async with connection(dsns.vault_use) as link:
        assert await link.fetchval("SELECT count(*) FROM subject_key") == 0
        assert await link.fetchval("SELECT count(*) FROM tombstone") == 1
    for maker in makers:
        await maker.stop()


async def test_a_lost_key_is_missing_not_erased_and_turns_health_red_until_it_is_back(
    dsns: Dsns, vault: Vault, tmp_path: Path
) -> None:
    sealed = vault.seal(await vault.key_for("BFH-001", create=True), COMMAND, PATH, "bleeding")
    await vault.backup(tmp_path / "backup")
    reader = Vault(dsns.vault_use, MASTER, dsns.vault_destroy)
    await reader.start()
    assert await reader.healthy()
    async with connection(dsns.vault_destroy) as link:
        await link.execute("DELETE FROM subject_key")
    assert await reader.open_sealed(sealed) is KEY_MISSING
    with pytest.raises(KeyMissing):
        await reader.key_for("BFH-001")
    assert not await reader.healthy()
    assert (await reader.restore(tmp_path / "backup")).keys == 1
    assert await reader.healthy()
    assert await reader.open_sealed(sealed) == "bleeding"
    await reader.stop()


async def test_many_keys_come_in_one_question(vault: Vault) -> None:
    texts = {}
    for number in range(5):
        key = await vault.key_for(f"BFH-{number:03d}", create=True)
        texts[vault.seal(key, COMMAND, PATH, f"text {number}")] = f"text {number}"
    ring = await vault.keyring(sealed.kid for sealed in texts)
    assert all(ring.open(sealed) == text for sealed, text in texts.items())


async def test_another_master_key_is_refused_at_the_start(dsns: Dsns, vault: Vault) -> None:
    stranger = Vault(dsns.vault_use, os.urandom(64))
    with pytest.raises(StartRefused, match="not the key with which this vault was made"):
        await stranger.start()
    with pytest.raises(Unavailable):
        await stranger.key_for("BFH-001")


async def test_the_using_role_can_neither_delete_nor_change_a_key_nor_make_a_tombstone(
    dsns: Dsns, vault: Vault
) -> None:
    await vault.key_for("BFH-001", create=True)
    async with connection(dsns.vault_use) as link:
        for statement in (
            "DELETE FROM subject_key",
            "UPDATE subject_key SET wrapped = ''",
            "TRUNCATE subject_key",
            "DELETE FROM tombstone",
            "INSERT INTO tombstone VALUES ('k', 's', 'reason', 'me')",
            "UPDATE master_check SET value = ''",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await link.execute(statement)


async def test_the_destroying_role_can_neither_read_nor_make_a_key_nor_remove_a_tombstone(
    dsns: Dsns, vault: Vault
) -> None:
    await vault.key_for("BFH-001", create=True)
    async with connection(dsns.vault_destroy) as link:
        for statement in (
            "SELECT wrapped FROM subject_key",
            "INSERT INTO subject_key VALUES ('k', 's', '')",
            "UPDATE subject_key SET wrapped = ''",
            "DELETE FROM tombstone",
            "UPDATE tombstone SET reason = 'other'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await link.execute(statement)


async def test_an_erasure_needs_a_reason_and_the_role(dsns: Dsns, vault: Vault) -> None:
    with pytest.raises(CommandRejected):
        await vault.destroy("BFH-001", "  ", "dpo")
    user = Vault(dsns.vault_use, MASTER)
    with pytest.raises(StartRefused, match="HEPATRAIL_VAULT_DESTROY"):
        await user.destroy("BFH-001", "participant's request", "dpo")


async def test_a_vault_that_goes_away_is_unavailable_and_comes_back(
    postgres_dsn: str, dsns: Dsns, vault: Vault
) -> None:
    await vault.key_for("BFH-001", create=True)
    stranger = kid_of("BFH-009")
    async with connection(postgres_dsn) as admin:
        await admin.execute("ALTER ROLE hepatrail_vault_use CONNECTION LIMIT 0")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hepatrail_vault_use'"
        )
        with pytest.raises(Unavailable):
            await vault.keyring([stranger])
        assert not await vault.healthy()
        assert (await vault.key_for("BFH-001")).kid == kid_of("BFH-001")
        await admin.execute("ALTER ROLE hepatrail_vault_use CONNECTION LIMIT -1")
    assert (await vault.keyring([stranger])).keys == {stranger: KEY_MISSING}
