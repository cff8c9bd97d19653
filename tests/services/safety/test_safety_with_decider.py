"""From a serious adverse event to the alert on the desk: the real safety process before the real decider."""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from builders import command_input
from hepatrail_events.adverse_events import AEReported
from hepatrail_events.commands import Actor, CommandMessage
from hepatrail_events.decisions import Decision, Verdict
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import ALL_SITES, Role
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.streams import SAFETY_DESK, subject_stream
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Dsns
from hepatrail_services.command import read_command
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider.trial_rules import TrialRules
from hepatrail_services.deciders.catalogue import COMMANDS
from projection_kafka import eventually
from runtime_support import asking, deciding, events_of, put
from safety_desk import in_ledger, raised, status_of, watching

SUBJECTS = ("S-001", "S-002", "S-003")


class Site:
    """Sends the commands of a site, as its gateway does."""

    def __init__(self, bus: CommandBus) -> None:
        self._bus = bus

    async def send(self, name: str, role: Role = Role.INVESTIGATOR, **changes: Any) -> Decision:
        """The accepted decision on a command with the defaults of the builders."""
        kind = COMMANDS[name]
        by = role if role in kind.ROLES else min(kind.ROLES)
        command = read_command(kind, command_input(name, **changes))
        message = CommandMessage(
            commandid=command.command_id,
            commandtype=name,
            stream=command.stream(),
            input=command.payload(),
            actor=Actor(id="dr-li", role=by, org="BFH", sites=(ALL_SITES,)),
            receivedat=SystemClock().now(),
            studyversion=self._bus.study_version,
        )
        decision = await self._bus.ask(message, timeout=60)
        while decision is None:
            decision = await self._bus.ask(message, timeout=60)
        assert decision.verdict is Verdict.ACCEPTED, decision
        return decision

    async def open(self) -> None:
        """A published protocol, an active site, consented participants."""
        await self.send("publishProtocol", effectiveAt=format_instant(SystemClock().now()))
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


@asynccontextmanager
async def site_of(kafka: str) -> AsyncIterator[Site]:
    """A trial that is under way, with its decider."""
    async with deciding(kafka, rules=TrialRules()), asking(kafka) as bus:
        site = Site(bus)
        await site.open()
        yield site


class Child:
    """The safety process as a process of its own."""

    def __init__(self, kafka: str, dsns: Dsns, log: Path) -> None:
        self._command = [sys.executable, str(Path(__file__).parents[2] / "safety_child.py"), kafka, dsns.writer]
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
    """The desk's alerts, when there are so many of them."""

    async def there() -> bool:
        return len(await raised(kafka)) >= count

    await eventually(there, seconds)
    return await raised(kafka)


async def reported(kafka: str) -> dict[UUID, datetime]:
    """When each adverse event was recorded."""
    found = {}
    for subject in SUBJECTS:
        for each in await events_of(kafka, subject_stream(subject)):
            if isinstance(each.event, AEReported):
                found[each.event.ae_id] = each.envelope.recordedat
    return found


async def one_each(kafka: str, count: int) -> None:
    """Every serious event has one alert, and the numbers have no gap."""
    there = await alerts(kafka, count)
    assert [each.alert_seq for each in there] == list(range(1, count + 1))
    assert {each.ae_id for each in there} == set(await reported(kafka))


async def test_a_serious_event_is_on_the_desk_within_its_time(kafka: str, dsns: Dsns) -> None:
    async with (
        site_of(kafka) as site,
        asking(kafka) as bus,
        watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())),
    ):
        assert bus.alive
        for number in range(30):
            await site.report(number)
        await one_each(kafka, 30)
    begun = await reported(kafka)
    desk = await events_of(kafka, SAFETY_DESK)
    waits = sorted(
        (each.envelope.recordedat - begun[each.event.ae_id]).total_seconds()
        for each in desk
        if isinstance(each.event, AlertRaised) and each.event.ae_id is not None
    )
    print(f"from the event to its alert: median {statistics.median(waits):.3f} s, longest {waits[-1]:.3f} s")
    assert waits[-1] < 5
    envelope = desk[0].envelope
    assert (envelope.actorid, envelope.actorrole, envelope.actororg) == ("hepatrail-safety", "SYSTEM", "Sponsor")
    assert envelope.causationid is not None


async def test_alerts_of_one_event_name_the_one_before(kafka: str, dsns: Dsns) -> None:
    async with site_of(kafka) as site, watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())):
        await site.report(0)
        first = (await alerts(kafka, 1))[0]
        await site.send("changeAdverseEventGrade", subjectId="S-001", aeId=str(first.ae_id), toGrade=4)
        second = (await alerts(kafka, 2))[1]
    assert (second.type, second.previous_alert_id, second.ae_version) == ("SAE_CHANGED", first.alert_id, 2)


async def test_the_whole_log_again_raises_no_second_alert(kafka: str, dsns: Dsns) -> None:
    async with site_of(kafka) as site:
        async with watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())):
            for number in range(5):
                await site.report(number)
            before = await alerts(kafka, 5)
        await in_ledger(dsns, "DELETE FROM hepatrail.safety_offset")
        async with watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())):
            await site.report(5)
            assert (await alerts(kafka, 6))[:5] == before

            async def shown() -> bool:
                row = await status_of(dsns)
                return row is not None and (row.desk_alert_seq, row.desk_version) == (6, 6)

            await eventually(shown)


async def test_an_unreadable_event_is_told_once_even_when_all_is_forgotten(kafka: str, dsns: Dsns) -> None:
    async with site_of(kafka) as site:
        await site.report(0)
        await put(kafka, EVENTS, subject_stream("S-001"), b"garbage")
        await site.report(1)
        for _ in range(2):
            async with watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())) as process:
                there = await alerts(kafka, 3)
                assert [each["code"] for each in (await process.health()).detail["held"]] == ["NOT_JSON"]
            await in_ledger(dsns, "TRUNCATE hepatrail.safety_offset, hepatrail.safety_held")
        assert await raised(kafka) == there
    assert sorted(each.type for each in there) == ["SAE_NEW", "SAE_NEW", "SUBJECT_UNREADABLE"]


async def test_killed_again_and_again_it_doubles_and_loses_nothing(kafka: str, dsns: Dsns, tmp_path: Path) -> None:
    async with site_of(kafka) as site, child_of(kafka, dsns, tmp_path) as child:
        number = 0
        for moment in (0.0, 0.02, 0.05, 0.09):
            for _ in range(8):
                await site.report(number)
                number += 1
            await asyncio.sleep(moment)
            await child.kill()
            await site.report(number)
            number += 1
            await child.start()
        await one_each(kafka, number)


async def test_kafka_away_and_back(kafka: str, kafka_server: EmbeddedKafka, dsns: Dsns, tmp_path: Path) -> None:
    async with site_of(kafka) as site, child_of(kafka, dsns, tmp_path):
        await site.report(0)
        await alerts(kafka, 1)
        await kafka_server.stop()
        await asyncio.sleep(10)
        assert await kafka_server.start() == kafka
        await site.report(1)
        await one_each(kafka, 2)
        await eventually(lambda: _well(dsns), 60)


async def test_postgres_away_and_back(
    kafka: str, postgres_server: EmbeddedPostgres, dsns: Dsns, tmp_path: Path
) -> None:
    async with site_of(kafka) as site, child_of(kafka, dsns, tmp_path):
        await postgres_server.stop()
        await site.report(0)
        await asyncio.sleep(3)
        await postgres_server.start()
        await one_each(kafka, 1)
        await eventually(lambda: _well(dsns), 60)


async def _well(dsns: Dsns) -> bool:
    row = await status_of(dsns)
    return row is not None and row.safety_healthy and (row.age_seconds or 0) < 3


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", "aiokafka")
