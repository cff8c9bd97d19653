"""Making and dropping the schemas of projections, under the role that owns them.

The projector's role owns nothing: of `event`, and of whatever else is a record of the log as it was written, it keeps
INSERT and SELECT only, so that nobody who holds its password can change or delete what was recorded.
"""

from hepatrail_infra.postgres import READER, WRITER
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.meta import META, META_DDL, refuse_other_version
from hepatrail_projections.offset import OFFSET, OffsetRow
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.table import Connection
from hepatrail_projections.version import PROJECTION_VERSION

_LOCK = 4_842_002


def schema_name(version: int = PROJECTION_VERSION, build: int = 1) -> str:
    """`projection_v7`, and `projection_v7_b2` for a rebuild beside it."""
    return f"projection_v{version}" + ("" if build == 1 else f"_b{build}")


async def ensure_projection(owner: Connection, version: int = PROJECTION_VERSION) -> str:
    """Makes the meta schema and, when nothing is live at all, an empty projection of this version; its schema.

    StartRefused when only other versions are live: a changed projection is built by `hepatrail rebuild`.
    """
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for statement in META_DDL:
            await owner.execute(statement)
        rows = await owner.fetch(f"SELECT version, schema FROM {META}.live_projection")  # noqa: S608
        live = {int(row["version"]): str(row["schema"]) for row in rows}
        if version in live:
            return live[version]
        if live:
            refuse_other_version(live, version)
        schema = schema_name(version)
        await create_schema(owner, schema)
        await owner.execute(f"INSERT INTO {META}.live_projection VALUES ($1, $2)", version, schema)  # noqa: S608
        return schema


async def create_schema(owner: Connection, schema: str) -> None:
    """Makes all tables, empty, in a schema that must not exist; at offset 0 of every partition."""
    await owner.execute(f"CREATE SCHEMA {schema}")
    await owner.execute("SELECT set_config('search_path', $1, true)", schema)
    for table in CATALOG:
        for statement in table.ddl():
            await owner.execute(statement)
    await owner.execute(f"GRANT USAGE ON SCHEMA {schema} TO {WRITER}, {READER}")
    await owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {READER}")
    await owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {WRITER}")
    records = ", ".join(table.name for table in CATALOG if table.append_only)
    await owner.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {records} FROM {WRITER}")
    await OFFSET.upsert(owner, [OffsetRow(each.topic, each.partition, 0, None, None, 0, None) for each in READ_TOPICS])


async def drop_schema(owner: Connection, schema: str) -> None:
    """Drops a projection; the log holds everything that was in it."""
    await owner.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def built_schemas(owner: Connection) -> list[str]:
    """Every projection that exists, live or not."""
    rows = await owner.fetch(
        r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^projection_v\d+(_b\d+)?$' ORDER BY nspname"
    )
    return [str(row["nspname"]) for row in rows]
