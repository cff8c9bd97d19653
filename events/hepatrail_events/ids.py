"""Identifiers: UUIDv7 for records, UUIDv5 for everything that must come out the same again."""

import os
from datetime import datetime
from uuid import UUID, uuid5

STUDY_NAMESPACE = UUID("5a1c0e4e-6d55-5b0e-9c39-0f7d2c1b8a10")
"""The one namespace of the study (`safety.md` section 6.3); changing it would rename every object ever derived."""


def uuid7(at: datetime) -> UUID:
    """A UUIDv7 (RFC 9562) whose time is `at` (aware), so that ids sort as the log does."""
    millis = int(at.timestamp() * 1000)
    value = (millis & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def derived_id(*parts: object) -> UUID:
    """UUIDv5 over the parts joined by `|`; stable for ever."""
    return uuid5(STUDY_NAMESPACE, "|".join(str(part) for part in parts))


def object_id(command_id: UUID, kind: str, row: int | str = 0) -> UUID:
    """The id of an object that a command creates: UUIDv5(ns, commandId|kind|row) (`events.md` section 1)."""
    return derived_id(command_id, kind, row)
