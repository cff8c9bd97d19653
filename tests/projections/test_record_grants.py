"""What mirrors a record of the log byte for byte can be added by the projector and changed by nobody (AUD-02)."""

import asyncpg
import pytest

from hepatrail_infra.postgres import connection
from hepatrail_projections.catalog import CATALOG
from projection_tables import Tables

RECORDS = ("event", "decision", "checkpoint_seal", "access_record")


def test_the_mirrors_of_topics_are_append_only() -> None:
    assert tuple(table.name for table in CATALOG if table.append_only) == RECORDS


async def test_aud_02_the_projectors_role_changes_and_deletes_no_record(tables: Tables) -> None:
    async with connection(tables.dsns.writer) as writer:
        for name in RECORDS:
            table = f"{tables.schema}.{name}"
            for statement in (
                f"UPDATE {table} SET kafka_offset = 0",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"DROP TABLE {table}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await writer.execute(statement)
        assert await writer.execute(f"DELETE FROM {tables.schema}.log_tile") == "DELETE 0"
