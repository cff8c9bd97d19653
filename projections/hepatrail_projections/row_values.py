"""Rows of projections as values that people compare: JSON, without what only says where they come from."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from types import NoneType
from typing import Any
from uuid import UUID

from hepatrail_events.types import format_instant
from hepatrail_projections.subject import SUBJECT
from hepatrail_projections.table import Json, Table

_IDS = ("event_ids", "event_id")
_IDS_IN_JSON = frozenset({"eventIds", "eventId"})
_PLAIN = frozenset({str, int, bool, NoneType})
_BOOKKEEPING = frozenset({"version", "recorded_at", "protocol_version"})


def changed_columns(table: Table[Any], old: Any, new: Any) -> Iterator[str | None]:
    """The columns whose values differ; None alone when there is a row on one side only."""
    if old is None or new is None:
        yield None
        return
    for column in table.columns:
        one, other = getattr(old, column.name), getattr(new, column.name)
        if one is not other and one != other and _is_value(table, column.name) and plain(one) != plain(other):
            yield column.name


def _is_value(table: Table[Any], column: str) -> bool:
    if column == "protocol_version" and table is SUBJECT:
        return True
    return column not in _BOOKKEEPING and column not in table.key and not column.endswith(_IDS)


def value_of(row: Any, column: str) -> Json | None:
    """A column's value as JSON; None without a row."""
    return None if row is None else plain(getattr(row, column))


def shown_of(row: Any, column: str | None) -> Json | None:
    """A column's value as JSON, without `column` the whole row by column; None without a row."""
    if row is None or column is not None:
        return value_of(row, column or "")
    return {each.name: plain(getattr(row, each.name)) for each in fields(row) if not each.name.endswith(_IDS)}


def plain(value: Any) -> Json:
    """A column's value as JSON, without the ids of the events that it rests on."""
    if type(value) in _PLAIN:
        return value
    match value:
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case dict():
            return {name: plain(each) for name, each in value.items() if name not in _IDS_IN_JSON}
        case list() | tuple():
            return [plain(each) for each in value]
        case bytes():
            return value.hex()
        case _:
            return value


def rests_on(row: Any) -> frozenset[UUID]:
    """The events on which a row rests; none without a row."""
    if row is None:
        return frozenset()
    return frozenset(
        each for field in fields(row) if field.name.endswith("event_ids") for each in getattr(row, field.name)
    )


def key_of(table: Table[Any], row: Any) -> str:
    """A row's key among those of its participant, parts divided by `|`; empty where there is but one."""
    return "|".join(str(plain(getattr(row, name))) for name in table.key if name != "subject_id")
