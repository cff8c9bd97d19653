"""Commands of the system to the safety desk, many at a time: a desk with thousands of alerts in seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertContent, AlertType, Priority
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_services.command import DeskCommand
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.deciders.safety_desk import RaiseAlert

AT_ONCE = 256
_SYSTEM = Actor(id="test-system", role=Role.SYSTEM, org="Sponsor", sites=(ALL_SITES,))


class DeskSystem:
    """Sends the desk what only the system may send."""

    def __init__(self, bus: CommandBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self.version = 0
        """The desk's version after the last command that it accepted."""

    async def send(self, command: DeskCommand) -> Decision:
        """The decision of a command that must be accepted."""
        message = CommandMessage(
            commandid=command.command_id,
            commandtype=command.name(),
            stream=SAFETY_DESK,
            input=command.payload(),
            actor=_SYSTEM,
            receivedat=self._clock.now(),
        )
        decision = await self._bus.ask(message, 60.0)
        assert decision is not None, "the desk did not answer within 60 s"
        assert decision.verdict is Verdict.ACCEPTED, decision
        self.version = max(self.version, decision.version)
        return decision

    async def raise_alert(self, **changes: Any) -> UUID:
        """One alert; a P3 unless told otherwise, so that nothing escalates while a test runs."""
        given: dict[str, Any] = {
            "alert_id": uuid4(),
            "type": AlertType.SAE_CHANGED,
            "priority": Priority.P3,
            "raised_at": self._clock.now(),
            "commit_id": uuid4(),
            "reporter_id": "dr-li",
            "subject_id": "SEED-01",
            "site_id": "BFH",
        }
        alert = AlertContent(**{**given, **changes})
        await self.send(RaiseAlert(command_id=uuid4(), alert=alert))
        return alert.alert_id

    async def raise_many(self, count: int, **changes: Any) -> None:
        """So many alerts, `AT_ONCE` of them under way at any time."""
        numbers = iter(range(count))

        async def worker() -> None:
            for _ in numbers:
                await self.raise_alert(**changes)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(count, AT_ONCE)):
                group.create_task(worker())


@asynccontextmanager
async def desk_system(kafka: str, clock: Clock | None = None) -> AsyncIterator[DeskSystem]:
    """The system's way to the desk of a running stack; `clock` where the stack's is not the system's."""
    clock = clock or SystemClock()
    bus = CommandBus(kafka, f"seeding-{datetime.now(UTC):%H%M%S%f}", clock)
    await bus.start()
    try:
        yield DeskSystem(bus, clock)
    finally:
        await bus.stop()
