"""Rounds of kill -9 under load: after each, what officers were promised is checked (`desk_promises`).

The load is sites that report and worsen serious events, an officer who acknowledges some of the alerts, and time that
leaps, so that escalations and reporting clocks fall due while parts are down. Two clients follow the desk all along.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiokafka.errors import KafkaError

from desk_log import DeskLog
from desk_promises import Escalation, broken, lacking
from hepatrail_events.protocol import shipped_protocol
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import SimulatedClock
from killing import kill_each_once
from officers import Seen
from sae_reports import report
from stack import Stack, enrol

SUBJECTS = tuple(f"FAULT-{number:02d}" for number in range(20))
SITES_AT_WORK = 4
PAUSE_BETWEEN_KILLS = (0.1, 2.0)
LEAPS_MINUTES = ((10, 50), (240, 480))
"""Time leaps by so many: within the levels of one alert, or past all of them and towards the 24 hours of a clock."""
PEACE_SECONDS = 150.0
"""Within these everything that was promised must have come once nothing is killed any more."""
ESCALATION: Escalation = {str(rule.priority): rule.minutes for rule in shipped_protocol().escalation}


@dataclass
class Counts:
    """What was done and what came of it."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    acknowledged: int = 0
    alerts: int = 0
    escalations: int = 0
    connections: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    longest_peace: float = 0.0

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        connections = ", ".join(f"{name} {count}" for name, count in sorted(self.connections.items()))
        return (
            f"{self.rounds} rounds, {self.kills.total()} kills ({kills}), {self.commits} commits of serious events, "
            f"{self.alerts} alerts, {self.acknowledged} acknowledgements, {self.escalations} escalations, "
            f"connections: {connections}, {self.seconds:.0f} s, all well again within {self.longest_peace:.1f} s"
        )


class FaultRounds:
    """A stack under load whose parts are killed; `clients` are those who follow its desk from the start."""

    def __init__(self, stack: Stack, clock: SimulatedClock, clients: dict[str, Seen], seed: int) -> None:
        self._stack = stack
        self._clock = clock
        self._clients = clients
        self._officer = next(iter(clients.values()))
        # The kills draw from a generator of their own: what they are does not depend on how the load ran.
        self._kills = random.Random(seed)
        self._chance = random.Random(seed + 1)
        self._commits: set[str] = set()
        self._worsened: set[str] = set()
        self._looked_at = 0
        self.counts = Counts()

    async def prepare(self) -> None:
        """A site and its participants."""
        await self._stack.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
        await asyncio.gather(*(enrol(self._stack, subject) for subject in SUBJECTS))

    async def round(self) -> None:
        """Kills every part once under load, then checks; AssertionError names what was promised and not kept."""
        began, done = time.monotonic(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(SITES_AT_WORK):
                group.create_task(self._site(done))
            group.create_task(self._acknowledge(done))
            group.create_task(self._leap())
            await asyncio.sleep(self._kills.uniform(*PAUSE_BETWEEN_KILLS))
            self.counts.kills += await kill_each_once(self._stack, self._kills, PAUSE_BETWEEN_KILLS)
            done.set()
        self._count(await self._peace(), time.monotonic() - began)

    async def _site(self, done: asyncio.Event) -> None:
        while not done.is_set():
            if self._chance.random() < 0.3 and (known := self._may_worsen()):
                name, fields = self._worsening(self._chance.choice(known))
            else:
                criterion = self._chance.choice(("HOSPITALISATION", "LIFE_THREATENING"))
                name, fields = "reportAdverseEvent", report(self._chance.choice(SUBJECTS), self._clock.now(), criterion)
            accepted = await self._stack.accept(name, **fields)
            self._commits.add(str(accepted["commandId"]))
            await asyncio.sleep(self._chance.uniform(0.2, 1.5))

    def _may_worsen(self) -> list[dict[str, Any]]:
        return [
            alert
            for alert in self._officer.alerts[-50:]
            if alert["criteria"] == ["HOSPITALISATION"] and alert["aeId"] not in self._worsened
        ]

    def _worsening(self, alert: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self._worsened.add(alert["aeId"])
        fields = {
            "subjectId": alert["subjectId"],
            "aeId": alert["aeId"],
            "added": ["LIFE_THREATENING"],
            "awareAt": format_instant(self._clock.now()),
        }
        return "changeSeriousnessCriteria", fields

    async def _acknowledge(self, done: asyncio.Event) -> None:
        """Every second alert or so, as soon as the client is told of it."""
        while not done.is_set():
            alerts = self._officer.alerts
            for alert in alerts[self._looked_at :]:
                self._looked_at += 1
                if self._chance.random() < 0.5:
                    await self._stack.accept("acknowledgeSaeAlert", "SAFETY_OFFICER", alertId=alert["alertId"])
                if done.is_set():
                    return
            await asyncio.sleep(0.2)

    async def _leap(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.0, 8.0))
        self._clock.advance_to(
            self._clock.now() + timedelta(minutes=self._chance.uniform(*self._chance.choice(LEAPS_MINUTES)))
        )

    async def _peace(self) -> DeskLog:
        """The desk once everything has come; AssertionError when something is broken or does not come."""
        began, missing = time.monotonic(), ["nothing was looked at"]
        while missing:
            assert time.monotonic() - began < PEACE_SECONDS, f"still lacking after {PEACE_SECONDS:g} s: {missing[:10]}"
            await asyncio.sleep(1.0)
            # The clients first: what they hold by then must stand in a log that is read afterwards.
            told = {name: seen.copy() for name, seen in self._clients.items()}
            try:
                desk = await DeskLog.read(self._stack.ready["kafka"])
            except (KafkaError, OSError) as away:
                missing = [f"the log cannot be read: {away}"]
                continue
            wrong = broken(desk, told, ESCALATION)
            assert not wrong, wrong[:10]
            missing = lacking(desk, told, ESCALATION, self._commits, self._clock.now())
        self.counts.longest_peace = max(self.counts.longest_peace, time.monotonic() - began)
        return desk

    def _count(self, desk: DeskLog, seconds: float) -> None:
        self.counts.rounds += 1
        self.counts.seconds += seconds
        self.counts.commits = len(self._commits)
        self.counts.alerts = len(desk.of_kind("SaeAlert"))
        self.counts.acknowledged = len(desk.of_kind("AlertAcknowledged"))
        self.counts.escalations = len(desk.of_kind("AlertEscalated"))
        self.counts.connections = Counter({name: seen.connections for name, seen in self._clients.items()})
