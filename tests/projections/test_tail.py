"""The live tail: what it hands over, when it says that something is wrong, and that it leaves nothing behind."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from hepatrail_events.errors import Unavailable
from hepatrail_projections.completeness import Seen
from hepatrail_projections.records import READ_TOPICS
from hepatrail_projections.tail import Tail, tail_of
from log_commits import publish
from projection_kafka import write
from projection_log import LogWriter

TP = TopicPartition("hepatrail.events", 0)
SINCE_THE_BEGINNING = dict.fromkeys(READ_TOPICS, 0)


def tail_over(app: Any, *records: Any) -> Tail:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    for record in records:
        queue.put_nowait(record)
    return Tail(app, READ_TOPICS, queue)


def fetched(at: float, but: TopicPartition | None = None) -> dict[TopicPartition, Seen]:
    return {each: Seen(5, 5, 5, at, None) for each in READ_TOPICS if each != but}


async def test_a_crash_of_the_app_is_no_silent_end() -> None:
    app = SimpleNamespace(crash=None, seen={})
    tail = tail_over(app)
    tail.check()
    app.crash = ValueError("a bug in the agent")
    with pytest.raises(ValueError, match="a bug"):
        await tail.next_records()
    app.crash = KafkaConnectionError("away")
    with pytest.raises(Unavailable):
        await tail.next_records()


async def test_a_tail_without_one_of_its_partitions_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    app = SimpleNamespace(crash=None, seen=fetched(100.0, but=TP))
    tail = tail_over(app)
    assert not tail.complete
    tail.check()
    monkeypatch.setattr(tail, "_clock", lambda: tail._begun + 6)
    with pytest.raises(Unavailable, match="1 partitions"):
        tail.check()
    app.seen = fetched(106.0)
    tail.check()
    assert tail.complete


async def test_a_tail_that_fetches_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    app = SimpleNamespace(crash=None, seen=fetched(100.0))
    tail, hours = tail_over(app), [0.0]
    monkeypatch.setattr(tail, "_clock", lambda: hours[0])
    tail.check()
    hours[0] = 4.0
    tail.check()
    app.seen = fetched(104.0)
    tail.check()
    hours[0] = 8.5
    tail.check()
    hours[0] = 9.5
    with pytest.raises(Unavailable, match="nothing was fetched"):
        tail.check()


async def test_what_comes_again_after_the_group_was_joined_anew_is_handed_over_once() -> None:
    records = [SimpleNamespace(topic=TP.topic, partition=TP.partition, offset=offset) for offset in (7, 8, 7, 8, 9)]
    tail = tail_over(SimpleNamespace(crash=None, seen=fetched(100.0)), *records)
    assert [record.offset for record in await tail.next_records()] == [7, 8, 9]


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 0.2])
async def test_a_tail_that_is_cancelled_leaves_no_thread_behind(kafka: str, after: float) -> None:
    log = LogWriter(60)
    publish(log)
    await write(kafka, log.records)
    before = set(threading.enumerate())

    async def follow() -> None:
        async with tail_of(kafka, "hepatrail-test", READ_TOPICS, lambda: SINCE_THE_BEGINNING) as tail:
            while True:
                await tail.next_records()

    following = asyncio.create_task(follow())
    await asyncio.wait([following], timeout=after)
    following.cancel()
    await asyncio.wait([following])
    assert following.cancelled()
    assert set(threading.enumerate()) <= before


async def test_a_tail_without_kafka_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with pytest.raises(Unavailable):
        async with tail_of("127.0.0.1:9", "hepatrail-test", READ_TOPICS, lambda: SINCE_THE_BEGINNING):
            pass
    assert set(threading.enumerate()) <= before
