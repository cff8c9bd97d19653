"""Asking the deciders: each waiter gets the answer to its own command, or learns that it is pending."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.errors import Unavailable
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import DECISIONS, MAX_RECORD_BYTES
from hepatrail_infra.kafka_log import make_producer, partition_of
from hepatrail_services.command_bus import CommandBus
from runtime_support import actor, asking, deciding, note, publish


def answer(message: CommandMessage, **changes: object) -> Decision:
    """What a decider would write."""
    now = datetime.now(UTC)
    fields = {
        "commandid": message.commandid,
        "commandtype": message.commandtype,
        "stream": message.stream,
        "bodyhash": message.bodyhash,
        "verdict": Verdict.ACCEPTED,
        "version": 1,
        "recordedat": now,
        "receivedat": now,
        "actorid": "a",
        "actorrole": "INVESTIGATOR",
        "studyseq": 1,
        "producer": "test",
    }
    return Decision(**{**fields, **changes})


async def decided(shared_kafka: str, *decisions: Decision | bytes, stream: str = "subject-W01") -> None:
    producer = make_producer(shared_kafka)
    await producer.start()
    for one in decisions:
        value, key = (one, stream) if isinstance(one, bytes) else (one.raw(), one.stream)
        await producer.send_and_wait(DECISIONS, value, key=key.encode(), partition=partition_of(key))
    await producer.stop()


async def test_an_answer_reaches_everyone_who_waits_for_that_body(shared_kafka: str) -> None:
    command = note(f"subject-{uuid4().hex[:8]}")
    async with asking(shared_kafka) as bus:
        waiting = [asyncio.create_task(bus.ask(command, 10)) for _ in range(5)]
        await asyncio.sleep(0.1)
        await decided(shared_kafka, answer(command, stream="subject-other"), answer(command))
        answers = await asyncio.gather(*waiting)
    assert {one and one.version for one in answers} == {1}


async def test_an_answer_that_does_not_bind_is_the_answer_to_one_try_only(shared_kafka: str) -> None:
    command = note(f"subject-{uuid4().hex[:8]}")
    async with asking(shared_kafka) as bus:
        first = asyncio.create_task(bus.ask(command, 10))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(bus.ask(command, 10))
        await asyncio.sleep(0.05)
        await decided(shared_kafka, answer(command, verdict=Verdict.REJECTED, code=Code.INTERNAL), answer(command))
        one, other = await first, await second
    assert one is not None and one.code is Code.INTERNAL
    assert other is not None and other.verdict is Verdict.ACCEPTED


async def test_a_binding_answer_to_another_body_is_a_conflict(shared_kafka: str) -> None:
    command = note(f"subject-{uuid4().hex[:8]}")
    other = command.model_copy(update={"input": {"act": "two"}})
    async with asking(shared_kafka) as bus:
        waiting = asyncio.create_task(bus.ask(command, 10))
        await asyncio.sleep(0.05)
        unbinding = answer(other, verdict=Verdict.REJECTED, code=Code.TOO_LARGE)
        await decided(shared_kafka, unbinding, answer(other, repeat=True), answer(other))
        found = await waiting
    assert found is not None
    assert (found.verdict, found.code, found.bodyhash, found.repeat) == (
        Verdict.REJECTED,
        Code.CONFLICT,
        command.bodyhash,
        True,
    )


async def test_no_answer_in_time_is_pending_and_leaves_no_waiter(shared_kafka: str) -> None:
    async with asking(shared_kafka) as bus:
        assert await bus.ask(note(f"subject-{uuid4().hex[:8]}"), 0.3) is None
        assert bus._waiters == {}


async def test_a_decision_that_cannot_be_read_stops_nobody(shared_kafka: str) -> None:
    command = note(f"subject-{uuid4().hex[:8]}")
    async with asking(shared_kafka) as bus:
        waiting = asyncio.create_task(bus.ask(command, 10))
        await asyncio.sleep(0.05)
        await decided(shared_kafka, b"?", b"{}", answer(command), stream=command.stream)
        assert await waiting is not None
        assert bus.alive


async def test_the_study_version_is_the_highest_seen_decided(shared_kafka: str) -> None:
    async with deciding(shared_kafka), asking(shared_kafka) as bus, asking(shared_kafka) as other:
        assert bus.study_version == 0
        decision = await publish(bus)
        rejected = await bus.ask(note("study", "reject"), 10)
        assert rejected is not None
        assert bus.study_version == decision.version
        for _ in range(500):
            if other.study_version == decision.version:
                break
            await asyncio.sleep(0.01)
        assert other.study_version == decision.version


async def test_what_is_larger_than_a_record_is_not_sent(shared_kafka: str) -> None:
    async with asking(shared_kafka) as bus:
        with pytest.raises(Unavailable, match="larger than a record"):
            await bus.ask(note(text="x" * MAX_RECORD_BYTES), 5)
        assert bus._waiters == {}


async def test_who_waits_when_the_bus_stops_learns_that_it_is_pending(shared_kafka: str) -> None:
    bus = CommandBus(shared_kafka, "test", SystemClock())
    await bus.start()
    waiting = asyncio.create_task(bus.ask(note(f"subject-{uuid4().hex[:8]}"), 30))
    await asyncio.sleep(0.1)
    await bus.stop()
    assert await waiting is None
    with pytest.raises(Unavailable, match="not started"):
        await bus.ask(note(), 1)


async def test_a_bus_without_kafka_does_not_start() -> None:
    bus = CommandBus("127.0.0.1:9", "test", SystemClock())
    with pytest.raises(Unavailable):
        await bus.start()


def test_the_sites_of_a_token_are_not_part_of_the_body() -> None:
    command = note()
    other = command.model_copy(update={"actor": actor().model_copy(update={"sites": ("S1", "S2")})})
    assert command.bodyhash == other.bodyhash
