"""The ledger of decisions beside the events: each commit was decided, each decision to record something was kept."""

from typing import Any

import pytest

from forging import put_value, rows_of, value_at
from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.decisions import Code, Decision, Verdict
from hepatrail_infra.kafka_admin import DECISIONS, EVENTS, QUARANTINE
from hepatrail_infra.kafka_quarantine import Released, record_bytes
from hepatrail_services.audit.problems import Report
from hepatrail_services.audit.source import HeaderRow, MemorySource
from hepatrail_services.audit.verifier import verify
from projection_log import BEGIN
from tampered import INDEX, PARTITION, SEQ, STREAM, copy


def tampered() -> tuple[MemorySource, list[HeaderRow], int]:
    """A copy, the decisions beside the partition that is tampered with, and the index of the event's decision."""
    source, rows = copy()
    commit = parse_object(value_at(rows, INDEX))["commitid"]
    decisions = rows_of(source, DECISIONS, PARTITION)
    found = [index for index, row in enumerate(decisions) if parse_object(row[2] or b"")["commandid"] == commit]
    return source, decisions, found[0]


async def checked(source: MemorySource) -> Report:
    return await verify(source, decisions=True)


def change(rows: list[HeaderRow], index: int, **fields: Any) -> None:
    put_value(rows, index, canonical_json({**parse_object(value_at(rows, index)), **fields}))


def codes(report: Report) -> list[tuple[str, str]]:
    return [(problem.code, problem.topic) for problem in report.problems]


async def test_aud_06_a_decision_taken_out_is_named() -> None:
    source, decisions, index = tampered()
    del decisions[index]
    report = await checked(source)
    assert codes(report) == [("DECISION_MISSING", EVENTS)]
    problem = report.problems[0]
    assert (problem.partition, problem.stream, problem.streamseq) == (PARTITION, STREAM, SEQ)
    assert problem.offset == rows_of(source, EVENTS, PARTITION)[INDEX][0]
    assert (await verify(source)).whole, "without being asked it looks at the events alone"


async def test_aud_06_a_decision_without_its_events_is_named() -> None:
    source, decisions, index = tampered()
    del rows_of(source, EVENTS, PARTITION)[INDEX]
    report = await checked(source)
    assert ("DECISION_WITHOUT_EVENTS", DECISIONS) in codes(report)
    problem = next(each for each in report.problems if each.topic == DECISIONS)
    assert (problem.partition, problem.offset, problem.stream) == (PARTITION, decisions[index][0], STREAM)


@pytest.mark.parametrize(
    "fields",
    [
        {"eventids": ["00000000-0000-4000-8000-000000000000"]},
        {"version": SEQ + 1},
        {"commandid": "00000000-0000-4000-8000-000000000000"},
    ],
)
async def test_aud_06_a_decision_that_says_something_else_is_named(fields: dict[str, Any]) -> None:
    source, decisions, index = tampered()
    change(decisions, index, **fields)
    assert ("DECISION_WITHOUT_EVENTS", DECISIONS) in codes(await checked(source))


async def test_aud_06_a_rejection_made_of_an_acceptance_is_named() -> None:
    source, decisions, index = tampered()
    change(decisions, index, verdict="REJECTED", code="RULE", eventids=[])
    assert codes(await checked(source)) == [("DECISION_MISSING", EVENTS)]


@pytest.mark.parametrize("value", [b"?", b"{}", b'{ "verdict": "ACCEPTED" }', b""])
async def test_aud_06_an_unreadable_decision_is_named(value: bytes) -> None:
    source, decisions, index = tampered()
    put_value(decisions, index, value)
    report = await checked(source)
    assert set(codes(report)) == {("DECISION_UNREADABLE", DECISIONS), ("DECISION_MISSING", EVENTS)}


async def test_aud_06_a_command_accepted_twice_is_named() -> None:
    source, decisions, index = tampered()
    decisions.append((decisions[-1][0] + 2, *decisions[index][1:]))
    report = await checked(source)
    assert codes(report) == [("DECISION_WITHOUT_EVENTS", DECISIONS)]
    assert report.problems[0].offset == decisions[-1][0]


async def test_answers_that_record_nothing_need_no_events() -> None:
    source, decisions, index = tampered()
    accepted = Decision.read(value_at(decisions, index))
    answers: list[dict[str, Any]] = [
        {"repeat": True},
        {"eventids": (), "commandid": accepted.eventids[0]},
        {"verdict": Verdict.REJECTED, "code": Code.CONFLICT, "eventids": ()},
    ]
    for changes in answers:
        raw = accepted.model_copy(update=changes).raw()
        decisions.append((decisions[-1][0] + 2, decisions[index][1], raw, ()))
    assert (await checked(source)).whole


async def test_a_stream_with_a_released_record_is_not_held_to_its_decisions() -> None:
    source, decisions, index = tampered()
    offset = decisions[index][0]
    put_value(decisions, index, b"?")
    entry = Released(
        topic=DECISIONS, stream=STREAM, partition=PARTITION, offset=offset, reason="why", by="admin", at=BEGIN
    )
    source.topics[(QUARANTINE, 0)] = [(0, STREAM.encode(), record_bytes(entry), ())]
    assert (await checked(source)).whole
