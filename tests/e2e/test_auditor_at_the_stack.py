"""An auditor at the running stack: access that ends, what is on record of it, the trail as a file, and the review."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from hepatrail_events.roles import Role
from hepatrail_events.types import format_instant
from sae_reports import token_for
from stack import Stack, enrol

WITHIN = 60.0
"""Seconds from the answer to the end of every session (ACC-04)."""
ACCESS_LOG = "{ accessLog(first: 200, filter: {kinds: [TOKEN_WITHDRAWN, EXPORT]}) { edges { node { kind detail } } } }"
SEALS = "{ checkpointSeals(first: 1) { edges { node { seal hash } } } }"
REVIEWS = "{ auditTrailReviews { seal sealHash findings reviewedBy } }"


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    with tempfile.TemporaryDirectory() as directory:
        running = await Stack(Path(directory) / "data").start()
        try:
            await running.accept("activateSite", "ADMIN", siteId="BFH", approvalRef="EC-2026-01")
            await enrol(running, "AT-01")
            yield running
        finally:
            await running.stop()


async def hepatrail(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hepatrail_cli", *words, "--data-dir", str(stack.data_dir)]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)


def errors_of(message: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The errors in a message of a subscription, or that end it."""
    errors = message["payload"] if message["type"] == "error" else message.get("payload", {}).get("errors")
    return errors or None


async def until(stack: Stack, query: str, field: str) -> list[Any]:
    """The nodes of a list, as soon as there are any."""
    for _ in range(200):
        found = [edge["node"] for edge in (await stack.graphql(query, role="AUDITOR"))[field]["edges"]]
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{field} stayed empty")


async def test_aud_07_withdrawn_access_ends_tokens_and_subscriptions_within_60_s(stack: Stack) -> None:
    token = token_for(stack, "officer-z")
    bearer, asked = {"authorization": f"Bearer {token}"}, {"query": "{ protocol { version } }"}
    protocol = Subprotocol("graphql-transport-ws")
    async with connect(stack.ready["websocket"], subprotocols=[protocol]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = 'subscription { saeAlerts(after: "now") { __typename } }'
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
        assert json.loads(await socket.recv())["type"] == "next"
        await stack.accept("withdrawAccess", "ADMIN", tokenSubject="officer-z", reason="left the trial")
        async with asyncio.timeout(WITHIN):
            while (refused := errors_of(json.loads(await socket.recv()))) is None:
                pass
            assert refused[0]["extensions"]["code"] == "UNAUTHENTICATED"
            while (await stack.http.post(stack.ready["graphql"], json=asked, headers=bearer)).status_code != 401:
                await asyncio.sleep(0.2)
    (withdrawn,) = await until(stack, ACCESS_LOG, "accessLog")
    assert withdrawn == {"kind": "TOKEN_WITHDRAWN", "detail": {"tokenSubject": "officer-z"}}


async def test_aud_09_the_trail_of_the_stack_is_taken_away_and_counted(stack: Stack) -> None:
    done = await hepatrail(stack, "audit", "trail", "--format", "jsonl", "--by", "inspector")
    assert done.returncode == 0, done.stderr
    *rows, count = map(json.loads, done.stdout.splitlines())
    assert count == {"count": len(rows)}
    seen, after = 0, None
    while True:
        query = "query($a: String) { auditTrail(first: 200, after: $a) { edges { cursor } pageInfo { hasNextPage } } }"
        page = (await stack.graphql(query, {"a": after}, "AUDITOR"))["auditTrail"]
        seen += len(page["edges"])
        if not page["pageInfo"]["hasNextPage"]:
            # Completeness trails the log by 4 s.
            if seen == len(rows):
                break
            seen, after = 0, None
            await asyncio.sleep(0.5)
            continue
        after = page["edges"][-1]["cursor"]
    exports = [each["detail"] for each in await until(stack, ACCESS_LOG, "accessLog") if each["kind"] == "EXPORT"]
    assert [(each["list"], each["rows"], each["by"]) for each in exports] == [("auditTrail", len(rows), "inspector")]
    done = await hepatrail(stack, "audit", "access", "--out", str(stack.data_dir.parent / "access.csv"))
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("whole: ")


async def test_aud_10_a_review_is_recorded_in_the_auditors_name(stack: Stack) -> None:
    (seal,) = await until(stack, SEALS, "checkpointSeals")
    period = ("--from", "2026-01-01T00:00:00Z", "--to", format_instant(datetime.now(UTC)))
    token = token_for(stack, "inspector-1", Role.AUDITOR)
    review = ("audit", "review", *period, "--token", token)
    done = await hepatrail(stack, *review, "--seal", str(seal["seal"]), "--findings", "nothing to object")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reviewed: 2026-01-01T00:00:00.000Z to ")
    async with asyncio.timeout(20):
        while not (found := (await stack.graphql(REVIEWS, role="AUDITOR"))["auditTrailReviews"]):
            await asyncio.sleep(0.1)
    stated = {"seal": seal["seal"], "sealHash": seal["hash"], "findings": "nothing to object"}
    assert found == [{**stated, "reviewedBy": "inspector-1"}]
    done = await hepatrail(stack, *review, "--seal", "99999")
    assert (done.returncode, done.stderr) == (2, "could not read: There is no seal 99999.\n")
    refused = ("audit", "review", *period, "--token", token_for(stack, "monitor-1", Role.MONITOR))
    done = await hepatrail(stack, *refused)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("refused: ")
