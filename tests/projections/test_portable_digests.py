"""Portable digests: the same for the same events, wherever Kafka keeps them."""

from dataclasses import replace

from hepatrail_events.streams import subject_stream
from hepatrail_infra.postgres import connection
from hepatrail_projections.catalog import CATALOG
from hepatrail_projections.digests import differing, digests
from projection_log import LogRecord
from projection_tables import Tables
from trial_history import history


def elsewhere(records: list[LogRecord]) -> list[LogRecord]:
    """The same log at other offsets, as when it is written anew in other transactions."""
    return [replace(each, offset=each.offset * 3 + 5) for each in records]


async def test_ret_01_a_log_at_other_offsets_has_the_same_portable_digests(tables: Tables) -> None:
    log = history(441, subjects=2, steps=40)
    log.raw(subject_stream("S-01"), b"garbage")
    await tables.project(log.records)
    await tables.whole_build(elsewhere(log.records))
    async with connection(tables.dsns.owner) as owner:
        here, there = tables.schema, f"{tables.schema}_b9"
        assert differing(await digests(owner, here, portable=True), await digests(owner, there, portable=True)) == ()
        assert set(differing(await digests(owner, here), await digests(owner, there))) >= {"event", "decision"}


async def test_everything_but_the_place_counts(tables: Tables) -> None:
    await tables.project(history(442, subjects=1, steps=20).records)
    async with connection(tables.dsns.owner) as owner:
        before = await digests(owner, tables.schema, portable=True)
        await owner.execute(f"UPDATE {tables.schema}.event SET kafka_offset = kafka_offset + 1")
        assert await digests(owner, tables.schema, portable=True) == before
        await owner.execute(f"UPDATE {tables.schema}.event SET actor_id = 'mallory' WHERE streamseq = 1")
        assert differing(before, await digests(owner, tables.schema, portable=True)) == ("event",)


async def test_without_places_both_digests_are_one(tables: Tables) -> None:
    await tables.project(history(443, subjects=1, steps=20).records)
    async with connection(tables.dsns.owner) as owner:
        whole, portable = await digests(owner, tables.schema), await digests(owner, tables.schema, portable=True)
    placed = {table.name for table in CATALOG if table.places and table.digested}
    assert set(differing(whole, portable)) <= placed
    assert "event" in differing(whole, portable)


def test_every_column_that_holds_an_offset_is_named_as_a_place() -> None:
    for table in CATALOG:
        assert set(table.places) <= {column.name for column in table.columns}, table.name
        if table.digested:
            assert {each.name for each in table.columns if "offset" in each.name} == set(table.places), table.name
