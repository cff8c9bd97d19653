"""Time on the real servers: escalations, clocks, outages and a process that knows nothing, at a clock set by hand."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hepatrail_events.protocol import Protocol, shipped_protocol
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertEscalated, AlertRaised
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import HoldPlaced
from hepatrail_events.types import format_instant
from hepatrail_infra.clock import Clock
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.schema import ensure_projection
from hepatrail_services.command_bus import CommandBus
from hepatrail_services.decider.trial_rules import TrialRules
from hepatrail_services.safety.ledger import ensure_safety
from hepatrail_services.safety.process import SafetyProcess
from projection_kafka import eventually
from runtime_support import SetClock, deciding, events_of, put
from safety_desk import ScriptedDesk, in_ledger, raised, status_of, watching
from safety_site import alerts, child_of, site_of

HOUR = timedelta(hours=1)


@asynccontextmanager
async def safety(kafka: str, dsns: Dsns, clock: Clock, **options: Any) -> AsyncIterator[SafetyProcess]:
    """The safety process before the real deciders."""
    async with watching(kafka, dsns, CommandBus(kafka, "s", clock), clock=clock, **options) as process:
        yield process


async def levels(kafka: str) -> list[tuple[int, int, bool]]:
    """alertSeq, level and late of every escalation, in the desk's order."""
    events = [each.event for each in await events_of(kafka, SAFETY_DESK)]
    numbers = {each.alert_id: each.alert_seq for each in events if isinstance(each, AlertRaised)}
    return [(numbers[each.alert_id], each.level, each.late) for each in events if isinstance(each, AlertEscalated)]


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> None:
    async def truly() -> bool:
        return bool(await holds())

    await eventually(truly, seconds)


async def forget(dsns: Dsns) -> None:
    """Postgres is lost and set up anew."""
    async with connection(dsns.owner) as owner:
        assert isinstance(owner, asyncpg.Connection)
        for row in await owner.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(hepatrail|projection_)'"):
            await owner.execute(f"DROP SCHEMA {row['nspname']} CASCADE")
        await ensure_projection(owner)
        await ensure_safety(owner)


async def timed(kafka: str) -> list[AlertRaised]:
    return [each for each in await raised(kafka) if each.type in ("CLOCK_WARNING", "CLOCK_BREACH")]


async def test_months_pass_by_the_clock_and_everything_fires_once(kafka: str, dsns: Dsns) -> None:
    clock = SetClock()
    async with site_of(kafka, clock) as site, safety(kafka, dsns, clock):
        await site.report_now("S-001")
        (first,) = await alerts(kafka, 1)
        clock.offset += timedelta(hours=4, seconds=1)
        await until(lambda: levels(kafka))
        assert await levels(kafka) == [(1, 1, False)]
        await site.send("acknowledgeSaeAlert", Role.SAFETY_OFFICER, actor="officer", alertId=str(first.alert_id))
        clock.offset += 14 * HOUR
        await until(lambda: timed(kafka))
        (warning,) = await timed(kafka)
        assert (warning.type, warning.late) == ("CLOCK_WARNING", None)
        assert first.aware_at is not None
        assert warning.raised_at - first.aware_at == 18 * HOUR
        for _ in range(3):
            clock.offset += timedelta(days=30)
            await settled(dsns, clock)
        assert [level for seq, level, _ in await levels(kafka) if seq == 1] == [1], "acknowledged after the first"
        types = [(each.type, each.detail) for each in await timed(kafka)]
        assert len(types) == len(set(types))
        assert any(kind == "CLOCK_BREACH" for kind, _ in types)
        before = await events_of(kafka, SAFETY_DESK)
    await forget(dsns)
    async with site_of_again(kafka, clock), safety(kafka, dsns, clock):
        await settled(dsns, clock)
        after = await events_of(kafka, SAFETY_DESK)
    assert [each.raw for each in after] == [each.raw for each in before], "from nothing, nothing is raised again"


async def test_after_an_outage_overdue_levels_and_alerts_fire_once_each_in_order_marked_late(
    kafka: str, dsns: Dsns
) -> None:
    clock = SetClock()
    async with site_of(kafka, clock) as site:
        async with safety(kafka, dsns, clock):
            await site.report_now("S-001")
            await site.report_now("S-002")
            await alerts(kafka, 2)
        clock.offset += timedelta(days=3)
        async with safety(kafka, dsns, clock):
            await settled(dsns, clock)
    late = await timed(kafka)
    assert late and all(each.late for each in late)
    assert [each.raised_at for each in late] == sorted(each.raised_at for each in late)
    fired = [each for each in await levels(kafka) if each[0] <= 2]
    assert sorted(fired) == [(seq, level, True) for seq in (1, 2) for level in (1, 2, 3)]
    assert [level for _, level, _ in fired] == [1, 1, 2, 2, 3, 3]


async def test_a_poisoned_participant_leaves_the_others_their_alerts_and_escalations(kafka: str, dsns: Dsns) -> None:
    clock = SetClock()
    async with site_of(kafka, clock) as site, safety(kafka, dsns, clock):
        await site.report_now("S-001")
        await put(kafka, EVENTS, subject_stream("S-001"), b"garbage")
        await alerts(kafka, 2)
        await site.report_now("S-002")
        there = {each.subject_id: each for each in await alerts(kafka, 3) if each.type == "SAE_NEW"}
        assert sorted((each.type, each.priority) for each in await raised(kafka)) == [
            ("SAE_NEW", "P2"),
            ("SAE_NEW", "P2"),
            ("SUBJECT_UNREADABLE", "P1"),
        ]
        clock.offset += timedelta(hours=19)
        await until(lambda: both_warned(kafka))
        numbers = {there["S-001"].alert_seq, there["S-002"].alert_seq}
        await until(lambda: escalated(kafka, numbers))
        row = await status_of(dsns)
        assert row is not None
        assert (row.safety_healthy, [each["stream"] for each in row.parked]) == (False, ["subject-S-001"])


async def both_warned(kafka: str) -> bool:
    return {each.subject_id for each in await timed(kafka)} == {"S-001", "S-002"}


async def escalated(kafka: str, numbers: set[int]) -> bool:
    return {seq for seq, level, _ in await levels(kafka) if level == 1} >= numbers


async def test_SR4_a_hit_holds_the_participants_sessions_until_the_hold_is_released(kafka: str, dsns: Dsns) -> None:
    shipped = shipped_protocol()
    rules = tuple(each.model_copy(update={"enabled": each.rule_id == "SR4"}) for each in shipped.safety.stopping_rules)
    safe = shipped.safety.model_copy(update={"stopping_rules": rules})
    content = Protocol.model_validate({**shipped.model_dump(), "safety": safe.model_dump()}).content()
    clock = SetClock()
    async with site_of(kafka, clock, content=content) as site, safety(kafka, dsns, clock):
        await site.send("enrolSubject", subjectId="S-001")
        now = format_instant(clock.now())
        session: dict[str, Any] = {"subjectId": "S-001", "startedAt": now, "weightMeasuredAt": now}
        await site.send("startSession", **session)
        await site.report_now("S-001", code="INFUSION_REACTION")
        await until(lambda: holds(kafka))
        assert [(each.action, each.subject_id) for each in await holds(kafka)] == [("HOLD_SESSIONS", "S-001")]
        await asyncio.sleep(1.5)
        refused = await site.ask("startSession", **{**session, "sessionId": None})
        assert refused.verdict == "REJECTED"
        assert len(await holds(kafka)) == 1


async def holds(kafka: str) -> list[HoldPlaced]:
    return [each.event for each in await events_of(kafka, STUDY) if isinstance(each.event, HoldPlaced)]


@pytest.mark.parametrize("way", [signal.SIGSTOP, signal.SIGKILL])
async def test_a_process_that_stands_still_or_is_gone_shows_within_30_s(
    kafka: str, dsns: Dsns, tmp_path: Path, way: signal.Signals
) -> None:
    async with site_of(kafka) as site, child_of(kafka, dsns, tmp_path) as child:
        await until(lambda: fresh(dsns))
        child.signal(way)
        await site.report_now("S-001")
        async with asyncio.timeout(30):
            while await fresh(dsns):
                await asyncio.sleep(0.5)
        if way is signal.SIGKILL:
            await child.kill()
            await child.start()
        else:
            child.signal(signal.SIGCONT)
        await alerts(kafka, 1)
        await until(lambda: fresh(dsns), 60)
    assert len([each for each in await raised(kafka) if each.type == "SAE_NEW"]) == 1


async def fresh(dsns: Dsns) -> bool:
    """Whether the row is one that the API calls healthy: at most 10 s old, well, and read to the end."""
    row = await status_of(dsns)
    return row is not None and (row.age_seconds or 0.0) <= 10 and row.safety_healthy and row.scheduler_healthy


async def test_a_desk_that_does_not_answer_shows_within_30_s(kafka: str, dsns: Dsns) -> None:
    desk = ScriptedDesk()
    async with site_of(kafka) as site, watching(kafka, dsns, desk):
        await until(lambda: fresh(dsns))
        desk.silent = True
        await site.report_now("S-001")
        await until(lambda: unanswered(dsns))


async def unanswered(dsns: Dsns) -> bool:
    row = await status_of(dsns)
    return row is not None and not row.safety_healthy and "has not been answered" in (row.detail or "")


async def test_the_row_says_until_when_the_scheduler_has_sent_what_was_due(kafka: str, dsns: Dsns) -> None:
    clock = SetClock()
    async with site_of(kafka, clock):
        async with safety(kafka, dsns, clock):
            await until(lambda: fresh(dsns))
            begun = clock.now()
            await until(lambda: scheduled_past(dsns, begun))
        stored = await in_ledger(dsns, "SELECT scheduled_to FROM hepatrail.safety_status")
        async with safety(kafka, dsns, clock):
            row = await status_of(dsns)
            assert row is not None and row.scheduled_to >= stored
            await settled(dsns, clock)


async def scheduled_past(dsns: Dsns, moment: Any) -> bool:
    row = await status_of(dsns)
    return row is not None and row.scheduler_healthy and row.scheduled_to > moment


async def settled(dsns: Dsns, clock: SetClock) -> None:
    """Waits until everything that is due by now was sent."""
    now = clock.now()
    await until(lambda: scheduled_past(dsns, now), 60)


@asynccontextmanager
async def site_of_again(kafka: str, clock: Clock) -> AsyncIterator[None]:
    """The same trial's decider once more."""
    async with deciding(kafka, rules=TrialRules(), clock=clock):
        yield


async def test_work_beside_begins_when_the_desk_is_read(kafka: str, dsns: Dsns) -> None:
    clock = SetClock()
    seen: list[int] = []

    async def beside(commons: Any, sender: Any) -> None:
        seen.append(commons.desk.alert_seq)
        await asyncio.Event().wait()

    async with site_of(kafka, clock) as site:
        async with safety(kafka, dsns, clock):
            await site.report_now("S-001")
            await alerts(kafka, 1)
        async with safety(kafka, dsns, clock, extra=beside):
            await until(lambda: _began(seen))
    assert seen == [1]


async def _began(seen: list[int]) -> bool:
    return bool(seen)
