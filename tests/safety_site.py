"""A site that sends its commands, the real decider behind it, and the safety process as a child, on real servers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from builders.commands import command_input
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import Clock, SystemClock
from hepatrail_infra.postgres import Dsns
from hepatrail_services.command import read_command
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider.trial_rules import TrialRules
from hepatrail_services.deciders.catalogue import COMMANDS
from projection_kafka import eventually
from runtime_support import asking, deciding
from safety_desk import BY_TIME, raised

SUBJECTS = ("S-001", "S-002", "S-003")


class Site:
    """Sends the commands of a site, as its gateway does."""

    def __init__(self, bus: CommandBus, clock: Clock | None = None) -> None:
        self._bus = bus
        self._clock = clock or SystemClock()

    async def send(self, name: str, role: Role = Role.INVESTIGATOR, actor: str = "dr-li", **changes: Any) -> Decision:
        """The accepted decision on a command with the defaults of the builders."""
        decision = await self.ask(name, role, actor, **changes)
        assert decision.verdict is Verdict.ACCEPTED, decision
        return decision

    async def ask(self, name: str, role: Role = Role.INVESTIGATOR, actor: str = "dr-li", **changes: Any) -> Decision:
        """The decision on it."""
        kind = COMMANDS[name]
        by = role if role in kind.ROLES else min(kind.ROLES)
        command = read_command(kind, command_input(name, **changes))
        message = CommandMessage(
            commandid=command.command_id,
            commandtype=name,
            stream=command.stream(),
            input=command.payload(),
            actor=Actor(id=actor, role=by, org="BFH", sites=(ALL_SITES,)),
            receivedat=self._clock.now(),
            studyversion=self._bus.study_version,
        )
        decision = await self._bus.ask(message, timeout=60)
        while decision is None:
            decision = await self._bus.ask(message, timeout=60)
        return decision

    async def open(self, **protocol: Any) -> None:
        """A published protocol, an active site, consented participants."""
        await self.send("publishProtocol", effectiveAt=format_instant(self._clock.now()), **protocol)
        await self.send("activateSite")
        for subject in SUBJECTS:
            await self.send("recordConsent", subjectId=subject)

    async def report(self, number: int, *criteria: str) -> None:
        """A serious event of one of the participants."""
        chosen = list(criteria or ("HOSPITALISATION",))
        subject = SUBJECTS[number % len(SUBJECTS)]
        identity = str(derived_id("sae", number))
        verbatim = {"kid": str(derived_id(subject, "key")), "cid": identity, "path": "verbatim", "ct": "AAAA"}
        await self.send("reportAdverseEvent", commandId=identity, subjectId=subject, criteria=chosen, verbatim=verbatim)

    async def report_now(self, subject: str, *criteria: str, **changes: Any) -> None:
        """A serious event that began now and is known now."""
        now = self._clock.now()
        began = {"value": f"{now:%Y-%m-%dT%H:%MZ}", "precision": "MINUTE"}
        given = {"onset": began, "gradeAt": began, "awareAt": format_instant(now), "grade": 3}
        chosen = list(criteria or ("HOSPITALISATION",))
        await self.send("reportAdverseEvent", subjectId=subject, criteria=chosen, **{**given, **changes})


@asynccontextmanager
async def site_of(kafka: str, clock: Clock | None = None, **protocol: Any) -> AsyncIterator[Site]:
    """A trial that is under way, with its decider."""
    async with deciding(kafka, rules=TrialRules(), clock=clock), asking(kafka) as bus:
        site = Site(bus, clock)
        await site.open(**protocol)
        yield site


class Child:
    """The safety process as a process of its own."""

    def __init__(self, kafka: str, dsns: Dsns, log: Path) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("safety_child.py")), kafka, dsns.writer]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, working: bool = True) -> None:
        """Starts it; waits until it works unless told not to."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        if working:
            assert self._process.stdout is not None
            line = await asyncio.wait_for(self._process.stdout.readline(), 30)
            assert line == b"working\n", self._log.read_text()[-2000:]

    def signal(self, number: signal.Signals) -> None:
        """Stops it where it stands, or lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.communicate()
            self._process = None


@asynccontextmanager
async def child_of(kafka: str, dsns: Dsns, tmp_path: Path) -> AsyncIterator[Child]:
    """A child that works, until the block ends."""
    child = Child(kafka, dsns, tmp_path / "safety.log")
    try:
        await child.start()
        yield child
    finally:
        await child.kill()


async def alerts(kafka: str, count: int, seconds: float = 60.0) -> list[AlertRaised]:
    """The alerts that commits raised, when there are so many of them."""

    async def there() -> bool:
        return len(await _of_commits(kafka)) >= count

    await eventually(there, seconds)
    return await _of_commits(kafka)


async def _of_commits(kafka: str) -> list[AlertRaised]:
    return [each for each in await raised(kafka) if each.type not in BY_TIME]
