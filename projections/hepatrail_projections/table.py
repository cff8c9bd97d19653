"""A table of a projection, derived from the dataclass of its rows.

The annotation of a field says its column: `str` text (collation C, so that every server sorts alike), `int` bigint,
`bool`, `datetime` (aware), `date`, `UUID`, `tuple[UUID, ...]`, `bytes`, and `Json` for everything with structure.
`| None` makes it nullable. Nothing that differs between two builds from the same log may be a column.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cached_property
from itertools import repeat
from operator import attrgetter
from types import NoneType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
import orjson

Json: TypeAlias = Any
"""A JSON value as `jsonb` keeps it: dicts, lists, text, integers, booleans."""

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

Row = TypeVar("Row")

MAX_BIGINT: Final = 2**63 - 1
"""The largest number that a column of an `int` field holds."""

Decoder: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""From the values of one column, of all rows, to those of the rows' field."""

_SQL = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    datetime: "timestamptz",
    date: "date",
    UUID: "uuid",
    bytes: "bytea",
}
_WORTH_COPYING = 100
_COLLATED = 'text COLLATE "C"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQL type, and the type of the array elements in which values travel to `unnest`."""

    name: str
    sql: str
    nullable: bool
    travels: str
    encode: Callable[[Any], Any] | None = None
    decode: Decoder | None = None


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table, its rows' class and its key; all SQL about it comes from here.

    `places` are the columns that hold offsets of Kafka: a copy of the log in another Kafka has other ones.
    """

    name: str
    row: type[Row]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    append_only: bool = False
    digested: bool = True
    places: tuple[str, ...] = ()
    _key_of: Callable[[Row], Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key_of", attrgetter(*self.key))

    def key_of(self, row: Row) -> Any:
        """The row's key, hashable."""
        return self._key_of(row)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order of the dataclass's fields."""
        hints = get_type_hints(self.row)
        return tuple(_column(each.name, hints[each.name]) for each in fields(cast(Any, self.row)))

    def ddl(self) -> tuple[str, ...]:
        """Statements that make the table in the schema of the search path."""
        lines = [
            f"{column.name} {_COLLATED if column.sql == 'text' else column.sql}{'' if column.nullable else ' NOT NULL'}"
            for column in self.columns
        ]
        create = f"CREATE TABLE {self.name} ({', '.join(lines)}, PRIMARY KEY ({', '.join(self.key)}))"
        indexes = [
            f"CREATE INDEX {self.name}_{number} ON {self.name} {what}" for number, what in enumerate(self.indexes, 1)
        ]
        return (create, *indexes)

    @cached_property
    def upsert_sql(self) -> str:
        """Insert or replace rows given as one array a column."""
        names = ", ".join(column.name for column in self.columns)
        arrays = ", ".join(f"${number}::{column.travels}[]" for number, column in enumerate(self.columns, 1))
        chosen = ", ".join(
            column.name if column.sql == column.travels else f"{column.name}::{column.sql}" for column in self.columns
        )
        sets = ", ".join(f"{each.name} = excluded.{each.name}" for each in self.columns if each.name not in self.key)
        outcome = "NOTHING" if self.append_only or not sets else f"UPDATE SET {sets}"
        # Every name in these statements is written in this package.
        return (
            f"INSERT INTO {self.name} ({names}) SELECT {chosen} FROM unnest({arrays}) AS given ({names}) "  # noqa: S608
            f"ON CONFLICT ({', '.join(self.key)}) DO {outcome}"
        )

    def arrays(self, rows: Sequence[Row]) -> list[list[Any]]:
        """The rows as one list a column, as `upsert_sql` takes them."""
        lists: list[list[Any]] = []
        for column in self.columns:
            values = list(map(attrgetter(column.name), rows))
            encode = column.encode
            if encode is not None:
                values = [None if value is None else encode(value) for value in values]
            lists.append(values)
        return lists

    async def upsert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Inserts the rows, replacing those with the same key; an append-only table keeps the first."""
        if rows:
            await connection.execute(self.upsert_sql, *self.arrays(rows))

    async def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Inserts rows whose keys are known to be new; many of them by COPY, which costs half as much."""
        if len(rows) < _WORTH_COPYING:
            await self.upsert(connection, rows)
            return
        await connection.copy_records_to_table(
            self.name,
            records=zip(*(self._natives(column, rows) for column in self.columns), strict=True),
            columns=[column.name for column in self.columns],
        )

    def _natives(self, column: Column, rows: Sequence[Row]) -> Iterable[Any]:
        values = map(attrgetter(column.name), rows)
        if column.sql != "jsonb":
            return values
        return (None if value is None else to_json_text(value) for value in values)

    async def delete(self, connection: Connection, keys: Iterable[Any]) -> None:
        """Deletes rows by key."""
        tuples = [key if isinstance(key, tuple) else (key,) for key in keys]
        if not tuples:
            return
        by_name = {column.name: column for column in self.columns}
        arrays = ", ".join(f"${number}::{by_name[name].travels}[]" for number, name in enumerate(self.key, 1))
        same = " AND ".join(f"kept.{name} = gone.{name}" for name in self.key)
        await connection.execute(
            f"DELETE FROM {self.name} kept USING unnest({arrays}) AS gone ({', '.join(self.key)}) WHERE {same}",  # noqa: S608
            *map(list, zip(*tuples, strict=True)),
        )

    def load(self, record: asyncpg.Record) -> Row:
        """A row as it was written."""
        return self._made((record.values(),))[0]

    @cached_property
    def _setters(self) -> tuple[Callable[[Row, Any], None], ...]:
        return tuple(getattr(self.row, column.name).__set__ for column in self.columns)

    def _made(self, records: Iterable[Iterable[Any]]) -> tuple[Row, ...]:
        # Column by column, and past `__init__`, which for a frozen dataclass costs twice as much as all the rest: the
        # rows are of classes with slots, and hold what they held when they were written.
        columns = list(zip(*records, strict=True))
        if not columns:
            return ()
        made: tuple[Row, ...] = tuple(map(object.__new__, repeat(self.row, len(columns[0]))))
        for column, fill, values in zip(self.columns, self._setters, columns, strict=True):
            deque(map(fill, made, values if column.decode is None else column.decode(values)), maxlen=0)
        return made

    async def where(
        self, connection: Connection, condition: str, *args: Any, order: str | None = None, limit: int | None = None
    ) -> list[Row]:
        """The rows that meet a condition, by key unless told otherwise."""
        names = ", ".join(column.name for column in self.columns)
        bound = "" if limit is None else f" LIMIT {int(limit)}"
        records = await connection.fetch(
            f"SELECT {names} FROM {self.name} WHERE {condition} ORDER BY {order or ', '.join(self.key)}{bound}",  # noqa: S608
            *args,
        )
        return list(self._made(map(asyncpg.Record.values, records)))


def to_json_text(value: Any) -> str:
    """JSON for a `jsonb` column."""
    return orjson.dumps(value).decode()


def load_json(text: str) -> Any:
    """What a `jsonb` column holds."""
    return orjson.loads(text)


def _column(name: str, hint: Any) -> Column:
    nullable = NoneType in get_args(hint)
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if nullable else [hint]
    kind = kinds[0] if len(kinds) == 1 else Json
    if kind in _SQL:
        return Column(name, _SQL[kind], nullable, _SQL[kind])
    if get_origin(kind) is tuple and get_args(kind)[0] is UUID:
        return Column(name, "uuid[]", nullable, "text", _uuids_text, _each(tuple))
    return Column(name, "jsonb", nullable, "text", to_json_text, _each(orjson.loads))


def _each(decode: Callable[[Any], Any]) -> Decoder:
    return lambda values: [None if value is None else decode(value) for value in values]


def _uuids_text(ids: tuple[UUID, ...]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
