"""What must be on record is on record (AUD-07): done over the API and at the command line, found in the access log."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

import log_commits as log
from deciding import decide_in
from graphql_world import World
from hepatrail_cli.main import app
from hepatrail_events.canonical import canonical_json
from hepatrail_events.codec import parse_object
from hepatrail_events.roles import Role
from hepatrail_infra.clock import SystemClock
from hepatrail_infra.kafka_admin import ACCESS
from hepatrail_infra.kafka_scan import Scan
from hepatrail_infra.postgres import Dsns
from hepatrail_services.access_log import AccessLog
from hepatrail_services.audit.kafka_source import KafkaSource
from projection_kafka import write
from projection_log import LogRecord

KINDS = """query { accessLog(first: 200) { edges { node { kind actorId command code detail instance seq } } } }"""


@pytest.fixture
async def world(dsns: Dsns, kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """One participant; the access log is the real one, and commands find Kafka."""
    monkeypatch.setenv("HEPATRAIL_KAFKA", kafka)
    access = AccessLog(kafka, "api-0", SystemClock())
    await access.start()
    try:
        async with World.opened(dsns, tmp_path, access_log=access) as opened:
            decide_in(opened, monkeypatch)
            log.publish(opened.log)
            log.sample(opened.log, log.enrol(opened.log, "S-01"), creatinine="88")
            await opened.project()
            await write(kafka, opened.log.records)
            yield opened
    finally:
        await access.stop()


async def hepatrail(*words: str) -> Result:
    """A command as an operator or auditor runs it."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(words)))


async def access_records(kafka: str) -> list[LogRecord]:
    """What stands in the topic."""
    async with Scan(kafka) as scan:
        batches = [batch async for batch in KafkaSource(scan).rows(ACCESS, 0)]
    return [LogRecord(ACCESS, 0, offset, key, value) for batch in batches for offset, key, value in batch]


async def test_aud_07_whatever_is_done_is_found_in_the_access_log_and_its_chains_hold(
    world: World, kafka: str, tmp_path: Path
) -> None:
    # A login, and one that is refused.
    await world.ask("{ protocol { version } }", token=world.token(Role.INVESTIGATOR, sub="dr-li"))
    assert (await world.post("{ protocol { version } }", token="nonsense")).status_code == 401
    # A request that is refused.
    assert (await world.error("{ subjects(first: 1) { __typename } }", token=world.token(Role.ADMIN)))["code"]
    # A token, which works, and the end of a person's access.
    issue = ("token", "AUDITOR", "--actor", "inspector", "--by", "ops", "--data-dir", str(tmp_path))
    done = await hepatrail(*issue)
    assert (done.exit_code, done.stderr) == (0, "")
    inspector = done.stdout.strip()
    given = {"commandId": str(uuid4()), "tokenSubject": "dr-wu", "reason": "left the trial"}
    withdraw = "mutation($i: WithdrawAccessInput!) { withdrawAccess(input: $i) { __typename } }"
    await world.ask(withdraw, {"i": given}, world.token(Role.ADMIN))
    # An export, and readings of the trail and of this log.
    listing = tmp_path / "trail.jsonl"
    export = ("audit", "trail", "--format", "jsonl", "--field", "value", "--by", "inspector", "--out", str(listing))
    done = await hepatrail(*export)
    assert (done.exit_code, done.stdout) == (0, f"1 rows in {listing}\n"), done.stderr
    row, count = map(json.loads, listing.read_text().splitlines())
    assert (row["newValue"], row["event"], count) == ("88", "LabResultsRecorded", {"count": 1})
    await world.ask("{ auditTrail(first: 1) { __typename } }", token=inspector)
    await world.ask(KINDS, token=inspector)

    await world.tables.project(await access_records(kafka))
    edges = (await world.ask(KINDS, token=inspector))["accessLog"]["edges"]
    found: dict[tuple[str, str | None], Any] = {
        (each["node"]["kind"], each["node"]["actorId"]): each["node"] for each in edges
    }
    assert found.keys() >= {
        ("LOGIN", "dr-li"),
        ("LOGIN", "inspector"),
        ("LOGIN_FAILED", None),
        ("COMMAND_REFUSED", "admin"),
        ("TOKEN_ISSUED", None),
        ("TOKEN_WITHDRAWN", "admin"),
        ("EXPORT", None),
        ("TRAIL_READ", "inspector"),
        ("ACCESS_READ", "inspector"),
    }
    refused = found["COMMAND_REFUSED", "admin"]
    assert (refused["command"], refused["code"]) == ("subjects", "FORBIDDEN")
    issued = found["TOKEN_ISSUED", None]["detail"]
    assert (issued["tokenSubject"], issued["role"], issued["by"]) == ("inspector", "AUDITOR", "ops")
    assert issued["jti"] == found["LOGIN", "inspector"]["detail"]["jti"]
    assert inspector not in json.dumps(edges)
    assert found["TOKEN_WITHDRAWN", "admin"]["detail"] == {"tokenSubject": "dr-wu"}
    exported = found["EXPORT", None]["detail"]
    assert {name: exported[name] for name in ("list", "field", "by", "rows", "format")} == {
        "list": "auditTrail",
        "field": "value",
        "by": "inspector",
        "rows": 1,
        "format": "jsonl",
    }

    done = await hepatrail("audit", "access", "--kind", "EXPORT", "--kind", "LOGIN", "--format", "jsonl")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1].endswith(" chains") and done.stderr.splitlines()[-1].startswith("whole: ")
    *rows, count = map(json.loads, done.stdout.splitlines())
    assert {each["kind"] for each in rows} == {"EXPORT", "LOGIN"}
    assert count == {"count": len(rows)}


async def test_aud_07_an_access_log_that_was_altered_ends_the_reading_with_1(world: World, kafka: str) -> None:
    await world.ask("{ protocol { version } }", token=world.token(Role.INVESTIGATOR, sub="dr-li"))
    (login,) = await access_records(kafka)
    second = {**parse_object(login.value or b""), "seq": 2, "prevhash": "ab" * 32, "actorid": "dr-no"}
    await write(kafka, [LogRecord(ACCESS, 0, 1, login.key, canonical_json(second))])
    done = await hepatrail("audit", "access")
    assert done.exit_code == 1
    assert "broken: BROKEN_CHAIN at hepatrail.access/0@1, api-0@2: prevhash is not the hash" in done.stdout
    assert done.stdout.splitlines()[-1] == "(1 problem in all)"


async def test_aud_07_no_token_and_no_export_without_its_record(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.signer.kid
    monkeypatch.setenv("HEPATRAIL_KAFKA", "127.0.0.1:9")
    done = await hepatrail("token", "MONITOR", "--actor", "m", "--data-dir", str(tmp_path))
    assert (done.exit_code, done.stdout) == (1, "")
    done = await hepatrail("audit", "trail", "--out", str(tmp_path / "trail.csv"))
    assert (done.exit_code, done.stdout, (tmp_path / "trail.csv").exists()) == (2, "", False)
