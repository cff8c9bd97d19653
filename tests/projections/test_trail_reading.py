"""The trail as it is read: pages, filters, what is remembered between pages, and rejected commands."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hepatrail_events.canonical import sha256_hex
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_events.families import EVENT_TYPES
from hepatrail_events.safety_desk import AlertAcknowledged
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import HoldReleased
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS
from hepatrail_infra.kafka_log import partition_of
from hepatrail_infra.postgres import connection
from hepatrail_projections.decision import ANY_REJECTED, DecisionRow, RejectedFilter
from hepatrail_projections.reading import Reader
from hepatrail_projections.trail import reading
from hepatrail_projections.trail.row import ANY_TRAIL, TrailFilter, TrailRow
from hepatrail_projections.trail.rows import pass_over, trail_rows
from hepatrail_projections.trail.state import TrailState
from log_commits import adverse_event, alert, enrol, publish, sample
from projection_log import BEGIN, SEALED, LogRecord, LogWriter
from projection_tables import Tables
from trial_history import history

FOR_EVER = datetime(2100, 1, 1, tzinfo=UTC)


async def complete(tables: Tables, until: datetime = FOR_EVER) -> None:
    """The projections are complete until then."""
    async with connection(tables.dsns.owner) as owner:
        await owner.execute(f"UPDATE {tables.schema}.projection_offset SET complete_to = $1", until)


def whole_trail(log: LogWriter) -> list[TrailRow]:
    """The trail of a log by the pure fold, in its order."""
    states: dict[bytes, TrailState] = {}
    rows: list[TrailRow] = []
    for each in log.records:
        if each.topic == EVENTS:
            rows += trail_rows(states.setdefault(each.key or b"", TrailState()), each.value or b"")
    return sorted(rows, key=lambda row: row.place)


async def read_all(reader: Reader, first: int, chosen: TrailFilter = ANY_TRAIL) -> list[TrailRow]:
    """All pages of the trail, one after the other."""
    seen: list[TrailRow] = []
    while True:
        page = await reader.trail(first, seen[-1].place if seen else None, chosen)
        seen += page.items
        if not page.has_next:
            return seen
        assert page.items, "a page before the last one has a row to go on from"
        assert len(page.items) <= first


@pytest.fixture
async def log(tables: Tables) -> LogWriter:
    """A history, projected and complete."""
    log = history(41, subjects=3, steps=60)
    await tables.project(log.records)
    await complete(tables)
    return log


@pytest.mark.parametrize("first", [1, 7, 200])
async def test_the_pages_together_are_the_whole_trail(
    tables: Tables, log: LogWriter, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = whole_trail(log)
    if first == 1:
        wanted = wanted[:150]
        monkeypatch.setattr(reading, "_REMEMBERED", 2)
    reader = tables.reader
    if first == 1:
        found: list[TrailRow] = []
        for _ in wanted:
            found += (await reader.trail(1, found[-1].place if found else None)).items
    else:
        found = await read_all(reader, first)
    assert found == wanted


async def test_a_page_anywhere_is_the_same_for_a_reader_that_remembers_nothing(tables: Tables, log: LogWriter) -> None:
    wanted = whole_trail(log)
    reader = tables.reader
    await read_all(reader, 200)
    for begin in (0, 3, len(wanted) // 2, len(wanted) - 2):
        after = wanted[begin].place
        for each in (reader, tables.reader):
            page = await each.trail(5, after)
            assert list(page.items) == wanted[begin + 1 : begin + 6]


async def test_few_events_are_looked_at_for_a_page_and_the_next_goes_on(
    tables: Tables, log: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = whole_trail(log)
    monkeypatch.setattr(reading, "LOOKED_AT", 4)
    assert await read_all(tables.reader, 200) == wanted
    page = await tables.reader.trail(200)
    assert {row.event_id for row in page.items} == set(list(dict.fromkeys(row.event_id for row in wanted))[:4])
    assert page.has_next
    rare = wanted[-1].field
    some = TrailFilter(field=rare)
    assert await read_all(tables.reader, 3, some) == [row for row in wanted if row.field == rare]
    nothing = await tables.reader.trail(3, chosen=TrailFilter(field="noSuchField"))
    assert (nothing.items, nothing.has_next) == ((), False)


async def test_a_page_goes_on_where_the_one_before_ended(
    tables: Tables, log: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[bytes] = []

    def counted(state: TrailState, raw: bytes) -> None:
        again.append(raw)
        pass_over(state, raw)

    monkeypatch.setattr(reading, "pass_over", counted)
    rows = await read_all(tables.reader, 20)
    assert len(rows) > 400
    assert len(again) < len({row.event_id for row in rows}) / 4


def choices(rows: list[TrailRow]) -> Iterator[tuple[TrailFilter, Callable[[TrailRow], bool]]]:
    """Filters, and the test that a row must pass."""
    middle = rows[len(rows) // 2]
    yield TrailFilter(field="value"), lambda row: row.field == "value"
    yield TrailFilter(actor_id=middle.actor_id), lambda row: row.actor_id == middle.actor_id
    yield TrailFilter(since=middle.recorded_at), lambda row: row.recorded_at >= middle.recorded_at
    yield TrailFilter(until=middle.recorded_at), lambda row: row.recorded_at < middle.recorded_at
    yield TrailFilter(subject_id="S-01"), lambda row: row.subject_id == "S-01"
    yield TrailFilter(subject_id="S-77"), lambda row: False
    yield TrailFilter(subject_id="no pseudonym"), lambda row: False
    some = str(middle.object_id)
    yield TrailFilter(object_id=some), lambda row: str(row.object_id) == some
    event = next(row for row in rows if row.object_id == str(row.event_id))
    yield TrailFilter(object_id=str(event.event_id)), lambda row: row.object_id == str(event.event_id)
    yield (
        TrailFilter(subject_id="S-00", since=rows[20].recorded_at, field="aeVersion"),
        lambda row: row.subject_id == "S-00" and row.recorded_at >= rows[20].recorded_at and row.field == "aeVersion",
    )


async def test_aud_09_rows_are_chosen_by_subject_field_object_actor_and_time(tables: Tables, log: LogWriter) -> None:
    wanted = whole_trail(log)
    for chosen, passes in choices(wanted):
        expected = [row for row in wanted if passes(row)]
        assert await read_all(tables.reader, 50, chosen) == expected, chosen
        assert expected or chosen.subject_id in ("S-77", "no pseudonym")


async def test_a_participants_trail_holds_what_the_desk_and_the_study_did_about_them(tables: Tables) -> None:
    log = LogWriter(42)
    publish(log)
    hold_id = log.uuid()
    for subject_id in ("S-1", "S-2"):
        event = adverse_event(log, enrol(log, subject_id))
        alert_id = alert(log, int(subject_id[-1]), event, subject_id)
        log.commit(SAFETY_DESK, AlertAcknowledged(alert_id=alert_id, by="officer", at=log.now), actor="officer")
    hold = {"holdId": str(hold_id), "action": "HOLD_SESSIONS", "scope": "PARTICIPANT", "subjectId": "S-2"}
    log.commit(STUDY, EVENT_TYPES["HoldPlaced"].from_payload(hold | {"requires": "PI", "reason": SEALED}))
    log.commit(STUDY, HoldReleased(hold_id=hold_id, by="pi", reason=SEALED))
    await tables.project(log.records)
    await complete(tables)
    rows = await read_all(tables.reader, 9, TrailFilter(subject_id="S-2"))
    assert rows == [row for row in whole_trail(log) if row.subject_id == "S-2"]
    assert {row.event_type for row in rows} >= {"AlertRaised", "AlertAcknowledged", "HoldPlaced", "HoldReleased"}
    assert {row.stream for row in rows} == {subject_stream("S-2"), SAFETY_DESK, STUDY}


async def test_the_trail_ends_where_the_projections_are_complete(tables: Tables) -> None:
    log = LogWriter(43)
    publish(log)
    stream = enrol(log, "S-1")
    sample(log, stream, creatinine="100")
    await tables.project(log.records)
    assert await read_all(tables.reader, 200) == []
    wanted = whole_trail(log)
    moment = wanted[-1].recorded_at - timedelta(milliseconds=1)
    await complete(tables, moment)
    assert await read_all(tables.reader, 200) == [row for row in wanted if row.recorded_at <= moment]


def rejection(number: int, **changes: Any) -> LogRecord:
    """A rejected command on the ledger, a minute after the one before."""
    stream = subject_stream(f"S-{number % 4:02d}")
    at = BEGIN + timedelta(minutes=number // 2)
    body = {
        "commandid": LogWriter(number).uuid(),
        "commandtype": "startSession" if number % 3 else "enrolSubject",
        "stream": stream,
        "bodyhash": sha256_hex(str(number).encode()),
        "verdict": Verdict.REJECTED,
        "code": Code.RULE,
        "rule": "SES-02" if number % 2 else "ENR-01",
        "field": "weightKg",
        "message": "The weight is missing.",
        "input": {"reason": SEALED.payload(), "weightKg": "0"},
        "version": 3,
        "recordedat": at,
        "receivedat": at,
        "actorid": f"u-{number % 5}",
        "actorrole": "INVESTIGATOR",
        "studyseq": 1,
        "producer": "hepatrail/test",
    }
    decision = Decision.model_validate(body | changes)
    return LogRecord(DECISIONS, partition_of(stream), 2 * number, stream.encode(), decision.raw())


async def test_aud_11_rejected_commands_are_read_with_their_bodies(tables: Tables) -> None:
    accepted = rejection(90, verdict=Verdict.ACCEPTED, code=None, rule=None, input=None)
    await tables.project([*(rejection(number) for number in range(40)), accepted])
    reader = tables.reader
    assert (await reader.rejected(9)).items == ()
    await complete(tables)

    async def listed(first: int, chosen: RejectedFilter = ANY_REJECTED) -> list[Any]:
        seen: list[Any] = []
        while True:
            last = seen[-1] if seen else None
            after = None if last is None else (last.recorded_at, last.partition, last.kafka_offset)
            page = await reader.rejected(first, after, chosen)
            seen += page.items
            if not page.has_next:
                return seen

    every = await listed(200)
    assert len(every) == 40
    assert every[0].input == {"reason": SEALED.payload(), "weightKg": "0"}
    assert {row.rule for row in every} == {"ENR-01", "SES-02"}
    assert {(row.field, row.message) for row in every} == {("weightKg", "The weight is missing.")}
    assert every == sorted(every, key=lambda row: (row.recorded_at, row.partition, row.kafka_offset))
    for first in (1, 7):
        assert await listed(first) == every
    since, until = BEGIN + timedelta(minutes=5), BEGIN + timedelta(minutes=9)
    cases: tuple[tuple[RejectedFilter, Callable[[DecisionRow], bool]], ...] = (
        (RejectedFilter(stream=subject_stream("S-01")), lambda row: row.stream == subject_stream("S-01")),
        (RejectedFilter(command_type="enrolSubject"), lambda row: row.command_type == "enrolSubject"),
        (RejectedFilter(rule="SES-02"), lambda row: row.rule == "SES-02"),
        (RejectedFilter(actor_id="u-3"), lambda row: row.actor_id == "u-3"),
        (RejectedFilter(since=since, until=until), lambda row: since <= row.recorded_at < until),
        (RejectedFilter(code="RULE", rule="ENR-01"), lambda row: row.rule == "ENR-01"),
    )
    for chosen, passes in cases:
        expected = [row for row in every if passes(row)]
        assert expected
        assert await listed(5, chosen) == expected
    assert await listed(5, replace(ANY_REJECTED, code="SHAPE")) == []
