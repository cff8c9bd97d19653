"""A backup of the vault: one file of JSON lines, a header first, then wrapped keys and tombstones, their hash last.

The keys stay wrapped: without the master key, which is kept elsewhere, the file opens nothing.
"""

import asyncio
import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from hepatrail_events.errors import StartRefused
from hepatrail_infra.postgres import connection, translate_errors

_FORMAT = "hepatrail-vault-backup"
_VERSION = 1
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: (kid, subject_id, wrapped) and (kid, subject_id, reason, by, RFC 3339 text)."""

    keys: tuple[tuple[str, str, bytes], ...]
    tombstones: tuple[tuple[str, str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `different` are keys whose bytes differ from the vault's, which were left alone."""

    keys: int
    tombstones: int
    refused_by_tombstone: int
    different: tuple[str, ...]


async def write_backup(pool: asyncpg.Pool, path: Path, check: bytes) -> int:
    """Writes one consistent picture of the vault to `path`, whole or not at all, and returns the lines in it."""
    with translate_errors():
        async with pool.acquire() as link, link.transaction(isolation="repeatable_read", readonly=True):
            keys = await link.fetch("SELECT kid, subject_id, wrapped FROM subject_key ORDER BY kid")
            stones = await link.fetch(
                "SELECT kid, subject_id, reason, destroyed_by, destroyed_at::text AS destroyed_at"
                " FROM tombstone ORDER BY kid"
            )
    lines: list[dict[str, Any]] = [
        {"format": _FORMAT, "version": _VERSION, "check": _b64(check), "keys": len(keys), "tombstones": len(stones)}
    ]
    lines += [{"key": row["kid"], "subject": row["subject_id"], "wrapped": _b64(row["wrapped"])} for row in keys]
    lines += [
        {
            "tombstone": row["kid"],
            "subject": row["subject_id"],
            "reason": row["reason"],
            "by": row["destroyed_by"],
            "at": row["destroyed_at"],
        }
        for row in stones
    ]
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    await asyncio.to_thread(_write, path, body + orjson.dumps({"sha256": hashlib.sha256(body).hexdigest()}) + b"\n")
    return len(keys) + len(stones)


def read_backup(path: Path, check: bytes) -> Contents:
    """Reads and verifies a backup; StartRefused when it is unreadable, damaged or of another master key."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StartRefused(f"The backup {path} cannot be read: {error.strerror}.") from error
    body, _, last = raw.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    try:
        if orjson.loads(last) != {"sha256": hashlib.sha256(body).hexdigest()}:
            raise StartRefused(f"The backup {path} is damaged: its hash does not fit.")
        header, *lines = [orjson.loads(line) for line in body.splitlines()]
        if (header["format"], header["version"]) != (_FORMAT, _VERSION):
            raise StartRefused(f"The file {path} is no vault backup that this version reads.")
        if header["check"] != _b64(check):
            raise StartRefused(f"The backup {path} was made with another master key.")
        contents = Contents(
            tuple((x["key"], x["subject"], base64.b64decode(x["wrapped"])) for x in lines if "key" in x),
            tuple((x["tombstone"], x["subject"], x["reason"], x["by"], x["at"]) for x in lines if "tombstone" in x),
        )
    except (orjson.JSONDecodeError, binascii.Error, KeyError, TypeError, ValueError) as error:
        raise StartRefused(f"The file {path} is no vault backup.") from error
    if (len(contents.keys), len(contents.tombstones)) != (header["keys"], header["tombstones"]):
        raise StartRefused(f"The backup {path} is incomplete.")
    return contents


async def restore_into(use: asyncpg.Pool, destroy_dsn: str, contents: Contents) -> Restored:
    """Applies tombstones first, then the keys that none of them forbids; may be interrupted and run again."""
    tombstones = 0
    async with connection(destroy_dsn, name="vault restore") as link, link.transaction():
        for stone in contents.tombstones:
            await link.execute(_LOCK, stone[0])
            tombstones += bool(
                await link.fetchval(
                    "INSERT INTO tombstone (kid, subject_id, reason, destroyed_by, destroyed_at)"
                    " VALUES ($1, $2, $3, $4, $5::text::timestamptz) ON CONFLICT DO NOTHING RETURNING true",
                    *stone,
                )
            )
        await link.execute("DELETE FROM subject_key k USING tombstone t WHERE t.kid = k.kid")
    keys, refused, different = 0, 0, []
    with translate_errors():
        for kid, subject_id, wrapped in contents.keys:
            async with use.acquire() as user, user.transaction():
                await user.execute(_LOCK, kid)
                if await user.fetchval("SELECT true FROM tombstone WHERE kid = $1", kid):
                    refused += 1
                    continue
                present = await user.fetchval("SELECT wrapped FROM subject_key WHERE kid = $1", kid)
                if present is None:
                    await user.execute("INSERT INTO subject_key VALUES ($1, $2, $3)", kid, subject_id, wrapped)
                    keys += 1
                elif present != wrapped:
                    different.append(kid)
    return Restored(keys, tombstones, refused, tuple(different))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _write(path: Path, raw: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StartRefused(f"The backup {path} cannot be written: {error.strerror}.") from error
