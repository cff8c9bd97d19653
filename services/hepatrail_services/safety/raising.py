"""Raising alerts at the safety desk: the same id again until it is answered, and only "accepted" is an answer."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.envelope import Envelope
from hepatrail_events.errors import HepatrailError, Unavailable
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertContent
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.clock import Clock
from hepatrail_infra.telemetry import counter, histogram
from hepatrail_services.deciders.safety_desk import RaiseAlert
from hepatrail_services.safety.identity import PROCESSOR, raise_command

_log = logging.getLogger(__name__)
_PAUSE = 0.2
_AT_ONCE = 64

ACKNOWLEDGED = counter("safety_alerts", "Alerts that the desk has accepted", ["type"])
ASKED_AGAIN = counter("safety_alerts_asked_again", "Times the desk did not answer in time", ["why"])
SECONDS = histogram("safety_alert_seconds", "From the recordedAt of what raised an alert to the desk's acceptance")


class DeskBus(Protocol):
    """The way to the desk's decider; `hepatrail_services.command_bus.CommandBus` is one."""

    async def start(self) -> None:
        """Connects; Unavailable when Kafka is away."""
        ...

    async def stop(self) -> None:
        """Disconnects."""
        ...

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        """Sends a command and awaits its decision; None while it is pending."""
        ...


class AlertRejected(HepatrailError):
    """The desk did not want an alert: its stream halts, because nothing else may stand for an acknowledgement."""

    def __init__(self, alert_id: UUID, code: str, message: str) -> None:
        super().__init__(f"the desk rejected the alert {alert_id}: {code}: {message}")
        self.code = code


class Raiser:
    """Sends alerts, at most 64 at a time; `known` says which ones the desk holds already."""

    def __init__(
        self, bus: DeskBus, clock: Clock, org: str, known: Callable[[UUID], bool], patience: float = 5.0
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._actor = Actor(id=PROCESSOR, role=Role.SYSTEM, org=org, sites=(ALL_SITES,))
        self._known = known
        self._patience = patience
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._since: dict[UUID, float] = {}

    def waiting(self) -> float:
        """For how many seconds the oldest alert has been waiting for the desk's answer; 0 when none is."""
        return max((asyncio.get_running_loop().time() - since for since in self._since.values()), default=0.0)

    async def put(self, alert: AlertContent, cause: Envelope | None, attempt: int = 0) -> None:
        """Returns when the desk holds the alert, however long that takes; AlertRejected when it does not want it.

        An alert that stands on the desk was accepted, whatever the body that a later version would give it. `cause`
        is the envelope of the event behind it.
        """
        async with self._slots:
            self._since.setdefault(alert.alert_id, asyncio.get_running_loop().time())
            try:
                await self._until_held(alert, self._message(alert, cause, attempt))
            finally:
                self._since.pop(alert.alert_id, None)

    async def _until_held(self, alert: AlertContent, message: CommandMessage) -> None:
        while not self._known(alert.alert_id):
            decision = await self._answer(message)
            if decision is None:
                continue
            if decision.verdict is Verdict.ACCEPTED:
                ACKNOWLEDGED.labels(alert.type).inc()
                SECONDS.observe(max(0.0, (self._clock.now() - alert.raised_at).total_seconds()))
                return
            if not self._known(alert.alert_id):
                raise AlertRejected(alert.alert_id, decision.code or Code.INTERNAL, decision.message or "")

    async def _answer(self, message: CommandMessage) -> Decision | None:
        """A decision that says something; None when the same command must be sent again."""
        try:
            decision = await self._bus.ask(message, self._patience)
        except Unavailable as error:
            ASKED_AGAIN.labels("unavailable").inc()
            _log.warning("the alert waits: %s", error)
            await asyncio.sleep(_PAUSE)
            return None
        if decision is None:
            ASKED_AGAIN.labels("pending").inc()
            _log.warning("the desk did not answer within %g s: asking again", self._patience)
        elif decision.code is Code.NOT_READY:
            ASKED_AGAIN.labels("not ready").inc()
            await asyncio.sleep(_PAUSE)
            return None
        return decision

    def _message(self, alert: AlertContent, cause: Envelope | None, attempt: int) -> CommandMessage:
        command = RaiseAlert(command_id=raise_command(alert.alert_id, attempt), alert=alert)
        return CommandMessage(
            commandid=command.command_id,
            commandtype=RaiseAlert.name(),
            stream=SAFETY_DESK,
            input=command.payload(),
            actor=self._actor,
            receivedat=self._clock.now(),
            # The desk's rules ask nothing of the study: whatever its decider has read of it is enough.
            studyversion=0,
            causationid=None if cause is None else str(cause.id),
            correlationid=None if cause is None else cause.correlationid,
            traceparent=None if cause is None else cause.traceparent,
        )
