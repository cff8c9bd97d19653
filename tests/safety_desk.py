"""The safety process at work in a test, before a desk that is real or does what the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.safety_desk import AlertContent, AlertRaised, AlertType
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.meta import SafetyStatus, read_safety_status
from hepatrail_services.safety.process import SafetyProcess
from hepatrail_services.safety.sending import CommandPort
from projection_kafka import eventually
from runtime_support import events_of

Answer = Callable[[AlertContent, int], Code | str | None]
"""From an alert and how often it was asked before to a rejection, "accepted", or None for no answer in time."""

BY_TIME = frozenset({AlertType.CLOCK_WARNING, AlertType.CLOCK_BREACH, AlertType.DEATH_WITHOUT_AE})
"""Alerts that time raises; logs of tests lie in the past, so that clocks of their events are overdue."""


class ScriptedDesk:
    """A desk that holds each alert once and answers as the script says; what it accepted stays over restarts.

    The script is about the alerts of commits. Those that time raises are accepted, and so is everything else.
    """

    def __init__(self, answer: Answer = lambda alert, before: "accepted") -> None:
        self.answer = answer
        self.asked: list[CommandMessage] = []
        self.beside: list[CommandMessage] = []
        self.held: dict[UUID, AlertContent] = {}
        self.bound: dict[UUID, Decision] = {}
        self.silent = False
        """Whether its answers are lost on the way."""

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to disconnect."""

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        """The decision of the script; a known id is answered as the decider does."""
        alert = AlertContent.model_validate(message.input["alert"]) if message.commandtype == "raiseAlert" else None
        if alert is None or alert.type in BY_TIME:
            self.beside.append(message)
            return _decision(message, None)
        before = sum(1 for each in self.asked if each.commandid == message.commandid)
        self.asked.append(message)
        await asyncio.sleep(0)
        known = self.bound.get(message.commandid)
        if known is not None:
            same = known.bodyhash == message.bodyhash
            return (known if same else _decision(message, Code.CONFLICT)).model_copy(update={"repeat": True})
        said = self.answer(alert, before)
        if said is None:
            return None
        decision = _decision(message, None if said == "accepted" else Code(said))
        if decision.binds:
            self.bound[message.commandid] = decision
        if decision.verdict is Verdict.ACCEPTED:
            self.held.setdefault(alert.alert_id, alert)
        if self.silent:
            await asyncio.Event().wait()
        return decision

    def types(self, subject_id: str) -> list[str]:
        """The alerts of a participant, in order."""
        return [each.type.value for each in self.held.values() if each.subject_id == subject_id]


def _decision(message: CommandMessage, code: Code | None) -> Decision:
    return Decision(
        commandid=message.commandid,
        commandtype=message.commandtype,
        stream=message.stream,
        bodyhash=message.bodyhash,
        verdict=Verdict.ACCEPTED if code is None else Verdict.REJECTED,
        code=code,
        message=None if code is None else "No.",
        version=1,
        recordedat=message.receivedat,
        receivedat=message.receivedat,
        actorid=message.actor.id,
        actorrole=message.actor.role.value,
        studyseq=1,
        producer="hepatrail/test",
    )


@asynccontextmanager
async def watching(
    kafka: str, dsns: Dsns, bus: CommandPort, *, working: bool = True, clock: Clock | None = None, **options: Any
) -> AsyncIterator[SafetyProcess]:
    """The safety process, until it follows the tail and then until the block ends."""
    process = SafetyProcess(kafka, dsns.writer, bus, clock or SystemClock(), org="Sponsor", **options)
    task = asyncio.create_task(process.run())

    async def works() -> bool:
        if task.done():
            task.result()
        return (await process.health()).healthy

    try:
        if working:
            await eventually(works)
        yield process
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def status_of(dsns: Dsns) -> SafetyStatus | None:
    """The row that the API reads."""
    async with connection(dsns.reader) as link:
        return await read_safety_status(link)


async def in_ledger(dsns: Dsns, sql: str) -> Any:
    """One value as the owner reads or makes it."""
    async with connection(dsns.owner) as link:
        assert isinstance(link, asyncpg.Connection)
        return await link.fetchval(sql)


async def raised(kafka: str) -> list[AlertRaised]:
    """The alerts of the desk's stream, the chain verified."""
    events = [each.event for each in await events_of(kafka, SAFETY_DESK)]
    return [event for event in events if isinstance(event, AlertRaised)]
