"""The vault: one key a subject for its sealed text, in a database of its own, wrapped by the master key.

The only thing in Postgres that is not disposable. A tombstone wins over a key wherever both turn up.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hepatrail_events.errors import CommandRejected, StartRefused, Unavailable
from hepatrail_events.types import SealedText
from hepatrail_infra.postgres import connection, translate_errors
from hepatrail_infra.sealing_keys import (
    ERASED,
    KEY_MISSING,
    KeyDestroyed,
    KeyMissing,
    Keyring,
    SealBroken,
    SubjectKey,
    Unreadable,
    kid_of,
    open_with,
    seal,
)
from hepatrail_infra.vault_backup import Restored, read_backup, restore_into, write_backup

__all__ = [
    "ERASED",
    "KEY_MISSING",
    "KeyDestroyed",
    "KeyMissing",
    "Keyring",
    "Restored",
    "SealBroken",
    "SubjectKey",
    "Unreadable",
    "Vault",
    "kid_of",
    "open_with",
    "seal",
]

CACHE_SECONDS = 20.0
"""How long a key may be used without asking the vault again; DESIGN section 3 allows 30 s."""

_KEY_BYTES = 64
_CHECK_TEXT = b"hepatrail vault"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_FIND = """SELECT asked.kid, k.wrapped, t.kid IS NOT NULL AS destroyed
    FROM unnest($1::text[]) AS asked(kid)
    LEFT JOIN subject_key k ON k.kid = asked.kid LEFT JOIN tombstone t ON t.kid = asked.kid"""


class Vault:
    """Makes, finds and destroys keys. Constructed with addresses and the master key, connected by `start`."""

    def __init__(self, use_dsn: str, master_key: bytes, destroy_dsn: str | None = None) -> None:
        self._use_dsn = use_dsn
        self._destroy_dsn = destroy_dsn
        self._master = AESSIV(master_key)
        self._opened: asyncpg.Pool | None = None
        self._cache: dict[str, tuple[SubjectKey, float]] = {}
        self._destroyed: set[str] = set()
        self._missing: set[str] = set()

    async def start(self) -> None:
        """Connects; StartRefused when the vault was made with another master key, Unavailable when it is away."""
        with translate_errors():
            self._opened = await asyncpg.create_pool(
                self._use_dsn,
                min_size=1,
                max_size=4,
                timeout=10,
                command_timeout=10,
                server_settings={"application_name": "hepatrail vault"},
            )
        try:
            await self._check_master_key()
        except (StartRefused, Unavailable):
            await self.stop()
            raise

    async def stop(self) -> None:
        """Disconnects and forgets all keys."""
        self._cache.clear()
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def key_for(self, subject_id: str, create: bool = False) -> SubjectKey:
        """The key under which text about the subject is sealed.

        Raises KeyDestroyed after an erasure; without `create`, KeyMissing when there is none; Unavailable.
        """
        kid = kid_of(subject_id)
        found = (await self.keyring([kid])).keys[kid] if not create else await self._find_or_create(subject_id, kid)
        if found is ERASED:
            raise KeyDestroyed
        if found is KEY_MISSING:
            raise KeyMissing(f"the vault holds no key {kid}")
        assert isinstance(found, SubjectKey)
        return found

    def seal(self, key: SubjectKey, cid: UUID | str, path: str, text: str) -> SealedText:
        """The sealed text of field `path` of command `cid`; the same input gives the same bytes."""
        return seal(key, cid, path, text)

    async def open_sealed(self, sealed: SealedText) -> str | Unreadable:
        """The clear text, ERASED or KEY_MISSING; SealBroken when it was altered or moved; Unavailable."""
        return (await self.keyring([sealed.kid])).open(sealed)

    async def keyring(self, kids: Iterable[str]) -> Keyring:
        """The keys of these ids in one question to the vault; a missing key turns `healthy` false."""
        now = asyncio.get_running_loop().time()
        found: dict[str, SubjectKey | Unreadable] = {}
        for kid in kids:
            if kid in self._destroyed:
                found[kid] = ERASED
            elif kid in self._cache and self._cache[kid][1] > now:
                found[kid] = self._cache[kid][0]
            else:
                found[kid] = KEY_MISSING
        asked = [kid for kid, key in found.items() if key is KEY_MISSING]
        if asked:
            found.update(await self._fetch(asked, now))
        return Keyring(found)

    async def healthy(self) -> bool:
        """Whether the vault answers and every key that was looked for in vain has turned up since."""
        try:
            await self._fetch(sorted(self._missing), asyncio.get_running_loop().time())
        except Unavailable:
            return False
        return not self._missing

    async def destroy(self, subject_id: str, reason: str, by: str) -> bool:
        """Destroys the subject's key for good; False when that was done before (the first reason stands).

        Other processes stop reading within `CACHE_SECONDS`. Also for a subject without a key: none can be
        made then. Raises CommandRejected without a reason, StartRefused without the destroying role's address.
        """
        if len(reason.strip()) < 3 or not by.strip():
            raise CommandRejected("An erasure needs a reason and who ordered it.", rule="PRV-05", code="SHAPE")
        if self._destroy_dsn is None:
            raise StartRefused("HEPATRAIL_VAULT_DESTROY is not set: this process may not destroy keys.")
        kid = kid_of(subject_id)
        async with connection(self._destroy_dsn, name="vault destroy") as link, link.transaction():
            await link.execute(_LOCK, kid)
            new = await link.fetchval(
                "INSERT INTO tombstone (kid, subject_id, reason, destroyed_by) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING RETURNING true",
                kid,
                subject_id,
                reason.strip(),
                by.strip(),
            )
            await link.execute("DELETE FROM subject_key WHERE kid = $1", kid)
        self._forget(kid)
        return bool(new)

    async def unwrapped(self, kids: Iterable[str]) -> dict[str, SubjectKey | Unreadable]:
        """The keys of these ids in clear, for a copy of the record that must open without this vault (RET-01).

        Asks the vault whatever is cached. ERASED and KEY_MISSING where there is none; raises Unavailable, SealBroken.
        """
        asked = list(kids)
        return await self._fetch(asked, asyncio.get_running_loop().time()) if asked else {}

    async def adopt(self, subject_id: str, key: SubjectKey) -> bool:
        """Takes over a key from such a copy, wrapped by this vault's master key; False when it is here already.

        Raises KeyDestroyed where a tombstone forbids it, StartRefused when the key is not the subject's, or the vault
        holds another one for the subject; Unavailable.
        """
        kid = kid_of(subject_id)
        if key.kid != kid or len(key.key) != _KEY_BYTES:
            raise StartRefused(f"The key {key.kid} is no key of participant {subject_id}.")
        wrapped = self._master.encrypt(key.key, [kid.encode()])
        with translate_errors():
            async with self._pool.acquire() as link, link.transaction():
                await link.execute(_LOCK, kid)
                (row,) = await link.fetch(_FIND, [kid])
                if row["destroyed"]:
                    raise KeyDestroyed
                # The wrapping is deterministic (SIV): one key has one wrapped form.
                if row["wrapped"] not in (None, wrapped):
                    raise StartRefused(f"The vault holds another key for participant {subject_id}.")
                if row["wrapped"] is None:
                    await link.execute(
                        "INSERT INTO subject_key (kid, subject_id, wrapped) VALUES ($1, $2, $3)",
                        kid,
                        subject_id,
                        wrapped,
                    )
        self._remember(kid, wrapped, asyncio.get_running_loop().time())
        return row["wrapped"] is None

    async def backup(self, path: Path) -> int:
        """Writes all wrapped keys and tombstones to `path` (mode 0600) and returns their number."""
        return await write_backup(self._pool, path, self._check_value())

    async def restore(self, path: Path) -> Restored:
        """Brings back what a backup holds; tombstones win, whichever side has them; existing keys stay.

        Raises StartRefused when the file is damaged or was made with another master key; nothing is changed then.
        """
        if self._destroy_dsn is None:
            raise StartRefused("HEPATRAIL_VAULT_DESTROY is not set: a restore must be able to apply tombstones.")
        contents = await asyncio.to_thread(read_backup, path, self._check_value())
        restored = await restore_into(self._pool, self._destroy_dsn, contents)
        self._cache.clear()
        return restored

    @property
    def _pool(self) -> asyncpg.Pool:
        if self._opened is None:
            raise Unavailable("the vault is not connected")
        return self._opened

    def _check_value(self) -> bytes:
        return self._master.encrypt(_CHECK_TEXT, [b"check"])

    async def _check_master_key(self) -> None:
        with translate_errors():
            await self._pool.execute(
                "INSERT INTO master_check (value) VALUES ($1) ON CONFLICT DO NOTHING", self._check_value()
            )
            stored = await self._pool.fetchval("SELECT value FROM master_check")
        if stored != self._check_value():
            raise StartRefused("HEPATRAIL_VAULT_MASTER_KEY is not the key with which this vault was made.")

    async def _fetch(self, kids: list[str], now: float) -> dict[str, SubjectKey | Unreadable]:
        with translate_errors():
            rows = await self._pool.fetch(_FIND, kids)
        found: dict[str, SubjectKey | Unreadable] = {}
        for row in rows:
            kid = row["kid"]
            if row["destroyed"]:
                self._forget(kid)
                found[kid] = ERASED
            elif row["wrapped"] is not None:
                found[kid] = self._remember(kid, row["wrapped"], now)
            else:
                self._missing.add(kid)
                found[kid] = KEY_MISSING
        return found

    async def _find_or_create(self, subject_id: str, kid: str) -> SubjectKey | Unreadable:
        now = asyncio.get_running_loop().time()
        if kid in self._destroyed:
            return ERASED
        cached = self._cache.get(kid)
        if cached is not None and cached[1] > now:
            return cached[0]
        with translate_errors():
            async with self._pool.acquire() as link, link.transaction():
                # Waits for an erasure under way, whose tombstone the next statement then sees.
                await link.execute(_LOCK, kid)
                (row,) = await link.fetch(_FIND, [kid])
                if row["destroyed"]:
                    self._forget(kid)
                    return ERASED
                wrapped = row["wrapped"]
                if wrapped is None:
                    wrapped = self._master.encrypt(os.urandom(_KEY_BYTES), [kid.encode()])
                    await link.execute(
                        "INSERT INTO subject_key (kid, subject_id, wrapped) VALUES ($1, $2, $3)",
                        kid,
                        subject_id,
                        wrapped,
                    )
        return self._remember(kid, wrapped, now)

    def _remember(self, kid: str, wrapped: bytes, now: float) -> SubjectKey:
        try:
            key = SubjectKey(kid, self._master.decrypt(wrapped, [kid.encode()]))
        except InvalidTag:
            raise SealBroken(f"the vault's key {kid} does not open with the master key") from None
        self._cache[kid] = (key, now + CACHE_SECONDS)
        self._missing.discard(kid)
        return key

    def _forget(self, kid: str) -> None:
        self._cache.pop(kid, None)
        self._missing.discard(kid)
        self._destroyed.add(kid)
