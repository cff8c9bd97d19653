"""The desk as it is followed: every event in its place, with the alert that it concerns, and never one by one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

import log_commits as log
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    AlertType,
    NotificationChannel,
    NotificationSent,
    Priority,
)
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.desk_reading import desk_after
from projection_log import LogWriter
from projection_tables import Tables


@pytest.fixture
async def tables(dsns: Dsns) -> AsyncIterator[Tables]:
    """An empty projection."""
    opened = await Tables.create(dsns)
    yield opened
    await opened.close()


def raised(writer: LogWriter, number: int, **changes: Any) -> UUID:
    """The desk raises an alert."""
    given: dict[str, Any] = {
        "alert_id": UUID(int=number),
        "type": AlertType.SAE_NEW,
        "priority": Priority.P1,
        "raised_at": writer.now,
        "commit_id": writer.uuid(),
        "reporter_id": "dr-li",
        "subject_id": "S-01",
        "site_id": "BFH",
        "alert_seq": number,
    }
    writer.commit(SAFETY_DESK, AlertRaised(**{**given, **changes}), role="SYSTEM")
    return UUID(int=number)


def busy_desk() -> LogWriter:
    """Two alerts, and one of everything that can happen to one."""
    writer = LogWriter()
    log.publish(writer)
    first = raised(writer, 1)
    log.acknowledge(writer, first, "officer")
    second = raised(writer, 2)
    writer.commit(SAFETY_DESK, AlertEscalated(alert_id=second, level=1, late=True), role="SYSTEM")
    sent = NotificationSent(alert_id=second, channel=NotificationChannel.WEBHOOK, attempt=2, level=1)
    writer.commit(SAFETY_DESK, sent, role="SYSTEM")
    return writer


async def test_every_event_is_in_its_place_with_the_alert_that_it_concerns(tables: Tables) -> None:
    await tables.project(busy_desk().records)
    read = await tables.reader.desk_after(0)
    assert [each.streamseq for each in read.entries] == [1, 2, 3, 4, 5]
    assert [each.alert and each.alert.alert_seq for each in read.entries] == [1, 1, 2, 2, None]
    assert [type(each.fact) for each in read.entries] == [
        type(None),
        AlertAcknowledged,
        type(None),
        AlertEscalated,
        type(None),
    ]
    assert (read.desk_version, read.desk_alert_seq, read.safety) == (5, 2, None)
    assert (await tables.reader.desk_after(3, 1)).entries == read.entries[3:4]
    assert (await tables.reader.desk_after(5)).entries == ()
    end = await tables.reader.desk_after(None)
    assert (end.entries, end.desk_version) == ((), 5)


async def test_an_alert_s_row_tells_how_far_it_went_and_who_was_told(tables: Tables) -> None:
    await tables.project(busy_desk().records)
    alert = await tables.reader.alert(UUID(int=2))
    assert alert is not None
    escalated = (await tables.reader.desk_after(3)).entries[0]
    (level,) = alert.escalations
    assert (level["level"], level["late"], level["eventId"]) == (1, True, str(escalated.event_id))
    assert alert.deliveries == [{"channel": "WEBHOOK", "level": 1}]
    assert escalated.event_id in alert.event_ids


async def test_an_alert_without_its_row_is_an_error_and_never_left_out(tables: Tables) -> None:
    await tables.project(busy_desk().records)
    await tables.value("DELETE FROM alert WHERE alert_seq = 2 RETURNING 1")
    assert len((await tables.reader.desk_after(0, 2)).entries) == 2
    with pytest.raises(KeyError):
        await tables.reader.desk_after(0)


async def test_a_page_costs_as_many_statements_however_long_it_is(dsns: Dsns, tables: Tables) -> None:
    writer = LogWriter()
    for number in range(1, 201):
        raised(writer, number)
    await tables.project(writer.records)
    counts = []
    async with connection(dsns.reader) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", tables.schema)
        await desk_after(link, 0, 1)
        for limit in (1, 200):
            asked: list[str] = []
            with link.query_logger(lambda record, asked=asked: asked.append(record.query)):
                assert len((await desk_after(link, 0, limit)).entries) == limit
                await asyncio.sleep(0)  # the driver tells of a statement in its own time
            counts.append(len(asked))
    assert counts == [5, 5]


async def test_the_number_of_the_last_alert_up_to_a_place(tables: Tables) -> None:
    await tables.project(busy_desk().records)
    assert [await tables.reader.alert_seq_until(place) for place in range(6)] == [0, 1, 1, 2, 2, 2]
