"""Codes of tables, figures and parts, as they stand in ids of a page and in names of files."""

from re import compile as pattern
from typing import Final

_CODE: Final = pattern(r"[A-Z0-9]+(_[A-Z0-9]+)*")


def slug(code: str) -> str:
    """`OS_CURVE` as `os-curve`; ValueError unless it is UPPER_SNAKE."""
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no code")
    return code.lower().replace("_", "-")
