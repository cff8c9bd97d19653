"""Comparing two projections: a SHA-256 over the ordered rows of each table, computed by Postgres."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.table import Connection, Json, Table, load_json

_SHOWN = 20
_LISTED_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """How one table differs: rows that only the old or only the new one has, rows that changed, some of the keys."""

    table: str
    only_old: int
    only_new: int
    changed: int
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """One value of a row, by its key (`S-01|W4`), in two projections: a column's.

    Without `column`, one of the two has no such row: `old` and `new` are the whole row or None.
    """

    table: str
    key: str
    column: str | None
    old: Json | None
    new: Json | None


async def digests(connection: Connection, schema: str, *, portable: bool = False) -> dict[str, str]:
    """The digest of every table of a projection, as 64 hexadecimal digits; without those that it does not have.

    Each row is hashed as Postgres writes it, the digest is the hash over the rows' hashes in the order of the key.
    `portable` leaves out where Kafka keeps the records (`Table.places`): offsets count the markers of transactions, so
    a log that was written again, as by an import, has others.
    """
    found = {}
    async with connection.transaction():
        # Both decide how a value is written.
        await connection.execute("SET LOCAL timezone = 'UTC'")
        await connection.execute("SET LOCAL bytea_output = 'hex'")
        for table in CATALOG:
            if table.digested and await _exists(connection, table, schema):
                found[table.name] = await connection.fetchval(_digest_sql(table, schema, portable=portable))
    return found


async def counted(connection: Connection, schema: str) -> dict[str, int]:
    """The number of rows of every table that is digested."""
    return {
        table.name: int(await connection.fetchval(f"SELECT count(*) FROM {schema}.{table.name}"))  # noqa: S608
        for table in CATALOG
        if table.digested and await _exists(connection, table, schema)
    }


async def _exists(connection: Connection, table: Table[Any], schema: str) -> bool:
    """Whether a projection has the table: one of an earlier version may not."""
    return await connection.fetchval("SELECT to_regclass($1)", f"{schema}.{table.name}") is not None


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """The tables whose digests differ, or that only one side has."""
    return tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))


async def differences(
    connection: Connection, old: str, new: str, names: tuple[str, ...], *, shown: int | None = _SHOWN
) -> tuple[Difference, ...]:
    """What differs in these tables; a table of another shape is compared by the columns that both have.

    Of a table that only the new projection has, and of one with another key, all rows are new. `shown` is how many
    keys of a table are named, None for all.
    """
    found = []
    for table in CATALOG:
        if table.name in names:
            shared = await _shared_columns(connection, table, old, new)
            if set(table.key) <= set(shared):
                found.append(await _difference(connection, table, old, new, shared, shown))
            else:
                rows = await connection.fetchval(f"SELECT count(*) FROM {new}.{table.name}")  # noqa: S608
                why = "the key is another one" if shared else "the table is new"
                found.append(Difference(table.name, 0, int(rows), 0, (why,)))
    return tuple(found)


def _digest_sql(table: Table[Any], schema: str, *, portable: bool) -> str:
    kept = ", ".join(column.name for column in table.columns if column.name not in table.places)
    whole = f"ROW({kept})" if portable else "t"
    rows = (
        f"SELECT sha256(convert_to({whole}::text, 'UTF8')) AS hash, {', '.join(table.key)} FROM {schema}.{table.name} t"  # noqa: S608
    )
    order = ", ".join(table.key)
    return f"SELECT encode(sha256(coalesce(string_agg(hash, ''::bytea ORDER BY {order}), '')), 'hex') FROM ({rows}) r"  # noqa: S608


async def _shared_columns(connection: Connection, table: Table[Any], old: str, new: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $3 "
        "INTERSECT SELECT column_name FROM information_schema.columns WHERE table_schema = $2 AND table_name = $3",
        old,
        new,
        table.name,
    )
    return sorted(row["column_name"] for row in rows)


async def _difference(
    connection: Connection, table: Table[Any], old: str, new: str, shared: list[str], shown: int | None
) -> Difference:
    values = f"ROW({', '.join(shared)})::text AS whole"
    keys = ", ".join(table.key)
    joined = (
        f"FROM (SELECT {keys}, {values} FROM {old}.{table.name}) AS a "  # noqa: S608
        f"FULL JOIN (SELECT {keys}, {values} FROM {new}.{table.name}) AS b USING ({keys})"
    )
    row = await connection.fetchrow(
        "SELECT count(*) FILTER (WHERE b.whole IS NULL) AS only_old, "
        "count(*) FILTER (WHERE a.whole IS NULL) AS only_new, "
        f"count(*) FILTER (WHERE a.whole <> b.whole) AS changed {joined}"
    )
    listed = await connection.fetch(
        f"SELECT concat_ws('|', {keys}) AS key {joined} "  # noqa: S608
        f"WHERE a.whole IS DISTINCT FROM b.whole ORDER BY 1 LIMIT {'ALL' if shown is None else int(shown)}"
    )
    assert row is not None, "an aggregate has a row"
    return Difference(
        table.name, row["only_old"], row["only_new"], row["changed"], tuple(each["key"] for each in listed)
    )


async def value_differences(
    connection: Connection, old: str, new: str, names: tuple[str, ...]
) -> tuple[ValueDifference, ...]:
    """Every value that differs in these tables, by table and key; of tables that both projections have.

    Of each table the first 10,000 rows that differ: what is lost beyond those is not looked at value by value.
    """
    return tuple(
        [
            each
            for table in CATALOG
            if table.name in names and await _exists(connection, table, old) and await _exists(connection, table, new)
            for record in await _differing_rows(connection, table, old, new)
            for each in _differing_values(table, record["key"], record["before"], record["after"])
        ]
    )


async def _differing_rows(connection: Connection, table: Table[Any], old: str, new: str) -> list[Any]:
    keys = ", ".join(table.key)
    rows: list[Any] = await connection.fetch(
        f"SELECT concat_ws('|', {keys}) AS key, to_jsonb(a)::text AS before, to_jsonb(b)::text AS after "  # noqa: S608
        f"FROM {old}.{table.name} a FULL JOIN {new}.{table.name} b USING ({keys}) "
        f"WHERE a::text IS DISTINCT FROM b::text ORDER BY 1 LIMIT {_LISTED_ROWS}"
    )
    return rows


def _differing_values(table: Table[Any], key: str, before: str | None, after: str | None) -> list[ValueDifference]:
    old, new = (None if text is None else load_json(text) for text in (before, after))
    if old is None or new is None:
        return [ValueDifference(table.name, key, None, old, new)]
    return [
        ValueDifference(table.name, key, column.name, old.get(column.name), new.get(column.name))
        for column in table.columns
        if old.get(column.name) != new.get(column.name)
    ]
