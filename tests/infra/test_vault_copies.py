"""Keys that leave a vault with a bundle and enter another one (RET-01), on a real Postgres."""

import os
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_infra.postgres import Dsns, Passwords, prepare_databases
from hepatrail_infra.vault import ERASED, KEY_MISSING, KeyDestroyed, SubjectKey, Vault, kid_of

COMMAND = UUID("0190b0a0-0000-7000-8000-000000000001")


async def _vault(postgres_dsn: str) -> Vault:
    name = f"vault_{uuid4().hex[:12]}"
    passwords = Passwords("owner", "writer", "reader", "use", "destroy")
    made: Dsns = await prepare_databases(postgres_dsn, passwords, vault_database=name)
    vault = Vault(made.vault_use, os.urandom(64), made.vault_destroy)
    await vault.start()
    return vault


@pytest.fixture
async def vault(postgres_dsn: str) -> AsyncIterator[Vault]:
    opened = await _vault(postgres_dsn)
    yield opened
    await opened.stop()


@pytest.fixture
async def other(postgres_dsn: str) -> AsyncIterator[Vault]:
    """With another master key."""
    opened = await _vault(postgres_dsn)
    yield opened
    await opened.stop()


async def test_ret_01_text_opens_in_another_vault_that_took_the_key_over(vault: Vault, other: Vault) -> None:
    sealed = vault.seal(await vault.key_for("BFH-001", create=True), COMMAND, "verbatim", "bleeding")
    assert await other.open_sealed(sealed) is KEY_MISSING
    found = (await vault.unwrapped([kid_of("BFH-001")]))[kid_of("BFH-001")]
    assert isinstance(found, SubjectKey)
    assert await other.adopt("BFH-001", found) is True
    assert await other.open_sealed(sealed) == "bleeding"
    assert await other.healthy()
    assert await other.adopt("BFH-001", found) is False
    assert (await other.unwrapped([found.kid]))[found.kid] == found


async def test_what_was_erased_or_never_made_is_said(vault: Vault) -> None:
    await vault.key_for("BFH-001", create=True)
    await vault.destroy("BFH-001", "asked for by the participant", "admin")
    kids = [kid_of("BFH-001"), kid_of("BFH-002")]
    assert await vault.unwrapped(kids) == {kids[0]: ERASED, kids[1]: KEY_MISSING}
    assert await vault.unwrapped([]) == {}


async def test_a_tombstone_another_key_and_another_participants_key_are_refused(vault: Vault, other: Vault) -> None:
    key = await vault.key_for("BFH-001", create=True)
    await other.destroy("BFH-001", "asked for by the participant", "admin")
    with pytest.raises(KeyDestroyed):
        await other.adopt("BFH-001", key)
    assert (await other.unwrapped([key.kid]))[key.kid] is ERASED
    with pytest.raises(StartRefused, match="is no key of participant BFH-002"):
        await vault.adopt("BFH-002", key)
    await other.key_for("BFH-003", create=True)
    with pytest.raises(StartRefused, match="holds another key for participant BFH-003"):
        await other.adopt("BFH-003", SubjectKey(kid_of("BFH-003"), bytes(64)))
