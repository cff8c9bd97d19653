"""What the API asks: pages, filters, protocol in force, alerts, status."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import connection
from hepatrail_projections.alert import AlertFilter
from hepatrail_projections.listen import Notifications
from hepatrail_projections.meta import SafetyStatus, request_retry, write_safety_status
from hepatrail_projections.subject import SubjectFilter
from log_commits import acknowledge, adverse_event, alert, enrol, publish, sample, start
from projection_log import LogWriter
from projection_tables import Tables
from trial_history import history


async def test_pages_follow_each_other_without_gap(tables: Tables) -> None:
    log = LogWriter(71)
    publish(log)
    for number in range(7):
        enrol(log, f"S-{number}")
    await tables.project(log.records)
    seen: list[str] = []
    after = None
    while True:
        page = await tables.reader.subjects(3, after)
        seen += [row.subject_id for row in page.items]
        if not page.has_next:
            break
        after = seen[-1]
    assert seen == [f"S-{number}" for number in range(7)]
    assert (await tables.reader.subjects(7)).has_next is False
    nobody = await tables.reader.subjects(3, chosen=SubjectFilter(sites=frozenset({"elsewhere"})))
    assert nobody.items == ()
    for first in (0, 201):
        with pytest.raises(ValueError, match="1 to 200"):
            await tables.reader.subjects(first)


async def test_an_alert_is_open_until_somebody_else_than_the_reporter_has_seen_it(tables: Tables) -> None:
    log = LogWriter(72)
    publish(log)
    event = adverse_event(log, enrol(log, "S-1"))
    alerts = [alert(log, number, event, "S-1") for number in (1, 2, 3)]
    acknowledge(log, alerts[0], "dr-li")
    acknowledge(log, alerts[1], "officer")
    await tables.project(log.records)
    reader = tables.reader
    page = await reader.alerts(10, chosen=AlertFilter(open=True))
    assert [row.alert_seq for row in page.items] == [1, 3]
    own = await reader.alert(alerts[0])
    assert own is not None
    assert [each["stopping"] for each in own.acknowledgements] == [False]
    assert [row.alert_seq for row in (await reader.alerts(1, after=1)).items] == [2]
    desk = await reader.stream_events_after(SAFETY_DESK, 1, 2)
    assert [each.envelope.streamseq for each in desk] == [2, 3]
    assert await reader.stream_version(SAFETY_DESK) == 5
    # Under a protocol that lets the reporter's own acknowledgement count, it does from the very same events.
    publish(log, "2.0", log.now - timedelta(days=30), self_ack=True)
    await tables.project(log.records)
    still = await reader.alert(alerts[0])
    assert still is not None
    assert still.acknowledged_at is None
    acknowledge(log, alerts[0], "dr-li")
    await tables.project(log.records)
    now = await reader.alert(alerts[0])
    assert now is not None
    assert now.acknowledged_by == "dr-li"


async def test_a_version_that_has_taken_effect_since_is_used_without_any_event(tables: Tables) -> None:
    log = LogWriter(73)
    log.now = datetime.now(UTC) - timedelta(hours=1)
    publish(log)
    stream = enrol(log, "S-1")
    start(log, stream, viable_cells=11_500_000_000)
    effective = datetime.now(UTC) + timedelta(seconds=1.5)
    publish(log, "2.0", effective, dose_tolerance="0.05")
    await tables.project(log.records)
    before = await tables.reader.subject("S-1")
    assert before is not None
    assert before.rows.sessions[0].in_tolerance
    await asyncio.sleep(1.6)
    after = await tables.reader.subject("S-1")
    assert after is not None
    assert (after.rows.sessions[0].in_tolerance, after.rows.subject.protocol_version) == (False, "2.0")
    protocol = await tables.reader.protocol()
    assert protocol is not None
    assert protocol.version == "2.0"
    earlier = await tables.reader.protocol(as_of=effective - timedelta(milliseconds=1))
    assert earlier is not None
    assert earlier.version == "1.0"


async def test_queries_that_a_commit_opened_and_decisions(tables: Tables) -> None:
    log = LogWriter(74)
    publish(log)
    stream = enrol(log, "S-1")
    started = start(log, stream, viable_cells=1_000_000_000)
    await tables.project(log.records)
    answer = await tables.reader.subject("S-1")
    assert answer is not None
    event_id = answer.rows.sessions[0].event_ids[0]
    opened = await tables.reader.queries_opened("S-1", [event_id])
    assert {row.object_id for row in opened} == {started.session_id}
    assert await tables.reader.queries_opened("S-1", [started.session_id]) == ()
    rows = (await tables.rows())["decision"]
    decision = await tables.reader.decision(stream, rows[-1].command_id)
    assert decision is not None
    assert decision.version <= 3
    assert await tables.reader.decision(stream, started.session_id) is None


async def test_the_status_of_the_safety_process_and_its_age(tables: Tables) -> None:
    assert (await tables.reader.status()).safety is None
    now = datetime(2026, 1, 5, tzinfo=UTC)
    async with connection(tables.dsns.writer) as writer:
        for number in (1, 2):
            await write_safety_status(writer, SafetyStatus(number, 9, now, now, True, False, ["S-1"], "late"))
        await request_retry(writer, "subject-S-1")
        await request_retry(writer, "subject-S-1")
    safety = (await tables.reader.status()).safety
    assert safety is not None
    assert (safety.desk_alert_seq, safety.scheduler_healthy, safety.parked) == (2, False, ["S-1"])
    assert safety.age_seconds is not None
    assert 0 <= safety.age_seconds < 5


async def test_rows_come_back_as_they_were_written(tables: Tables) -> None:
    log = history(75, subjects=2, steps=60)
    await tables.project(log.records)
    events = await tables.rows()
    raw = {each.value for each in log.records if each.topic == EVENTS}
    assert {row.raw for row in events["event"]} == raw
    assert all(row.recorded().hash == row.hash for row in events["event"])
    assert all(row.payload == json.loads(row.raw)["data"] for row in events["event"])


async def test_waiters_wake_and_versions_rise(tables: Tables) -> None:
    log = LogWriter(76)
    publish(log)
    stream = enrol(log, "S-1")
    notifications = Notifications(tables.dsns.reader)
    await notifications.start()
    try:
        async with asyncio.timeout(5):
            while not notifications.connected:
                await notifications.wait_change(1)
        assert not await notifications.wait_change(0.1)
        waiting = asyncio.create_task(notifications.wait_change(5))
        await tables.project(log.records)
        assert await waiting
        async with asyncio.timeout(5):
            while notifications.version(stream) < 2:
                await notifications.wait_change(1)
        sample(log, stream, creatinine="100")
        await tables.project(log.records)
        async with asyncio.timeout(5):
            while notifications.version(stream) < 3:
                await notifications.wait_change(1)
    finally:
        await notifications.stop()


async def test_who_waits_is_woken_when_the_connection_was_made_anew_and_can_tell(tables: Tables) -> None:
    notifications = Notifications(tables.dsns.reader)
    assert notifications.connections == 0
    await notifications.start()
    try:
        async with asyncio.timeout(5):
            while notifications.connections < 1:
                await notifications.wait_change(5)
        waiting = asyncio.create_task(notifications.wait_change(20))
        async with connection(tables.dsns.reader) as link:
            await link.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'hepatrail listen' AND datname = current_database()"
            )
        assert await waiting
        assert (notifications.connections, notifications.connected) == (2, True)
    finally:
        await notifications.stop()
