"""An adversary at work on the order of a log: dropped, inserted, swapped, doubled, cut off, rewritten."""

from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forging import change, put_value, rechain, rows_of, spread_offsets, value_at
from hepatrail_events.canonical import canonical_json, sha256_hex
from hepatrail_events.codec import parse_object
from hepatrail_events.transparency.checkpoint import Checkpoint
from hepatrail_events.transparency.seal import open_seal
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.kafka_quarantine import Released, record_bytes
from hepatrail_infra.kafka_scan import BadBatch
from hepatrail_services.audit.problems import KEPT
from hepatrail_services.audit.source import HeaderRow, MemorySource, Row
from hepatrail_services.audit.verifier import verify
from log_commits import sample
from projection_log import BEGIN
from sealed_log import KEY, many_samples, partition_and_index, sealed_history
from tampered import INDEX, LOG, PARTITION, SEQ, STREAM, codes, copy, offset_of, place, taken


async def test_aud_06_a_dropped_event_is_named() -> None:
    source, rows = copy()
    del rows[INDEX]
    report = await verify(source)
    assert codes(report)[0] == "STREAM_GAP" and {"ROOT_MISMATCH", "LOG_SHORTER"} <= set(codes(report))
    assert place(report) == (EVENTS, PARTITION, offset_of(STREAM, SEQ + 1), STREAM, SEQ + 1)


async def test_aud_06_an_inserted_event_is_named() -> None:
    source, rows = copy()
    forged = parse_object(value_at(rows, INDEX))
    forged |= {"id": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "streamseq": SEQ + 1}
    forged["prevhash"], forged["commitid"] = sha256_hex(value_at(rows, INDEX)), forged["id"]
    inserted = (rows[INDEX][0], STREAM.encode(), canonical_json(forged), rows[INDEX][3])
    spread_offsets(rows, [*rows[: INDEX + 1], inserted, *rows[INDEX + 1 :]])
    report = await verify(source)
    # The inserted one follows; the real one of the same number comes a second time.
    assert codes(report)[0] == "DOUBLED" and "ROOT_MISMATCH" in codes(report)
    assert place(report)[3:] == (STREAM, SEQ + 1)


async def test_aud_06_bytes_without_meaning_inserted_are_named() -> None:
    source, rows = copy()
    spread_offsets(rows, [*rows[:INDEX], (0, STREAM.encode(), b"?", ()), *rows[INDEX:]])
    report = await verify(source)
    assert codes(report) == ["NOT_JSON", "ROOT_MISMATCH"], "what follows still follows what was before"
    assert place(report) == (EVENTS, PARTITION, rows[INDEX][0], STREAM, None)


async def test_aud_06_swapped_events_are_named() -> None:
    source, rows = copy()
    _, after = partition_and_index(source, STREAM, SEQ + 1)
    order = list(rows)
    order[INDEX], order[after] = order[after], order[INDEX]
    spread_offsets(rows, order)
    report = await verify(source)
    assert codes(report)[:2] == ["STREAM_GAP", "DOUBLED"] and "ROOT_MISMATCH" in codes(report)
    assert place(report) == (EVENTS, PARTITION, rows[INDEX][0], STREAM, SEQ + 1)
    assert report.count <= 4


async def test_aud_06_a_doubled_event_is_named() -> None:
    source, rows = copy()
    spread_offsets(rows, [*rows[: INDEX + 1], rows[INDEX], *rows[INDEX + 1 :]])
    report = await verify(source)
    assert codes(report) == ["DOUBLED", "ROOT_MISMATCH"]
    assert place(report) == (EVENTS, PARTITION, rows[INDEX + 1][0], STREAM, SEQ)


async def test_aud_06_a_partition_written_twice_is_named_once_a_stream() -> None:
    source, rows = copy()
    spread_offsets(rows, [*rows, *rows])
    report = await verify(source)
    assert codes(report).count("DOUBLED") == len({row[1] for row in rows}) == report.count


async def test_aud_06_a_truncated_tail_is_named_by_the_checkpoint() -> None:
    source, rows = copy()
    del rows[-2:]
    end = rows[-1][0] + 1
    report = await verify(source)
    assert codes(report) == ["LOG_SHORTER"], "every chain is whole"
    assert report.problems[0].message.endswith("2 are missing") and "seal 3" in report.problems[0].message
    assert place(report) == (EVENTS, PARTITION, end, None, None)
    del source.topics[(CHECKPOINTS, 0)]
    assert (await verify(source)).whole, "without a seal nobody can know"


async def test_aud_06_a_commit_cut_in_two_is_named() -> None:
    source, rows = copy()
    last = max(index for index, row in enumerate(rows) if row[1] == STREAM.encode())
    change(rows, last, lambda body: body.update(commitsize=3))
    del source.topics[(CHECKPOINTS, 0)]
    report = await verify(source)
    assert codes(report) == ["COMMIT_INCOMPLETE"] and "after 1 of 3 events" in report.problems[0].message
    assert place(report)[:4] == (EVENTS, PARTITION, rows[last][0], STREAM)


async def test_aud_06_a_stream_cut_out_is_named() -> None:
    source, rows = copy()
    rows[:] = [row for row in rows if row[1] != STREAM.encode()]
    report = await verify(source)
    assert set(codes(report)) <= {"ROOT_MISMATCH", "LOG_SHORTER"} and "LOG_SHORTER" in codes(report)
    assert report.problems[0].partition == PARTITION
    assert STREAM not in report.heads


def forge(source: MemorySource, rows: list[HeaderRow]) -> int:
    """One result of the past says something else, and every hash behind it is computed anew."""
    change(rows, INDEX, lambda body: body.update(actorid="dr-no"))
    return rechain(rows, INDEX)


async def test_aud_06_history_rewritten_with_recomputed_hashes_is_named() -> None:
    source, rows = copy()
    assert forge(source, rows) > 0
    report = await verify(source)
    assert codes(report) == ["ROOT_MISMATCH"], "every chain is whole"
    problem = report.problems[0]
    assert (problem.topic, problem.partition) == (EVENTS, PARTITION)
    assert STREAM in problem.message and "seal 1" in problem.message
    del source.topics[(CHECKPOINTS, 0)]
    assert (await verify(source)).whole, "without a seal nobody can know"


async def test_aud_06_a_rewriting_between_two_seals_is_narrowed_down() -> None:
    source, rows = copy()
    last = max(index for index, row in enumerate(rows) if row[1] == STREAM.encode())
    assert last >= open_seal(LOG.seals[1], [KEY.public]).trees[PARTITION].size
    change(rows, last, lambda body: body.update(actorid="dr-no"))
    report = await verify(source)
    agreed = open_seal(LOG.seals[1], [KEY.public]).trees[PARTITION].size
    assert codes(report) == ["ROOT_MISMATCH"]
    assert "of seal 3" in report.problems[0].message
    assert (
        f"after offset {rows[agreed - 1][0]}, where seal 2 still agrees ({agreed} events)" in report.problems[0].message
    )


async def test_aud_06_a_reordered_partition_is_named() -> None:
    source, rows = copy()
    other = next(i for i in range(INDEX, len(rows) - 1) if rows[i][1] != rows[i + 1][1])
    order = list(rows)
    order[other], order[other + 1] = order[other + 1], order[other]
    spread_offsets(rows, order)
    report = await verify(source)
    assert codes(report) == ["ROOT_MISMATCH"], "each stream for itself is whole"
    streams = {(row[1] or b"").decode() for row in rows[other : other + 2]}
    assert all(stream in report.problems[0].message for stream in streams)


@pytest.mark.parametrize("counted", [True, False])
async def test_what_follows_a_released_record_may_follow_it_or_the_one_before(counted: bool) -> None:
    log = sealed_history(4, subjects=1, steps=10)
    stream = "subject-S-00"
    garbage = log.log.raw(stream, b"\x00 of another program")
    if counted:
        log.log.skip_in_chain(stream, b"\x00 of another program")
    log.log.release(garbage)
    sample(log.log, stream, creatinine="90")
    log.seal()
    assert (await verify(log.source())).whole
    source = log.source()
    rows = rows_of(source, EVENTS, partition_of(stream))
    change(rows, len(rows) - 1, lambda body: body.update(prevhash="0" * 64))
    assert codes(await verify(source)) == ["BROKEN_CHAIN", "ROOT_MISMATCH"]


async def test_a_release_of_a_decision_or_of_another_place_frees_no_event() -> None:
    source, rows = copy()
    put_value(rows, INDEX, b"?")
    places = [("hepatrail.decisions", PARTITION, rows[INDEX][0]), (EVENTS, PARTITION, rows[INDEX][0] + 1)]
    for number, (topic, partition, offset) in enumerate(places):
        entry = Released(
            topic=topic, stream=STREAM, partition=partition, offset=offset, reason="why", by="admin", at=BEGIN
        )
        source.topics.setdefault((QUARANTINE, 0), []).append((number, STREAM.encode(), record_bytes(entry), ()))
    assert "NOT_JSON" in codes(await verify(source))


async def test_many_problems_are_counted_and_the_first_ones_kept() -> None:
    source = many_samples(3, 60).source()
    for (topic, _), rows in source.topics.items():
        if topic == EVENTS:
            for index in range(len(rows)):
                put_value(rows, index, b"?")
    report = await verify(source)
    assert report.count > KEPT == len(report.problems)
    places = [problem.rank for problem in report.problems]
    assert places == sorted(places)
    assert report.last_line().startswith("broken: ") and report.last_line().endswith(
        f"({report.count} problems in all)"
    )


class DamagedSource(MemorySource):
    """A partition whose segment cannot be read from a place on."""

    async def rows(self, topic: str, partition: int, start: int | None = None) -> AsyncIterator[Sequence[Row]]:
        """As far as it can be read."""
        async for rows in MemorySource.rows(self, topic, partition, start):
            if (topic, partition) == (EVENTS, PARTITION):
                yield rows[:INDEX]
                raise BadBatch("the bytes are not those that were checksummed", rows[INDEX][0])
            yield rows


async def test_aud_06_a_batch_that_cannot_be_read_is_named_and_the_other_partitions_are_read() -> None:
    source, rows = copy()
    report = await verify(DamagedSource(source.topics))
    found = {problem.code: problem for problem in report.problems}
    assert (found["BAD_CRC"].partition, found["BAD_CRC"].offset) == (PARTITION, rows[INDEX][0])
    assert found["LOG_SHORTER"].partition == PARTITION, "what lies behind it is missing"
    assert report.events == sum(len(each) for place, each in source.topics.items() if place[0] == EVENTS) - len(
        rows[INDEX:]
    )


@lru_cache
def random_log(seed: int) -> tuple[MemorySource, tuple[Checkpoint, ...]]:
    log = sealed_history(seed, subjects=5, steps=60)
    return log.source(), taken(log)


MUTATIONS = st.sampled_from(["flip", "drop", "double", "swap", "truncate", "move", "cut", "empty"])
TOPICS = st.sampled_from([EVENTS, EVENTS, EVENTS, CHECKPOINTS])


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(1, 4), kind=MUTATIONS, topic=TOPICS, data=st.data())
async def test_aud_06_any_mutation_is_found_once_a_checkpoint_covers_it(
    seed: int, kind: str, topic: str, data: Any
) -> None:
    kept, checkpoints = random_log(seed)
    source = MemorySource({place: list(rows) for place, rows in kept.topics.items()})
    places = sorted(place for place, rows in source.topics.items() if place[0] == topic and len(rows) > 1)
    rows = source.topics[data.draw(st.sampled_from(places))]
    before = [row[1:3] for row in rows]
    _mutate(rows, kind, data)
    report = await verify(source, checkpoints=checkpoints)
    assert report.whole == ([row[1:3] for row in rows] == before), report.last_line()


def _mutate(rows: list[HeaderRow], kind: str, data: Any) -> None:
    index = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(st.integers(0, len(rows) - 1))
    value = value_at(rows, index)
    order: Sequence[HeaderRow] = list(rows)
    match kind:
        case "flip":
            at, bit = data.draw(st.integers(0, len(value) - 1)), 1 << data.draw(st.integers(0, 7))
            put_value(rows, index, value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :])
            return
        case "empty":
            offset, key, _, headers = rows[index]
            rows[index] = (offset, key, None, headers)
            return
        case "cut":
            put_value(rows, index, value[: data.draw(st.integers(0, len(value) - 1))])
            return
        case "drop":
            order = [row for n, row in enumerate(rows) if n != index]
        case "double":
            order = [*rows[:other], rows[index], *rows[other:]]
        case "swap":
            swapped = list(rows)
            swapped[index], swapped[other] = swapped[other], swapped[index]
            order = swapped
        case "truncate":
            order = rows[:index]
        case "move":
            rest = [row for n, row in enumerate(rows) if n != index]
            order = [*rest[:other], rows[index], *rest[other:]]
    spread_offsets(rows, order)
