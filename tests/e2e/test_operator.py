"""What an operator does to a running stack: watches, releases what cannot be read, erases a participant's text."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from hepatrail_infra.kafka_admin import EVENTS, TOPICS
from hepatrail_infra.kafka_log import partition_of
from logbook import Logbook, committed
from sae_reports import reported
from stack import Stack, enrol, running_stack

PHRASE = "bled into the left groin after line removal"
VERBATIM = "query($id: ID!) { subject(id: $id) { adverseEvents { verbatim { value state } } } }"
POISON = b"\xff not a fact"


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack() as running:
        yield running


async def _observe(stack: Stack, subject: str, minute: int) -> dict[str, Any]:
    return await stack.mutate(
        "recordObservations",
        subjectId=subject,
        assessedAt=f"2026-01-06T09:{minute:02d}:00Z",
        rows=[{"code": "heart_rate", "value": "80", "unit": "/min"}],
    )


async def _shows(stack: Stack, query: str, variables: dict[str, Any], expected: Any) -> None:
    answer = None
    try:
        async with asyncio.timeout(45):
            while (answer := await stack.answer(query, variables)) != expected:
                await asyncio.sleep(0.3)
    except TimeoutError:
        pytest.fail(f"{answer} never became {expected}")


async def _rows_as_text(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema ~ '^(projection|hepatrail)'"
        )
        found = []
        for schema, table in tables:
            rows = await connection.fetch(f'SELECT t::text, to_jsonb(t)::text FROM "{schema}"."{table}" t')
            found += [str(tuple(row)) for row in rows]
        return "\n".join(found)
    finally:
        await connection.close()


async def test_free_text_stands_nowhere_in_clear_and_destroying_its_key_erases_it_everywhere(stack: Stack) -> None:
    await enrol(stack, "OP-TEXT")
    await reported(stack, "OP-TEXT", verbatim=PHRASE)
    clear = {"subject": {"adverseEvents": [{"verbatim": {"value": PHRASE, "state": "CLEAR"}}]}}
    await _shows(stack, VERBATIM, {"id": "OP-TEXT"}, clear)

    for topic in TOPICS:
        for record in await committed(stack.ready["kafka"], topic.name):
            assert PHRASE.encode() not in (record.value or b""), topic.name
    tables = await _rows_as_text(stack.ready["postgres"])
    assert "OP-TEXT" in tables
    assert PHRASE not in tables
    assert PHRASE.encode().hex() not in tables
    for log in (stack.data_dir / "logs").iterdir():
        assert PHRASE not in log.read_text(errors="replace"), log.name

    erased = await stack.command("vault", "destroy", "OP-TEXT", "--reason", "request", "--by", "dpo", "--yes")
    assert erased.returncode == 0, erased.stderr
    gone = {"subject": {"adverseEvents": [{"verbatim": {"value": None, "state": "ERASED"}}]}}
    await _shows(stack, VERBATIM, {"id": "OP-TEXT"}, gone)
    assert len((await Logbook.read(stack.ready["kafka"])).streams["subject-OP-TEXT"]) == 3


async def test_an_officer_watches_alerts_on_a_terminal(stack: Stack) -> None:
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hepatrail_cli", "watch", "--after", "start", "--data-dir", str(stack.data_dir)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "TERM": "dumb"},
    )
    assert watching.stdin is not None
    assert watching.stdout is not None
    try:
        await _line_with(watching.stdout, "caught up: ")
        await enrol(stack, "OP-WATCH")
        await reported(stack, "OP-WATCH", verbatim=PHRASE)
        line = await _line_with(watching.stdout, "OP-WATCH")
        assert "SAE_NEW" in line
        assert PHRASE in line
        number = line.split("#")[1].split()[0]
        watching.stdin.write(f"{number} seen on the ward\n".encode())
        acknowledged = await _line_with(watching.stdout, f"#{number} acknowledged by ")
        assert "does not stop" not in acknowledged
        watching.stdin.write(f"{number}\n".encode())
        await _line_with(watching.stdout, f"#{number}: you had acknowledged it before")
        watching.stdin.write(b"q\n")
        assert await watching.wait() == 0
    finally:
        if watching.returncode is None:
            watching.terminate()
            await watching.wait()


async def _line_with(output: asyncio.StreamReader, words: str) -> str:
    async with asyncio.timeout(30):
        while words not in (line := (await output.readline()).decode()):
            assert line, "watch ended"
    return line


async def test_a_poisoned_record_parks_its_participant_only_until_it_is_released(stack: Stack) -> None:
    for subject in ("OP-PARKED", "OP-OTHER"):
        await enrol(stack, subject)
    producer = AIOKafkaProducer(bootstrap_servers=stack.ready["kafka"])
    await producer.start()
    stream = "subject-OP-PARKED"
    placed = await producer.send_and_wait(EVENTS, POISON, key=stream.encode(), partition=partition_of(stream))
    await producer.stop()

    parked = "query($id: ID!) { subject(id: $id) { parked { code } } }"
    await _shows(stack, parked, {"id": "OP-PARKED"}, {"subject": {"parked": [{"code": "NOT_JSON"}]}})
    assert (await _observe(stack, "OP-OTHER", 1))["__typename"] == "CommandAccepted"
    version = "query($id: ID!) { subject(id: $id) { version } }"
    await _shows(stack, version, {"id": "OP-OTHER"}, {"subject": {"version": 3}})
    told = await stack.command("status", "--json")
    assert told.returncode == 1
    assert any("OP-PARKED" in problem for problem in json.loads(told.stdout)["problems"])
    alerts = "{ saeAlerts(first: 50) { edges { node { type subjectId } } } }"
    async with asyncio.timeout(30):
        while {"node": {"type": "SUBJECT_UNREADABLE", "subjectId": "OP-PARKED"}} not in (
            await stack.graphql(alerts, role="SAFETY_OFFICER")
        )["saeAlerts"]["edges"]:
            await asyncio.sleep(0.5)

    shown = await stack.command("quarantine", "show", stream)
    assert f"@{placed.offset}" in shown.stdout
    assert "not a fact" in shown.stdout
    words = ("quarantine", "release", stream, "--offset", str(placed.offset), "--reason", "bytes of a test")
    released = await stack.command(*words)
    assert released.returncode == 0, released.stderr
    await _shows(stack, parked, {"id": "OP-PARKED"}, {"subject": {"parked": []}})
    assert (await _observe(stack, "OP-PARKED", 2))["__typename"] == "CommandAccepted"
    await _shows(stack, version, {"id": "OP-PARKED"}, {"subject": {"version": 3}})
    rebuilt = await stack.command("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
