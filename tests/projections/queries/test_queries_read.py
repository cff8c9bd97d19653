"""Queries as the API reads them from real tables: ENR-05, those that a commit opened, the list of the whole trial."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hepatrail_events.codec import read
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultVoided
from hepatrail_events.sessions import EndReason, SessionEnded, SessionVoided
from hepatrail_events.streams import subject_stream
from hepatrail_infra.clock import SystemClock
from hepatrail_projections.data_query import QueryFilter, QueryRow
from hepatrail_projections.reading import Reader
from log_commits import enrol, publish, sample, start
from projection_log import SEALED, LogRecord, LogWriter
from projection_tables import Tables
from query_course import void


class Standing(SystemClock):
    """Tells the time that the test says."""

    def __init__(self, log: LogWriter) -> None:
        self._log = log

    def now(self) -> datetime:
        return self._log.now


def reader(tables: Tables, log: LogWriter) -> Reader:
    return Reader(tables.pool, Standing(log))


def ids(records: list[LogRecord]) -> list[UUID]:
    return [read(each.value or b"").envelope.id for each in records]


async def queries(tables: Tables, log: LogWriter, subject_id: str, as_of: datetime | None = None) -> list[QueryRow]:
    found = await reader(tables, log).subject(subject_id, as_of)
    assert found is not None
    return list(found.rows.queries)


async def test_enr_05_more_enrolled_than_planned(tables: Tables) -> None:
    log = LogWriter(80)
    publish(log, planned_n=2)
    for number in (3, 1, 2):
        enrol(log, f"S-{number}")
        log.tick(1)
    await tables.project(log.records)
    assert [await queries(tables, log, f"S-{number}") for number in (3, 1)] == [[], []]
    (query,) = await queries(tables, log, "S-2")
    assert (query.rule, query.code, query.status, query.object_kind) == (
        "ENR-05",
        "MORE_THAN_PLANNED",
        "OPEN",
        "ENROLMENT",
    )
    assert query.query_id == derived_id("ENR-05", "S-2", query.object_id)
    assert query.event_ids == (query.object_id,)
    assert "enrolment 3 of a trial planned for 2" in query.message
    assert [row.query_id for row in await reader(tables, log).queries_opened("S-2", [query.object_id])] == [
        query.query_id
    ]
    assert (await tables.rows())["data_query"] == [], "nothing of it is stored"


async def test_enr_05_is_the_same_now_as_of_an_instant_and_after_a_rebuild(tables: Tables) -> None:
    log = LogWriter(81)
    publish(log, planned_n=1)
    enrol(log, "S-1")
    log.tick(1)
    stream = enrol(log, "S-2")
    enrolled = log.now
    await tables.project(log.records)
    (first,) = await queries(tables, log, "S-2")
    done = len(log.records)
    log.tick(60)
    log.commit(stream, QueryAnswered(query_id=first.query_id, text=SEALED))
    answered = log.now
    log.tick(60)
    enrol(log, "S-0")
    log.commit(stream, QueryClosed(query_id=first.query_id, reason=SEALED, rule_version=first.rule_version))
    await tables.project(log.records[done:])
    assert await queries(tables, log, "S-2", as_of=enrolled) == [first]
    assert [row.status for row in await queries(tables, log, "S-2", as_of=answered)] == ["ANSWERED"]
    (now,) = await queries(tables, log, "S-2")
    assert (now.status, now.message) == ("CLOSED", first.message)
    assert await queries(tables, log, "S-2", as_of=enrolled - timedelta(seconds=1)) == [], "not yet enrolled"
    assert (await tables.rows())["data_query"] == (await tables.whole_build(log.records))["data_query"]


async def test_enr_05_closes_by_itself_when_the_protocol_plans_for_more(tables: Tables) -> None:
    log = LogWriter(82)
    publish(log, planned_n=1)
    enrol(log, "S-1")
    stream = enrol(log, "S-2")
    await tables.project(log.records)
    (query,) = await queries(tables, log, "S-2")
    done = len(log.records)
    log.commit(stream, QueryAnswered(query_id=query.query_id, text=SEALED))
    log.tick(5)
    publish(log, "2.0", planned_n=2)
    await tables.project(log.records[done:])
    (resolved,) = await queries(tables, log, "S-2")
    assert (resolved.query_id, resolved.status, len(resolved.answers)) == (query.query_id, "RESOLVED", 1)


async def test_the_queries_of_a_command_are_those_open_after_it_and_not_before(tables: Tables) -> None:
    log = LogWriter(83)
    publish(log)
    stream = enrol(log, "S-1")
    log.tick(60)
    begun = start(log, stream, viable_cells=10**9)
    started = ids(log.records[-2:-1])
    log.tick(120)
    again = SessionEnded(session_id=begun.session_id, ended_at=log.now, reason=EndReason.COMPLETED)
    ended = ids(log.commit(stream, again))
    usual = sample(log, stream, tbil="300")
    of_sample = ids(log.records[-2:-1])
    late = sample(log, stream, tbil="300", visit="P0_5_1H")
    of_late = ids(log.records[-2:-1])
    voiding = ids(log.commit(stream, SessionVoided(**void(begun.session_id))))
    of_void = ids(log.commit(stream, LabResultVoided(**void(usual[0]))))
    await tables.project(log.records)
    opened = reader(tables, log).queries_opened
    assert [(row.rule, row.code) for row in await opened("S-1", started)] == [("SES-07", "DOSE")]
    assert await opened("S-1", ended) == (), "the query was open before, it asks for more now"
    assert (await opened("S-1", of_sample), await opened("S-1", of_late)) == ((), ())
    assert [(row.rule, row.object_id) for row in await opened("S-1", voiding)] == [("LAB-04", late[0])]
    assert await opened("S-1", of_void) == ()
    assert await opened("S-1", [log.uuid()]) == ()
    assert await opened("S-9", started) == ()


async def test_a_query_that_opens_by_time_is_opened_by_no_command_unless_it_is_overdue_already(tables: Tables) -> None:
    log = LogWriter(84)
    publish(log)
    stream = enrol(log, "S-1")
    log.tick(60)
    start(log, stream)
    in_time = ids(log.records[-2:-1])
    other = enrol(log, "S-2")
    log.tick(60 * 24)
    start(log, other, started_at=log.now - timedelta(hours=13))
    overdue = ids(log.records[-2:-1])
    await tables.project(log.records)
    opened = reader(tables, log).queries_opened
    assert await opened("S-1", in_time) == ()
    assert [row.code for row in await opened("S-2", overdue)] == ["NO_END"]


async def trial(tables: Tables) -> LogWriter:
    """Three participants of two sites, each with an odd session; the last is one too many."""
    log = LogWriter(85)
    publish(log, planned_n=2)
    other = subject_stream("S-2")
    consent = {"version": "1", "given_at": log.now, "health_data_consent": True}
    log.commit(other, ConsentRecorded(site_id="NFH", **consent))
    for number in (1, 2, 3):
        stream = enrol(log, f"S-{number}")
        log.tick(60)
        begun = start(log, stream, viable_cells=10**9)
        log.tick(300)
        log.commit(stream, SessionEnded(session_id=begun.session_id, ended_at=log.now, reason=EndReason.COMPLETED))
        sample(log, stream, tbil="300", visit="BL")
    await tables.project(log.records)
    return log


async def test_the_list_of_the_trial_is_paged_by_participant_and_query(tables: Tables) -> None:
    log = await trial(tables)
    source = reader(tables, log)
    whole = (await source.data_queries(200)).items
    assert [(row.subject_id, row.query_id) for row in whole] == sorted((row.subject_id, row.query_id) for row in whole)
    assert {(row.subject_id, row.rule) for row in whole} == {
        *((f"S-{number}", rule) for number in (1, 2, 3) for rule in ("SES-07", "LAB-04")),
        ("S-3", "ENR-05"),
    }
    paged: list[QueryRow] = []
    while True:
        after = (paged[-1].subject_id, paged[-1].query_id) if paged else None
        page = await source.data_queries(2, after)
        paged += page.items
        if not page.has_next:
            break
    assert tuple(paged) == whole


async def test_the_list_of_the_trial_by_site_participant_rule_status_and_kind(tables: Tables) -> None:
    log = await trial(tables)
    source = reader(tables, log)

    async def listed(**chosen: Any) -> list[tuple[str, str]]:
        page = await source.data_queries(50, None, QueryFilter(**chosen))
        return sorted((row.subject_id, row.rule) for row in page.items)

    assert await listed(sites=frozenset({"NFH"})) == [("S-2", "LAB-04"), ("S-2", "SES-07")]
    assert await listed(subject_id="S-3") == [("S-3", "ENR-05"), ("S-3", "LAB-04"), ("S-3", "SES-07")]
    assert await listed(rule="ENR-05") == [("S-3", "ENR-05")]
    assert await listed(rule="ENR-05", sites=frozenset({"NFH"})) == []
    assert await listed(kinds=frozenset({"LAB_RESULT"}), subject_id="S-1") == [("S-1", "LAB-04")]
    done = len(log.records)
    for row in (await source.data_queries(50, None, QueryFilter(subject_id="S-3"))).items:
        log.commit(
            subject_stream("S-3"), QueryClosed(query_id=row.query_id, reason=SEALED, rule_version=row.rule_version)
        )
    await tables.project(log.records[done:])
    assert await listed(statuses=frozenset({"CLOSED"})) == [("S-3", "ENR-05"), ("S-3", "LAB-04"), ("S-3", "SES-07")]
    assert [each for each in await listed(statuses=frozenset({"OPEN", "ANSWERED"})) if each[0] == "S-3"] == []
