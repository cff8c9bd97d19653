"""A decider on a real Kafka, with rules so small that every effect is the runtime's."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from hepatrail_events.codec import Link, Recorded, read
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.errors import CommandRejected, InvalidPayload
from hepatrail_events.event import Event
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY
from hepatrail_events.study import SiteActivated
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, TOPICS
from hepatrail_infra.kafka_log import Record, make_producer, partition_of, read_to_end
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.rules import Rules, StudyFacts

READY_SECONDS = 30.0
MOMENT = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


class NoteRules:
    """Counts the events of a stream. What a command does is the value of `act` in its input."""

    def initial(self, stream: str) -> int:
        return 0

    def parse(self, message: CommandMessage) -> str:
        if message.commandtype != "note":
            raise InvalidPayload(f"no command is called {message.commandtype}")
        return str(message.input["act"])

    def decide(self, state: int, study: int, command: str, message: CommandMessage, now: datetime) -> Sequence[Event]:
        match command:
            case "note":
                return (_note(message, now),)
            case "two":
                return (_note(message, now), _note(message, now))
            case "nothing":
                return ()
            case "reject":
                raise CommandRejected("Not today.", rule="TST-01", field="act")
            case "bug":
                raise ZeroDivisionError
            case "odd-code":
                raise CommandRejected("No such code.", code="NO_SUCH_CODE")
            case "huge":
                return (_note(message, now).model_copy(update={"version": "x" * 1_100_000}),)
            case "once" if state == 0:
                return (_note(message, now),)
            case "once":
                raise CommandRejected("Somebody else was first.", code="CONFLICT")
            case other:
                raise AssertionError(other)

    def evolve(self, state: int, recorded: Recorded) -> int:
        return state + 1

    def study_facts(self, study: int, now: datetime) -> StudyFacts:
        return StudyFacts(published=study > 0, protocol_version="1" if study else None)


def _note(message: CommandMessage, now: datetime) -> Event:
    if message.stream == STUDY:
        return SiteActivated(site_id="S1", approval_ref="A-1")
    return ConsentRecorded(site_id="S1", version="1", given_at=now, health_data_consent=True)


def actor(name: str = "dr-who") -> Actor:
    return Actor(id=name, role=Role.INVESTIGATOR, org="Trial site", sites=("S1",))


def note(
    stream: str = "subject-P01",
    act: str = "note",
    *,
    id: UUID | None = None,
    by: str = "dr-who",
    studyversion: int = 0,
    type: str = "note",
    **extra: Any,
) -> CommandMessage:
    return CommandMessage(
        commandid=id or uuid4(),
        commandtype=type,
        stream=stream,
        input={"act": act, **extra},
        actor=actor(by),
        receivedat=MOMENT,
        studyversion=studyversion,
    )


class SetClock:
    """The system's clock, moved by hand."""

    label = ""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.offset


@asynccontextmanager
async def deciding(
    kafka: str, *, instance: str = "decider-0", lanes: int = 1, clock: Clock | None = None, rules: Rules | None = None
) -> AsyncIterator[DeciderProcess]:
    """A decider in this process, until all its lanes serve and then until the block ends."""
    process = DeciderProcess(
        kafka, instance=instance, lanes=lanes, clock=clock or SystemClock(), rules=rules or NoteRules()
    )
    task = asyncio.create_task(process.run())
    try:
        await until_serving(process, task)
        yield process
    finally:
        process.stop()
        await asyncio.wait([task], timeout=20)
        assert task.done()
        if not task.cancelled() and task.exception() is not None and not isinstance(task.exception(), Exception):
            task.result()


async def until_serving(process: DeciderProcess, task: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            health = await process.health()
            if task.done():
                task.result()
            if health.healthy and health.detail["lanes"]:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def asking(kafka: str) -> AsyncIterator[CommandBus]:
    """A started command bus."""
    bus = CommandBus(kafka, "test", SystemClock())
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def publish(bus: CommandBus) -> Decision:
    """The first event of the study, without which no other stream is served."""
    decision = await bus.ask(note(STUDY), timeout=30)
    assert decision is not None and decision.verdict is Verdict.ACCEPTED, decision
    return decision


class DeciderChild:
    """A decider in a process of its own, which can be paused, continued and killed."""

    def __init__(self, kafka: str, instance: str, lanes: int, log: Path) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("runtime_decider.py")), kafka, instance]
        self._command.append(str(lanes))
        self._log = log / f"{instance}-{lanes}-{uuid4().hex[:6]}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, serving: bool = True) -> "DeciderChild":
        """Starts it and waits until it serves, unless told not to."""
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        if serving:
            await self.until("serving")
        return self

    async def until(self, word: str, within: float = READY_SECONDS) -> str:
        """Reads its output until a line begins with `word`."""
        assert self._process is not None and self._process.stdout is not None
        async with asyncio.timeout(within):
            while line := (await self._process.stdout.readline()).decode():
                if line.startswith(word):
                    return line.strip()
        raise AssertionError(f"the decider ended: {self._log.read_text()[-2000:]}")

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def wait(self, within: float = 30.0) -> int:
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), within)

    async def kill(self) -> None:
        """Ends it at once, paused or not."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def said(self) -> str:
        """What it logged."""
        return self._log.read_text()


async def records(kafka: str, topic: str) -> list[Record]:
    """Every committed record of a topic."""
    found: list[Record] = []

    async def take(batch: list[Record]) -> None:
        found.extend(batch)

    partitions = range(next(spec.partitions for spec in TOPICS if spec.name == topic))
    await read_to_end(kafka, topic, partitions, {}, take)
    return found


async def events_of(kafka: str, stream: str) -> list[Recorded]:
    """The events of a stream, its chain verified."""
    found, link = [], Link()
    for record in await records(kafka, EVENTS):
        if record.key == stream.encode():
            recorded = read(record.value or b"")
            link = link.follow(recorded)
            found.append(recorded)
    return found


async def decisions_of(kafka: str, stream: str) -> list[Decision]:
    """The decisions on a stream's commands, in order."""
    return [Decision.read(r.value or b"") for r in await records(kafka, DECISIONS) if r.key == stream.encode()]


async def put(kafka: str, topic: str, stream: str, value: bytes, *, partition: int | None = None) -> int:
    """Writes a record past the runtime and returns its offset."""
    producer = make_producer(kafka)
    await producer.start()
    try:
        place = partition_of(stream) if partition is None else partition
        sent = await producer.send_and_wait(topic, value, key=stream.encode(), partition=place)
        return int(sent.offset)
    finally:
        await producer.stop()


def stream_in(partition: int, prefix: str = "P") -> str:
    """The name of a subject's stream that lives in this partition."""
    names = (f"subject-{prefix}{number}" for number in range(10_000))
    return next(name for name in names if partition_of(name) == partition)
