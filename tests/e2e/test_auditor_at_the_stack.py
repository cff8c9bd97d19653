"""An auditor at the running stack: access that ends, the trail as a file, the review, the seals and their key."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from hepatrail_events.codec import read
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import Seal, SealReason, open_seal
from hepatrail_events.types import format_instant
from hepatrail_infra.kafka_admin import CHECKPOINTS, EVENTS
from logbook import committed
from sae_reports import reported, token_for
from stack import Stack, running_stack

NEXT = SigningKey(b"\7" * 32)
MEGABYTE = 1024 * 1024
WITHIN = 60.0
"""Seconds from the answer to the end of every session (ACC-04)."""
ACCESS_LOG = "{ accessLog(first: 200, filter: {kinds: [TOKEN_WITHDRAWN, EXPORT]}) { edges { node { kind detail } } } }"
SEALS = "{ checkpointSeals(first: 1) { edges { node { seal hash } } } }"
REVIEWS = "{ auditTrailReviews { seal sealHash findings reviewedBy } }"


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack(subjects=["AT-01"]) as running:
        yield running


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


async def test_the_tokens_of_the_ready_line_are_on_record(stack: Stack) -> None:
    issued = "{ accessLog(first: 200, filter: {kinds: [TOKEN_ISSUED]}) { edges { node { kind detail } } } }"
    details = [each["detail"] for each in await until(stack, issued, "accessLog")]
    assert {(each["role"], each["by"]) for each in details} == {(role.value, "hepatrail up") for role in Role}
    tokens = stack.ready["tokens"].values()
    assert {each["jti"] for each in details} == {_claims(token)["jti"] for token in tokens}
    assert not [token for token in tokens if token in json.dumps(details)]


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_aud_09_the_trail_of_the_stack_is_taken_away_and_counted(stack: Stack) -> None:
    done = await stack.command("audit", "trail", "--format", "jsonl", "--by", "inspector")
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
    done = await stack.command("audit", "access", "--out", str(stack.data_dir.parent / "access.csv"))
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("whole: ")


async def test_aud_10_a_review_is_recorded_in_the_auditors_name(stack: Stack) -> None:
    (seal,) = await until(stack, SEALS, "checkpointSeals")
    period = ("--from", "2026-01-01T00:00:00Z", "--to", format_instant(datetime.now(UTC)))
    token = token_for(stack, "inspector-1", Role.AUDITOR)
    review = ("audit", "review", *period, "--token", token)
    done = await stack.command(*review, "--seal", str(seal["seal"]), "--findings", "nothing to object")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reviewed: 2026-01-01T00:00:00.000Z to ")
    async with asyncio.timeout(20):
        while not (found := (await stack.graphql(REVIEWS, role="AUDITOR"))["auditTrailReviews"]):
            await asyncio.sleep(0.1)
    stated = {"seal": seal["seal"], "sealHash": seal["hash"], "findings": "nothing to object"}
    assert found == [{**stated, "reviewedBy": "inspector-1"}]
    done = await stack.command(*review, "--seal", "99999")
    assert (done.returncode, done.stderr) == (2, "could not read: There is no seal 99999.\n")
    refused = ("audit", "review", *period, "--token", token_for(stack, "monitor-1", Role.MONITOR))
    done = await stack.command(*refused)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("refused: ")


async def there(holds: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await holds()):
            await asyncio.sleep(0.1)
    return found


async def seals(stack: Stack) -> list[Seal]:
    return [Seal.read(record.value) for record in await committed(stack.ready["kafka"], CHECKPOINTS)]


async def sealed_for(stack: Stack, reason: SealReason) -> Seal:
    async def found() -> Seal | None:
        return next((seal for seal in reversed(await seals(stack)) if seal.reason is reason), None)

    seal: Seal = await there(found)
    return seal


async def alert_recorded(stack: Stack) -> Any:
    for record in await committed(stack.ready["kafka"], EVENTS):
        recorded = read(record.value)
        if isinstance(recorded.event, AlertRaised):
            return recorded.envelope.recordedat
    return None


def first_key(stack: Stack) -> SigningKey:
    return SigningKey(base64.b64decode(json.loads((stack.data_dir / "secrets.json").read_text())["sealing_key"]))


def give_key(stack: Stack, key: SigningKey) -> None:
    file = stack.data_dir / "secrets.json"
    body = {**json.loads(file.read_text()), "sealing_key": base64.b64encode(key.seed).decode()}
    file.write_text(json.dumps(body))


async def test_aud_06_a_stack_seals_its_alerts_and_its_key_can_be_changed(stack: Stack, tmp_path: Path) -> None:
    """The last one here: it stops the stack, and starts it with another key."""
    old = first_key(stack)
    assert (await sealed_for(stack, SealReason.START)).seal == 1
    await reported(stack, "AT-01")
    alerted = await sealed_for(stack, SealReason.ALERT)
    assert alerted.at - await there(lambda: alert_recorded(stack)) < timedelta(seconds=10)
    assert psutil.Process(stack.pid("sealer")).memory_info().rss < 80 * MEGABYTE

    public = base64.b64encode(NEXT.public).decode()
    words = ("audit", "rotate-key", "--public", public, "--reason", "yearly change of the key")
    refused = await stack.command(*words, "--token", stack.ready["tokens"]["INVESTIGATOR"])
    assert refused.returncode == 2 and refused.stdout == "", refused
    published = await stack.command(*words, "--token", stack.ready["tokens"]["ADMIN"])
    assert published.stdout == "the key is published: give its seed to the sealer\n", published
    rotation = await sealed_for(stack, SealReason.ROTATION)
    assert open_seal(rotation, [old.public]).signers == {old.public}
    assert await stack.stop() == 0

    give_key(stack, NEXT)
    await stack.start()
    taken = await stack.command("audit", "checkpoint", "--out", str(tmp_path / "out"), "--by", "auditor-1")
    assert taken.returncode == 0, taken
    last = Seal.read((tmp_path / "out" / "seal.json").read_bytes())
    assert open_seal(last, [NEXT.public]).signers == {NEXT.public}
    assert [seal.seal for seal in await seals(stack)] == list(range(1, last.seal + 1))
    copies = (stack.data_dir / "checkpoints").glob("*.jsonl")
    kept = [Seal.read(line).seal for file in sorted(copies) for line in file.read_bytes().splitlines()]
    assert kept == list(range(1, last.seal + 1))
    verified = await stack.command("audit", "verify", "--checkpoint", str(tmp_path / "out" / "seal.json"))
    assert verified.returncode == 0, verified
