"""How fast a command is decided, beside the bare loops that move the same bytes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.limits import Line
from benchmarks.measure import in_flight, one_at_a_time
from benchmarks.peers import bare_loop, bare_transaction, last_value
from hepatrail_events.codec import read
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.streams import STUDY, subject_stream
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider.process import DeciderProcess
from hepatrail_services.decider.trial_rules import TrialRules

SUBJECTS = 24
SINGLE_CALLS = 300
AT_ONCE = {16: 2_000, 128: 8_000, 1_024: 12_000}
LATENCY_LIMIT = 3.0
THROUGHPUT_LIMIT = 0.25


class Trial:
    """Asks a decider as a gateway would, for participants that are enrolled."""

    def __init__(self, bus: CommandBus) -> None:
        self._bus = bus
        self._clock = SystemClock()

    def message(self, role: Role, stream: str, name: str, **fields: Any) -> CommandMessage:
        """A command with a new id."""
        command_id = uuid4()
        return CommandMessage(
            commandid=command_id,
            commandtype=name,
            stream=stream,
            input={"commandId": str(command_id), **fields},
            actor=Actor(id="bench", role=role, org="BFH", sites=("*",)),
            receivedat=self._clock.now(),
            studyversion=self._bus.study_version,
        )

    async def accepted(self, message: CommandMessage) -> Decision:
        """The decision of a command that must be accepted."""
        decision = await self._bus.ask(message, 60.0)
        if decision is None or decision.verdict is not Verdict.ACCEPTED:
            raise RuntimeError(f"{message.commandtype}: {decision}")
        return decision

    async def prepare(self) -> None:
        """Protocol, site and participants."""
        protocol: Mapping[str, Any] = {
            "version": "1.0",
            "content": shipped_protocol().content(),
            "approvedBy": "benchmark",
            "reason": "benchmark",
            "effectiveAt": "2026-01-01T00:00:00.000Z",
        }
        await self.accepted(self.message(Role.SPONSOR, STUDY, "publishProtocol", **protocol))
        await self.accepted(self.message(Role.ADMIN, STUDY, "activateSite", siteId="BFH", approvalRef="EC-1"))
        for number in range(SUBJECTS):
            consent = {
                "subjectId": f"BENCH-{number}",
                "siteId": "BFH",
                "version": "1.0",
                "givenAt": "2026-01-02T00:00:00.000Z",
                "healthDataConsent": True,
            }
            stream = subject_stream(f"BENCH-{number}")
            await self.accepted(self.message(Role.INVESTIGATOR, stream, "recordConsent", **consent))

    def observation(self, number: int) -> CommandMessage:
        """A bedside observation, the smallest clinical command."""
        subject = f"BENCH-{number % SUBJECTS}"
        return self.message(
            Role.COORDINATOR,
            subject_stream(subject),
            "recordObservations",
            subjectId=subject,
            assessedAt="2026-01-03T08:00:00.000Z",
            rows=[{"code": "heart_rate", "value": str(60 + number % 60), "unit": "/min"}],
        )

    async def ask(self, number: int) -> None:
        """One observation, until its decision is back."""
        await self.accepted(self.observation(number))


@asynccontextmanager
async def running_trial(kafka: str) -> AsyncIterator[Trial]:
    """A decider and a bus in this process, as in the prototype that the limits come from."""
    clock = SystemClock()
    process = DeciderProcess(kafka, instance="bench-0", lanes=1, clock=clock, rules=TrialRules(), replication=1)
    serving = asyncio.create_task(process.run())
    while not (await process.health()).healthy:
        await asyncio.sleep(0.1)
        if serving.done():
            serving.result()
    bus = CommandBus(kafka, "bench", clock)
    await bus.start()
    trial = Trial(bus)
    try:
        await trial.prepare()
        yield trial
    finally:
        await bus.stop()
        process.stop()
        await serving


async def measure_commands() -> list[Line]:
    """The lines of the report about commands."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedKafka(Path(directory) / "kafka")
        kafka = await server.start()
        try:
            return await _measure(kafka)
        finally:
            await server.stop()


async def _measure(kafka: str) -> list[Line]:
    lines = []
    async with running_trial(kafka) as trial:
        ours = await one_at_a_time(trial.ask, SINGLE_CALLS)
        command = trial.observation(0).raw()
        event, decision = await last_value(kafka, EVENTS), await last_value(kafka, DECISIONS)
        read(event)
        rates = {at_once: await in_flight(trial.ask, calls, at_once) for at_once, calls in AT_ONCE.items()}
    async with bare_transaction(kafka, event) as ask:
        peer = await one_at_a_time(ask, SINGLE_CALLS)
    lines.append(Line("command accepted, one at a time", str(ours), str(peer), ours.p50 / peer.p50, LATENCY_LIMIT))
    for at_once, calls in AT_ONCE.items():
        async with bare_loop(kafka, command, event, decision) as ask:
            bare = await in_flight(ask, calls, at_once)
        limit = THROUGHPUT_LIMIT if at_once == 128 else None
        name = f"commands accepted a second, {at_once:,} at once"
        lines.append(
            Line(name, f"{rates[at_once]:,.0f}/s", f"{bare:,.0f}/s", rates[at_once] / bare, limit, at_most=False)
        )
    return lines
