"""Logs that cannot be trusted: poisoned, shortened, of another clock; and a Kafka that goes away."""

import asyncio
import json
import os
import signal

import pytest
from aiokafka import TopicPartition

from hepatrail_events.codec import record
from hepatrail_events.decisions import Code, Verdict
from hepatrail_events.errors import LogShorter, StartRefused
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import COMMANDS, EVENTS, QUARANTINE, ensure_topics
from hepatrail_infra.kafka_log import make_producer, partition_of
from hepatrail_infra.kafka_quarantine import Released, record_bytes
from hepatrail_services.decider.halted import Halted
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.setting import GROUP
from runtime_support import (
    MOMENT,
    NoteRules,
    asking,
    deciding,
    events_of,
    note,
    publish,
    put,
    stream_in,
)


def process(kafka: str) -> DeciderProcess:
    return DeciderProcess(kafka, instance="decider-0", lanes=1, clock=SystemClock(), rules=NoteRules())


async def release(kafka: str, stream: str, offset: int) -> None:
    released = Released(
        stream=stream, partition=partition_of(stream), offset=offset, reason="looked at", by="admin", at=MOMENT
    )
    await put(kafka, QUARANTINE, stream, record_bytes(released), partition=0)


async def test_a_poisoned_stream_is_parked_and_after_its_release_goes_on(kafka: str) -> None:
    poisoned, neighbour = stream_in(4, "A"), stream_in(4, "B")
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
        await bus.ask(note(poisoned, studyversion=1), 20)
    offset = await put(kafka, EVENTS, poisoned, b"\x00 not an event")
    async with deciding(kafka) as decider, asking(kafka) as bus:
        parked, command = note(poisoned, studyversion=1), note(neighbour, studyversion=1)
        answers = await asyncio.gather(bus.ask(parked, 20), bus.ask(command, 20))
        assert [answer and answer.code for answer in answers] == [Code.SUBJECT_PARKED, None]
        assert (await decider.health()).detail["parked"] == {poisoned: "NOT_JSON"}
        await release(kafka, poisoned, offset)
        async with asyncio.timeout(20):
            while (again := await bus.ask(parked, 20)) is None or again.code is Code.SUBJECT_PARKED:
                pass
        assert (again.verdict, again.version) == (Verdict.ACCEPTED, 2), "the same id is decided anew"
        assert (await decider.health()).detail["parked"] == {}
    async with deciding(kafka), asking(kafka) as bus:
        last = await bus.ask(note(poisoned, studyversion=1), 20)
        assert last is not None and last.version == 3, "the release is known to the next process"


@pytest.mark.parametrize("stream", [STUDY, SAFETY_DESK])
async def test_study_and_desk_halt_the_process_with_the_reason(kafka: str, stream: str) -> None:
    offset = await put(kafka, EVENTS, stream, b"{}")
    place = rf"{stream} cannot be read at hepatrail.events/{partition_of(stream)}@{offset}"
    with pytest.raises(Halted, match=place):
        await asyncio.wait_for(process(kafka).run(), 20)
    await release(kafka, stream, offset)
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)


async def test_an_unreadable_study_event_halts_a_process_that_serves(kafka: str) -> None:
    running = process(kafka)
    task = asyncio.create_task(running.run())
    async with asking(kafka) as bus:
        await publish(bus)
        await put(kafka, EVENTS, STUDY, b"[]")
        with pytest.raises(Halted, match="study cannot be read"):
            await asyncio.wait_for(task, 20)


async def test_commands_shorter_than_what_was_committed_halt_the_process(kafka: str) -> None:
    producer = make_producer(kafka, "hepatrail-decider-0-of-1")
    await producer.start()
    async with producer.transaction():
        await producer.send(EVENTS, b"?", key=b"subject-XY", partition=7)
        await producer.send_offsets_to_transaction({TopicPartition(COMMANDS, 7): 40}, GROUP)
    await producer.stop()
    with pytest.raises(LogShorter, match=r"hepatrail.commands/7 holds offsets 0 to 0, but this reader has stored 40"):
        await asyncio.wait_for(process(kafka).run(), 20)


async def test_a_log_of_a_simulated_clock_refuses_a_real_one(kafka: str) -> None:
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
    (event,) = await events_of(kafka, STUDY)
    body = json.loads(event.raw)
    assert body["producer"].startswith("hepatrail/")

    class Simulated:
        label = "simulated-clock"

        def now(self):  # type: ignore[no-untyped-def]
            return SystemClock().now()

    other = DeciderProcess(kafka, instance="decider-0", lanes=1, clock=Simulated(), rules=NoteRules())
    with pytest.raises(StartRefused, match="a log never mixes the two"):
        await asyncio.wait_for(other.run(), 20)


async def test_the_chain_of_a_stream_is_verified_while_folding(kafka: str) -> None:
    stream = stream_in(9, "C")
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
        await bus.ask(note(stream, "two", studyversion=1), 20)
    first, _ = await events_of(kafka, stream)
    await put(kafka, EVENTS, stream, record(first.envelope, first.event).raw)
    async with deciding(kafka), asking(kafka) as bus:
        answer = await bus.ask(note(stream, studyversion=1), 20)
        assert answer is not None and answer.code is Code.SUBJECT_PARKED


async def test_ret_04_kafka_away_for_a_while_loses_nothing(own_kafka: EmbeddedKafka) -> None:
    """Killed with SIGKILL under load, away longer than every time-out, then back: all by itself."""
    stream, kafka = stream_in(1, "D"), await own_kafka.start()
    await ensure_topics(kafka)
    async with deciding(kafka) as decider, asking(kafka) as bus:
        await publish(bus)
        first = await bus.ask(note(stream, studyversion=1), 20)
        assert first is not None
        flood = [asyncio.create_task(bus.ask(note(stream, studyversion=1), 3)) for _ in range(50)]
        assert own_kafka.pid is not None
        await asyncio.sleep(0.02)
        await _kill(own_kafka)
        pending = note(stream, studyversion=1)
        assert await bus.ask(pending, 2) is None, "pending, not lost"
        await asyncio.gather(*flood)
        await asyncio.sleep(12)
        assert not (await decider.health()).healthy
        await own_kafka.start()
        async with asyncio.timeout(60):
            while (answer := await bus.ask(pending, 5)) is None:
                pass
        assert answer.verdict is Verdict.ACCEPTED
        for _ in range(200):
            if (await decider.health()).healthy:
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("health stays red")
    events = await events_of(kafka, stream)
    commits = [event.envelope.commitid for event in events]
    assert len(commits) == len(set(commits)) == 52


async def _kill(node: EmbeddedKafka) -> None:
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)
    await node.wait()
