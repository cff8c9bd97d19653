"""A safety desk with somebody to tell: time that a test moves, a notifier that answers as it says, a desk in memory."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from builders.safety_desk import alert_content
from hepatrail_events.commands import CommandMessage
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.event import Event
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertContent,
    AlertEscalated,
    AlertRaised,
    NotificationChannel,
    NotificationSent,
)
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_quarantine import Place
from hepatrail_projections.desk_view import AlertFact, DeskView
from hepatrail_projections.records import incoming
from hepatrail_services.deciders.safety_desk import RecordNotification
from hepatrail_services.notifying.notice import Audience, Notice, alert_notice
from hepatrail_services.notifying.notifier import Undelivered
from hepatrail_services.notifying.pacing import Waits
from hepatrail_services.safety.commons import Commons
from hepatrail_services.safety.sending import Sender
from log_commits import publish
from projection_log import LogWriter

_BUSY = 3_000
"""Turns of the loop after which who has not gone to sleep again is taken to wait for something else."""


class Hours:
    """Steady time that passes only when the test lets it; chance is always the same."""

    def __init__(self, chance: float = 0.0) -> None:
        self.time = 1_000.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._number = 0
        self.waits = Waits(now=lambda: self.time, sleep=self._sleep, chance=lambda: chance)

    async def _sleep(self, seconds: float) -> None:
        self._number += 1
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.time + seconds, self._number, woken))
        await woken.wait()

    async def pass_by(self, seconds: float) -> None:
        """Lets them pass: whoever sleeps wakes at his time, in order, and does all that he can before the next."""
        for _ in range(10):
            await asyncio.sleep(0)
        until = self.time + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            asleep = len(self._sleepers)
            self.time, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            for _ in range(_BUSY):
                await asyncio.sleep(0)
                if len(self._sleepers) >= asleep:
                    break
        self.time = until


class Teller:
    """A notifier that answers as the test says, and remembers what it was asked to say and when."""

    def __init__(
        self,
        hours: Hours,
        answer: Callable[[Notice], Undelivered | None] = lambda notice: None,
        channel: NotificationChannel = NotificationChannel.EMAIL,
        audiences: frozenset[Audience] = frozenset(Audience),
    ) -> None:
        self._hours = hours
        self._channel = channel
        self._audiences = audiences
        self.answer = answer
        self.tries: list[tuple[float, Notice]] = []
        self.delivered: list[Notice] = []

    @property
    def channel(self) -> NotificationChannel:
        return self._channel

    def tells(self, audience: Audience, /) -> bool:
        return audience in self._audiences

    async def send(self, notice: Notice) -> None:
        self.tries.append((self._hours.time, notice))
        await asyncio.sleep(0)
        failed = self.answer(notice)
        if failed is not None:
            raise failed
        self.delivered.append(notice)

    def said(self) -> list[tuple[int, int | None]]:
        """Alert and level of what was delivered."""
        return [(each.data["alertSeq"], each.data["level"]) for each in self.delivered]

    def gaps(self) -> list[float]:
        """Seconds between the tries."""
        times = [at for at, _ in self.tries]
        return [round(after - before, 1) for before, after in itertools.pairwise(times)]


class DeskOfAlerts:
    """The desk's stream with alerts, folded as the safety process folds it; it records what it is told was delivered.

    `shows`: whether its stream is read on, so that what it accepts is seen.
    """

    def __init__(self, commons: Commons | None = None) -> None:
        self.log, self.commons = LogWriter(17), commons or Commons()
        self.recorded: list[NotificationSent] = []
        self.asked = 0
        self.refuse: Code | None = None
        self.answers = True
        self.shows = True
        publish(self.log)
        self.read()

    def raise_alert(self, number: int, priority: str = "P1", **changes: Any) -> UUID:
        """The alert of a number."""
        alert_id = UUID(int=number)
        content = alert_content(alertId=str(alert_id), priority=priority, **changes)
        self.put(AlertRaised(**dict(content), alert_seq=self.commons.desk.alert_seq + 1))
        return alert_id

    def escalate(self, alert_id: UUID, level: int = 1) -> None:
        """A level fires."""
        self.put(AlertEscalated(alert_id=alert_id, level=level, late=False))

    def acknowledge(self, alert_id: UUID, by: str = "officer") -> None:
        """Somebody has seen it."""
        self.put(AlertAcknowledged(alert_id=alert_id, by=by, at=self.log.now))

    def put(self, event: Event) -> None:
        """An event of the desk; it is read at once."""
        self.log.commit(SAFETY_DESK, event, role="SYSTEM")
        self.read()

    def read(self) -> None:
        """Reads the log to its end; what was read before changes nothing."""
        for each in self.log.records:
            if each.topic.endswith("events"):
                place = Place(each.topic, each.partition, each.offset)
                self.commons.fold(incoming(place, each.key, each.value), frozenset())

    def read_anew(self) -> "DeskOfAlerts":
        """The same stream read by a process that starts from nothing."""
        other = DeskOfAlerts.__new__(DeskOfAlerts)
        other.__dict__ |= {**self.__dict__, "commons": Commons()}
        other.read()
        return other

    def sender(self) -> Sender:
        """Sends commands to this desk."""
        return Sender(self, SystemClock(), "Sponsor", self.commons, patience=0.01)

    async def start(self) -> None:
        """Nothing to connect."""

    async def stop(self) -> None:
        """Nothing to disconnect."""

    async def ask(self, message: CommandMessage, timeout: float = 5.0) -> Decision | None:  # noqa: ASYNC109
        """Records a delivery, refuses it, or is away."""
        await asyncio.sleep(0 if self.answers else 0.01)
        if not self.answers:
            return None
        assert message.commandtype == "recordNotification"
        self.asked += 1
        if self.refuse is None:
            command = RecordNotification.model_validate(message.input)
            sent = NotificationSent.model_validate(command.model_dump(exclude={"command_id"}))
            self.recorded.append(sent)
            self.log.commit(SAFETY_DESK, sent, role="SYSTEM")
            if self.shows:
                self.read()
        return Decision(
            commandid=message.commandid,
            commandtype=message.commandtype,
            stream=message.stream,
            bodyhash=message.bodyhash,
            verdict=Verdict.ACCEPTED if self.refuse is None else Verdict.REJECTED,
            code=self.refuse,
            message=None if self.refuse is None else "No.",
            version=1,
            recordedat=message.receivedat,
            receivedat=message.receivedat,
            actorid=message.actor.id,
            actorrole=message.actor.role.value,
            studyseq=1,
            producer="hepatrail/test",
        )


@asynccontextmanager
async def at_work(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Something that never ends by itself works until the block ends; its error is the test's."""
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


def alert_fact(**changes: Any) -> AlertFact:
    """An alert as the desk holds it."""
    return only(_desk_with(alert_content(**changes)))


def a_notice(number: int = 1, level: int | None = None, **changes: Any) -> Notice:
    """The notice of an alert."""
    desk = DeskOfAlerts()
    for each in range(1, number + 1):
        alert_id = desk.raise_alert(each, **changes)
    if level is not None:
        desk.escalate(alert_id, level)
    return alert_notice(desk.commons.desk.alerts[alert_id], level, "https://trial.example")


def only(desk: DeskView) -> AlertFact:
    """Its one alert."""
    (found,) = desk.alerts.values()
    return found


def _desk_with(content: AlertContent) -> DeskView:
    desk = DeskOfAlerts()
    desk.put(AlertRaised(**dict(content), alert_seq=1))
    return desk.commons.desk
