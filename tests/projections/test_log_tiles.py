"""The tree over each partition as the projector keeps it: the same however the log was cut, and proofs from it hold."""

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

from hepatrail_events.codec import read
from hepatrail_events.errors import Broken, InvalidMessage
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_events.transparency.merkle import (
    Frontier,
    NodeAt,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
)
from hepatrail_events.transparency.tiles import node_at_of
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import connection
from hepatrail_projections.log_tile import LOG_TILE, leaf_index, read_tiles
from hepatrail_projections.records import read_ahead
from log_commits import enrol, publish, sample
from projection_log import LogRecord, LogWriter
from projection_tables import Tables
from seals import Sealing
from trial_history import history

GARBAGE = b"\xff not json"


def leaves_of(records: Iterable[LogRecord]) -> dict[int, list[LogRecord]]:
    """The records of the events by partition."""
    found: dict[int, list[LogRecord]] = defaultdict(list)
    for each in records:
        if each.topic == EVENTS:
            found[each.partition].append(each)
    return found


def nodes(records: Iterable[LogRecord]) -> NodeAt:
    """The tree over records, straight from the recursion of RFC 6962."""
    leaves = [leaf_hash(each.value or b"") for each in records]

    def node_at(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node_at(level - 1, 2 * index), node_at(level - 1, 2 * index + 1))

    return node_at


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_the_tiles_are_those_of_the_tree_over_the_records_however_they_were_cut(
    tables: Tables, size: int
) -> None:
    log = history(31, subjects=2, steps=60)
    log.raw(subject_stream("S-00"), GARBAGE)
    log.raw(subject_stream("S-00"), None)
    sample(log, subject_stream("S-00"), creatinine="100")
    await tables.project(log.records, size=size)
    by_partition = leaves_of(log.records)
    assert max(map(len, by_partition.values())) > 32
    async with connection(tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        for partition, records in by_partition.items():
            rows = await LOG_TILE.where(link, "partition = $1", partition)
            tiles = {(row.level, row.number): row.hashes for row in rows}
            kept = node_at_of(lambda level, number, tiles=tiles: tiles[level, number])  # type: ignore[misc]
            assert root_at(kept, len(records)) == root_at(nodes(records), len(records))
            for index, record in enumerate(records):
                assert await leaf_index(link, partition, record.offset) == index
            absent = {*range(records[-1].offset + 5)} - {each.offset for each in records}
            for offset in (*absent, -1):
                assert await leaf_index(link, partition, offset) is None
    assert await tables.rows() == await tables.whole_build(log.records)


async def test_a_batch_that_fails_and_one_that_comes_again_leave_the_tree_as_it_was(tables: Tables) -> None:
    log = LogWriter(32)
    publish(log)
    stream = enrol(log, "S-1")
    sample(log, stream, creatinine="100")
    await tables.project(log.records)
    before = await tables.rows()
    good = len(log.records)
    log.raw(STUDY, GARBAGE)
    engine = await tables.engine()
    with pytest.raises(InvalidMessage):
        await engine.apply(log.records[good:])
    assert engine.projection.memory.trees.keys() == {each.partition for each in log.records if each.topic == EVENTS}
    sizes = {partition: tree.size for partition, tree in engine.projection.memory.trees.items()}
    assert sizes == {number: len(records) for number, records in leaves_of(log.records[:good]).items()}
    await engine.apply(log.records[:good])
    await engine.close()
    assert await tables.rows() == before


async def test_what_was_read_ahead_is_hashed_once_and_the_same(tables: Tables) -> None:
    log = history(33, subjects=1, steps=10)
    ahead = await read_ahead(log.records)  # type: ignore[arg-type]
    assert all((each.leaf is not None) == (each.topic == EVENTS) for each in ahead)
    engine = await tables.engine()
    await engine.apply(ahead)
    await engine.close()
    assert (await tables.rows())["log_tile"] == (await tables.whole_build(log.records))["log_tile"]


async def sealed_log(tables: Tables) -> tuple[LogWriter, Sealing]:
    """A log with a seal in its middle, one at its end, and an event behind it."""
    log, sealing = history(34, subjects=3, steps=60), Sealing()
    middle = len(log.records) // 2
    records = [
        *log.records[:middle],
        sealing.seal(log.records[:middle]),
        *log.records[middle:],
        sealing.seal(log.records),
    ]
    done = len(log.records)
    sample(log, subject_stream("S-00"), creatinine="100")
    await tables.project([*records, *log.records[done:]], size=50)
    return log, sealing


async def test_aud_06_every_sealed_event_has_a_proof_that_is_the_recursions(tables: Tables) -> None:
    log, sealing = await sealed_log(tables)
    reader = tables.reader
    chance = random.Random(34)
    for partition, records in leaves_of(log.records).items():
        for number in (1, 2, None):
            seal = sealing.seals[-1 if number is None else number - 1]
            size = sealing.sizes[seal.seal - 1][partition]
            for index in chance.sample(range(len(records)), min(8, len(records))):
                found = await reader.inclusion(read(records[index].value or b"").envelope.id, number)
                if index >= size:
                    assert found is None
                    continue
                assert found is not None
                assert found.proof == inclusion_proof(nodes(records), index, size)
                assert (found.partition, found.index, found.seal) == (partition, index, seal.seal)
                assert found.note == seal.checkpoints[partition]
                assert found.event.raw == records[index].value
                assert found.leaf_hash == leaf_hash(found.event.raw)


async def test_aud_06_an_earlier_seal_is_a_beginning_of_a_later_one(tables: Tables) -> None:
    log, sealing = await sealed_log(tables)
    for partition, records in leaves_of(log.records).items():
        first, second = (sizes[partition] for sizes in sealing.sizes)
        found = await tables.reader.consistency(partition, 1, 2)
        assert found is not None
        assert found.proof == consistency_proof(nodes(records), first, second)
        assert (found.note_first, found.note_second) == tuple(seal.checkpoints[partition] for seal in sealing.seals)
        same = await tables.reader.consistency(partition, 2, 2)
        assert same is not None
        assert same.proof == ()
    for partition, one, other in ((0, 1, 3), (0, 3, 3), (0, 2, 1), (12, 1, 2), (-1, 1, 2)):
        assert await tables.reader.consistency(partition, one, other) is None


async def test_there_is_no_proof_without_event_or_seal(tables: Tables) -> None:
    log = history(35, subjects=1, steps=5)
    await tables.project(log.records)
    event = read(next(each.value for each in log.records if each.topic == EVENTS) or b"").envelope.id
    assert await tables.reader.inclusion(event) is None
    await tables.project([Sealing().seal(log.records)])
    assert await tables.reader.inclusion(event) is not None
    assert await tables.reader.inclusion(event, 2) is None
    assert await tables.reader.inclusion(log.uuid()) is None


async def test_aud_06_a_tree_of_which_something_was_deleted_says_so(tables: Tables) -> None:
    log, _ = await sealed_log(tables)
    partition, records = max(leaves_of(log.records).items(), key=lambda each: len(each[1]))
    event = read(records[0].value or b"").envelope.id
    assert await tables.reader.inclusion(event) is not None
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(
            f"DELETE FROM {tables.schema}.log_tile WHERE partition = $1 AND (level > 0 OR number > 0)", partition
        )
    with pytest.raises(Broken) as broken:
        await tables.reader.inclusion(event)
    assert broken.value.code == "LOG_MIRROR_DIFFERS"
    with pytest.raises(Broken):
        await tables.reader.consistency(partition, 1, 2)
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"DELETE FROM {tables.schema}.log_tile")
    with pytest.raises(Broken, match="no leaf"):
        await tables.reader.inclusion(event)
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"UPDATE {tables.schema}.checkpoint_seal SET raw = '{{}}'")
    with pytest.raises(Broken, match="Seal 1"):
        await tables.reader.consistency(partition, 1, 2)


async def test_tiles_of_any_size_give_the_root_of_the_frontier(tables: Tables) -> None:
    # One stream only, so that one partition grows through more than one level.
    log = LogWriter(36)
    publish(log)
    stream = enrol(log, "S-1")
    for number in range(270):
        log.raw(stream, str(number).encode())
        log.release(log.records[-1])
    releases = [each for each in log.records if each.topic != EVENTS]
    await tables.project([*releases, *(each for each in log.records if each.topic == EVENTS)], size=37)
    partition, records = max(leaves_of(log.records).items(), key=lambda each: len(each[1]))
    frontier, roots = Frontier(), []
    for each in records:
        frontier.append(leaf_hash(each.value or b""))
        roots.append(frontier.root())
    async with connection(tables.dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        every = [(level, number) for level in range(4) for number in range(len(records))]
        tiles = await read_tiles(link, partition, every)
    assert {level for level, _ in tiles} == {0, 1, 2}
    node_at = node_at_of(lambda level, number: tiles[level, number])
    assert [root_at(node_at, size) for size in range(1, len(records) + 1)] == roots
