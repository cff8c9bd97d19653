"""Who may write: zombies write nothing and shut nobody out; a killed decider loses nothing that was acknowledged."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from hepatrail_events.codec import Link, read
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.errors import StartRefused
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import COMMANDS, DECISIONS, EVENTS, ensure_topics
from hepatrail_infra.kafka_log import LogReader, make_producer
from hepatrail_infra.kafka_wire import Wire
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider import takeover
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.setting import GROUP
from hepatrail_services.decider.writer import LaneWriter
from runtime_support import (
    DeciderChild,
    NoteRules,
    asking,
    deciding,
    decisions_of,
    events_of,
    note,
    publish,
    records,
    stream_in,
)

STREAMS = [stream_in(partition, "Z") for partition in range(12)]


@pytest.fixture
async def bootstrap(own_kafka: EmbeddedKafka) -> str:
    """A node of the test's own: members that were killed stay in their group until its session ends."""
    found = await own_kafka.start()
    await ensure_topics(found)
    return found


@pytest.fixture
async def children(bootstrap: str, tmp_path: Path) -> AsyncIterator[list[DeciderChild]]:
    """Deciders started by a test; all are gone after it."""
    started: list[DeciderChild] = []
    yield started
    for child in started:
        await child.kill()


async def accepted(bus: CommandBus, stream: str, within: float = 30.0) -> Decision:
    decision = await bus.ask(note(stream, studyversion=bus.study_version), within)
    assert decision is not None, "undecided"
    assert decision.verdict is Verdict.ACCEPTED, decision
    return decision


@pytest.mark.parametrize("layout", [1, 3])
async def test_a_zombie_writes_nothing_and_does_not_fence_its_successor(
    bootstrap: str, children: list[DeciderChild], tmp_path: Path, layout: int
) -> None:
    """The first is paused past its take-over, commands wait in its memory, and then it goes on."""
    zombie = DeciderChild(bootstrap, "decider-a", 1, tmp_path)
    children.append(zombie)
    await zombie.start()
    async with asking(bootstrap) as bus:
        await publish(bus)
        await asyncio.gather(*(accepted(bus, stream) for stream in STREAMS))
        zombie.send(signal.SIGSTOP)
        waiting = [asyncio.create_task(accepted(bus, stream, 60)) for stream in STREAMS]
        await asyncio.sleep(0.5)
        successor = DeciderChild(bootstrap, "decider-b", layout, tmp_path)
        children.append(successor)
        await successor.start()
        await asyncio.gather(*waiting)
        zombie.send(signal.SIGCONT)
        for _ in range(25):
            await asyncio.gather(*(accepted(bus, stream, 5) for stream in STREAMS))
            await asyncio.sleep(0.05)
        await zombie.until("idle", 20)
    assert "LaneLost" not in successor.said()
    assert "joining again" not in successor.said(), "the successor was never shut out"
    for stream in STREAMS:
        events = await events_of(bootstrap, stream)
        assert len(events) == 27
        assert len({event.envelope.commitid for event in events}) == 27


async def test_a_second_process_of_the_same_name_ends_the_first(
    bootstrap: str, children: list[DeciderChild], tmp_path: Path
) -> None:
    first = DeciderChild(bootstrap, "decider-a", 1, tmp_path)
    children.append(first)
    await first.start()
    second = DeciderChild(bootstrap, "decider-a", 1, tmp_path)
    children.append(second)
    await second.start()
    assert await first.wait() != 0
    assert "Another process runs as decider-a" in first.said()
    async with asking(bootstrap) as bus:
        await publish(bus)
        await accepted(bus, STREAMS[0])
    assert "joining again" not in second.said()


async def test_a_restart_with_another_number_of_lanes_asks_for_a_new_assignment(
    bootstrap: str, children: list[DeciderChild], tmp_path: Path
) -> None:
    """Kafka hands the old layout's assignment to whoever comes back under the same name."""
    for layout in (1, 4, 3):
        child = DeciderChild(bootstrap, "decider-a", layout, tmp_path)
        children.append(child)
        await child.start(serving=False)
        assert await child.until("serving " + ",".join(str(lane) for lane in range(layout)))
        async with asking(bootstrap) as bus:
            await publish(bus)
            await asyncio.gather(*(accepted(bus, stream) for stream in STREAMS))
        await child.kill()
    for stream in STREAMS:
        assert len(await events_of(bootstrap, stream)) == 3


async def test_ret_04_every_acknowledged_command_is_there_once_after_kill_9_under_load(
    bootstrap: str, children: list[DeciderChild], tmp_path: Path
) -> None:
    answered: dict[UUID, Decision] = {}
    asked = 0
    running = True

    async with asking(bootstrap) as bus:

        async def client(number: int) -> None:
            nonlocal asked
            while running:
                command = note(f"subject-K{number}", studyversion=bus.study_version)
                asked += 1
                while (decision := await bus.ask(command, 2)) is None:
                    pass
                answered[command.commandid] = decision

        child = DeciderChild(bootstrap, "decider-a", 2, tmp_path)
        children.append(child)
        await child.start()
        await publish(bus)
        clients = [asyncio.create_task(client(number)) for number in range(20)]
        for _ in range(4):
            await asyncio.sleep(1.0)
            await child.kill()
            child = DeciderChild(bootstrap, "decider-a", 2, tmp_path)
            children.append(child)
            await child.start()
        await asyncio.sleep(0.5)
        running = False
        await asyncio.gather(*clients)

    assert len(answered) == asked > 100
    links: dict[bytes, Link] = {}
    commits: list[UUID] = []
    for record in await records(bootstrap, EVENTS):
        assert record.key is not None
        recorded = read(record.value or b"")
        links[record.key] = links.get(record.key, Link()).follow(recorded)
        commits.append(recorded.envelope.commitid)
    assert len(commits) == len(set(commits)), "a command was committed twice"
    assert set(answered) <= set(commits), "an acknowledged command is lost"
    for number in range(20):
        ledger = await decisions_of(bootstrap, f"subject-K{number}")
        firsts = [decision.commandid for decision in ledger if not decision.repeat]
        assert len(firsts) == len(set(firsts))


async def test_a_take_over_fences_before_it_reads_and_reads_before_it_serves(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def noted(owner: object, name: str, step: str) -> None:
        function = getattr(owner, name)

        async def wrapper(*args: object, **kwargs: object) -> object:
            steps.append(step)
            return await function(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapper)

    noted(Wire, "heartbeat", "still a member?")
    noted(Wire, "fence", "fence others")
    noted(takeover, "_start_producer", "start the producer")
    noted(Wire, "committed", "read the committed offsets")
    noted(takeover, "_fold", "read events and decisions")
    async with deciding(kafka), asking(kafka) as bus:
        noted(LaneWriter, "send", "serve")
        await publish(bus)
    assert list(dict.fromkeys(steps)) == [
        "still a member?",
        "fence others",
        "start the producer",
        "read the committed offsets",
        "read events and decisions",
        "serve",
    ]
    assert steps.count("fence others") == 27


@pytest.mark.parametrize("foreign", ["hepatrail-decider-3-of-4", "hepatrail-decider-0-of-12"])
async def test_the_producer_of_another_layout_is_shut_out_too(kafka: str, foreign: str) -> None:
    old = make_producer(kafka, foreign)
    await old.start()
    await old.begin_transaction()
    await (await old.send(EVENTS, b"ghost", key=b"subject-G1", partition=3))
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
        with pytest.raises(Exception, match=r"Fenced|Epoch|TxnState"):
            await old.commit_transaction()
        await old.stop()
        assert await records(kafka, EVENTS) != []
    assert b"ghost" not in [record.value for record in await records(kafka, EVENTS)]


async def test_offsets_are_committed_with_the_events(kafka: str) -> None:
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
        await asyncio.gather(*(accepted(bus, STREAMS[5]) for _ in range(7)))
    place = TopicPartition(COMMANDS, 5)
    async with Wire(kafka) as wire:
        assert (await wire.committed(GROUP, [place]))[place] == 7


async def test_memory_is_read_on_from_where_it_stands_after_a_fence(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fenced process joins again; with a new assignment it serves again, and has lost nothing."""
    async with deciding(kafka), asking(kafka) as bus:
        await publish(bus)
        for _ in range(3):
            await accepted(bus, STREAMS[2])
        starts: list[dict[TopicPartition, int | None]] = []
        start = LogReader.start

        async def noted(self: LogReader, positions: dict[TopicPartition, int | None]) -> None:
            starts.append(dict(positions))
            await start(self, positions)

        monkeypatch.setattr(LogReader, "start", noted)
        async with Wire(kafka) as wire:
            await wire.fence("hepatrail-decider-0-of-1")
        assert (await accepted(bus, STREAMS[2])).version == 4
    folds = [positions for positions in starts if TopicPartition(DECISIONS, 2) in positions and len(positions) == 24]
    assert folds
    assert all((positions[TopicPartition(EVENTS, 2)] or 0) >= 3 for positions in folds)


async def test_two_processes_share_the_lanes_and_one_takes_all_when_the_other_is_killed(
    bootstrap: str, children: list[DeciderChild], tmp_path: Path
) -> None:
    a, b = (DeciderChild(bootstrap, name, 4, tmp_path) for name in ("decider-a", "decider-b"))
    children.extend((a, b))
    await a.start()
    await b.start(serving=False)
    assert len((await b.until("serving")).split(",")) == 2
    async with asking(bootstrap) as bus:
        await publish(bus)
        await asyncio.gather(*(accepted(bus, stream) for stream in STREAMS))
        await b.kill()
        await a.until("serving 0,1,2,3")
        await asyncio.gather(*(accepted(bus, stream) for stream in STREAMS))
    for stream in STREAMS:
        assert len(await events_of(bootstrap, stream)) == 2


async def test_topics_that_could_lose_events_stop_the_start(own_kafka: EmbeddedKafka) -> None:
    bootstrap = await own_kafka.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(EVENTS, 12, 1)])
    await admin.close()
    process = DeciderProcess(bootstrap, instance="decider-a", lanes=1, clock=SystemClock(), rules=NoteRules())
    with pytest.raises(StartRefused, match=r"hepatrail.events: retention.ms is 604800000, it must be -1"):
        await process.run()
