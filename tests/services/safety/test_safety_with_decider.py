"""From a serious adverse event to the alert on the desk: the real safety process before the real decider."""

import asyncio
import statistics
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from hepatrail_events.adverse_events import AEReported
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.streams import SAFETY_DESK, subject_stream
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.embedded.kafka import EmbeddedKafka
from hepatrail_infra.embedded.postgres import EmbeddedPostgres
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_infra.postgres import Dsns
from hepatrail_services.command_bus import CommandBus
from projection_kafka import eventually
from runtime_support import asking, events_of, put
from safety_desk import BY_TIME, in_ledger, raised, status_of, watching
from safety_site import SUBJECTS, alerts, child_of, site_of


async def reported(kafka: str) -> dict[UUID, datetime]:
    """When each adverse event was recorded."""
    found = {}
    for subject in SUBJECTS:
        for each in await events_of(kafka, subject_stream(subject)):
            if isinstance(each.event, AEReported):
                found[each.event.ae_id] = each.envelope.recordedat
    return found


async def one_each(kafka: str, count: int) -> None:
    """Every serious event has one alert, and the numbers have no gap, those that time raised included."""
    there = await alerts(kafka, count)
    assert {each.ae_id for each in there} == set(await reported(kafka))
    assert len(there) == count
    numbers = [each.alert_seq for each in await raised(kafka)]
    assert numbers == list(range(1, len(numbers) + 1))


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
        if isinstance(each.event, AlertRaised) and each.event.type not in BY_TIME and each.event.ae_id is not None
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
        before = [
            each for each in await raised(kafka) if each.ae_id == first.ae_id and each.alert_seq < second.alert_seq
        ]
    assert (second.type, second.previous_alert_id, second.ae_version) == ("SAE_CHANGED", before[-1].alert_id, 2)


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
                desk = await events_of(kafka, SAFETY_DESK)
                return row is not None and row.desk_alert_seq >= 6 and row.desk_version == len(desk)

            await eventually(shown)


async def test_an_unreadable_event_is_told_once_even_when_all_is_forgotten(kafka: str, dsns: Dsns) -> None:
    async with site_of(kafka) as site:
        await site.report(0)
        await put(kafka, EVENTS, subject_stream("S-001"), b"garbage")
        await site.report(1)
        there: list[AlertRaised] = []
        for _ in range(2):
            async with watching(kafka, dsns, CommandBus(kafka, "s", SystemClock())) as process:
                there = await alerts(kafka, 3)
                assert [each["code"] for each in (await process.health()).detail["held"]] == ["NOT_JSON"]
            await in_ledger(dsns, "TRUNCATE hepatrail.safety_offset, hepatrail.safety_held")
        assert await alerts(kafka, 3) == there
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
