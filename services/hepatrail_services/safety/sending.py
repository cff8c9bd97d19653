"""Sending commands to the deciders of desk and study: the same id again until it is answered, only "accepted" counts.

Decided here, because the reference leaves room:

- What desk and study show as done already is not asked for again, whatever body a later version would give it.
- A decision on an id stands for ever. A rejection that was given before, or a conflict with another body, is therefore
  passed over with an id derived from it: after a repair the same thing is decided anew, at most once a start of the
  process. What a rule of the domain says (code RULE) is not asked again, because it would say the same. Nothing is
  doubled by it: desk and study know alerts, levels, deliveries, hits, holds and the facts of a commit by what they are.
"""

import asyncio
import logging
from typing import Protocol
from uuid import UUID

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import NOT_BINDING, Code, Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import HepatrailError, Unavailable
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.streams import NEVER_PARKED, STUDY
from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import counter, histogram
from hepatrail_services.command import Command
from hepatrail_services.deciders.safety_desk import RaiseAlert
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.identity import PROCESSOR

_log = logging.getLogger(__name__)
_PAUSE = 0.2
_AT_ONCE = 64

ACKNOWLEDGED = counter("safety_commands", "Commands of the safety process that were accepted", ["command"])
ALERTS = counter("safety_alerts", "Alerts that the desk has accepted", ["type"])
ASKED_AGAIN = counter("safety_commands_asked_again", "Times a decider did not answer in time", ["why"])
SECONDS = histogram("safety_alert_seconds", "From the recordedAt of what raised an alert to the desk's acceptance")


class CommandPort(Protocol):
    """The way to the deciders; `hepatrail_services.command_bus.CommandBus` is one."""

    async def start(self) -> None:
        """Connects; Unavailable when Kafka is away."""
        ...

    async def stop(self) -> None:
        """Disconnects."""
        ...

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        """Sends a command and awaits its decision; None while it is pending."""
        ...


class CommandRefused(HepatrailError):
    """A decider did not want a command; nothing else than acceptance may stand for an acknowledgement."""

    def __init__(self, command: Command, code: Code, message: str) -> None:
        super().__init__(f"{command.name()} {command.command_id} was rejected: {code}: {message}")
        self.code = code

    @property
    def may_pass(self) -> bool:
        """Whether the same command may be accepted a moment later: the decision did not bind."""
        return self.code in NOT_BINDING


class Sender:
    """Sends commands as the system, to each stream at most 64 at a time."""

    def __init__(self, bus: CommandPort, clock: Clock, org: str, commons: Commons, patience: float = 5.0) -> None:
        """`patience` are the seconds after which an answer is asked for again."""
        self._bus = bus
        self._clock = clock
        self._actor = Actor(id=PROCESSOR, role=Role.SYSTEM, org=org, sites=(ALL_SITES,))
        self._commons = commons
        self._patience = patience
        self._slots = {stream: asyncio.Semaphore(_AT_ONCE) for stream in NEVER_PARKED}
        self._since: dict[UUID, float] = {}
        self._accepted: set[UUID] = set()

    def waiting(self) -> float:
        """For how many seconds the oldest command has been waiting for its answer; 0 when none is."""
        return max((asyncio.get_running_loop().time() - since for since in self._since.values()), default=0.0)

    async def put(self, command: Command, cause: Envelope | None, attempt: int = 0) -> None:
        """Returns when the command is accepted, or what it asks for is known to be done, however long that takes.

        Raises CommandRefused when it is not wanted. `cause` is the envelope of the event behind it; attempts before
        `attempt` are known to be rejected.
        """
        if self.settled(command):
            return
        async with self._slots[command.stream()]:
            self._since.setdefault(command.command_id, asyncio.get_running_loop().time())
            try:
                await self._until_accepted(command, cause, attempt)
            finally:
                self._since.pop(command.command_id, None)
        self._accepted.add(command.command_id)

    def settled(self, command: Command) -> bool:
        """Whether it was accepted in this run, or desk and study show what it asks for."""
        return command.command_id in self._accepted or self._commons.shows(command)

    async def _until_accepted(self, command: Command, cause: Envelope | None, attempt: int) -> None:
        while not self.settled(command):
            decision = await self._answer(self._message(command, cause, attempt))
            if decision is None:
                continue
            if decision.verdict is Verdict.ACCEPTED:
                self._count(command, cause)
                return
            if _stands_from_before(decision):
                attempt += 1
            elif not self.settled(command):
                raise CommandRefused(command, decision.code or Code.INTERNAL, decision.message or "")

    async def _answer(self, message: CommandMessage) -> Decision | None:
        """A decision that says something; None when the same command must be sent again."""
        try:
            decision = await self._bus.ask(message, self._patience)
        except Unavailable as error:
            ASKED_AGAIN.labels("unavailable").inc()
            _log.warning("%s waits: %s", message.commandtype, error)
            await asyncio.sleep(_PAUSE)
            return None
        if decision is None:
            ASKED_AGAIN.labels("pending").inc()
            _log.warning("%s did not answer within %g s: asking again", message.stream, self._patience)
        elif decision.code is Code.NOT_READY:
            ASKED_AGAIN.labels("not ready").inc()
            await asyncio.sleep(_PAUSE)
            return None
        return decision

    def _message(self, command: Command, cause: Envelope | None, attempt: int) -> CommandMessage:
        sent = command if attempt == 0 else command.model_copy(update={"command_id": attempt_id(command, attempt)})
        return CommandMessage(
            commandid=sent.command_id,
            commandtype=sent.name(),
            stream=sent.stream(),
            input=sent.payload(),
            actor=self._actor,
            receivedat=self._clock.now(),
            # The desk must know the study, its holds above all, as far as it was known here.
            studyversion=0 if sent.stream() == STUDY else self._commons.study.version,
            causationid=None if cause is None else str(cause.id),
            correlationid=None if cause is None else cause.correlationid,
            traceparent=None if cause is None else cause.traceparent,
        )

    def _count(self, command: Command, cause: Envelope | None) -> None:
        ACKNOWLEDGED.labels(command.name()).inc()
        if isinstance(command, RaiseAlert):
            ALERTS.labels(command.alert.type).inc()
            if cause is not None:
                SECONDS.observe(max(0.0, (self._clock.now() - command.alert.raised_at).total_seconds()))


def attempt_id(command: Command, attempt: int) -> UUID:
    """The id under which a command is sent for the `attempt`-th time after a rejection that binds; 0 is its own."""
    return command.command_id if attempt == 0 else derived_id(command.command_id, attempt)


def _stands_from_before(decision: Decision) -> bool:
    """Whether it only repeats a rejection which another id may escape."""
    return decision.repeat and decision.code not in NOT_BINDING and decision.code is not Code.RULE
