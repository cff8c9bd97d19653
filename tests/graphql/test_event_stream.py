"""The same subscription over server-sent events: the same rights, limits, order and farewell as over a websocket."""

import asyncio
import socket as sockets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

import log_commits as log
from event_source import EventSource
from graphql_world import QUICK, World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, AlertType, Priority
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import AccessWithdrawn
from hepatrail_infra.postgres import Dsns

ALERTS = """subscription($after: String!) { saeAlerts(after: $after) { __typename
  ... on SaeAlert { alertSeq } ... on AlertAcknowledged { by } ... on Heartbeat { lastSeq safetyHealthy } } }"""
CHANGES = "subscription($id: ID!, $a: Version) { subjectChanged(id: $id, after: $a) { version eventTypes } }"


def raised(world: World, number: int, **changes: Any) -> AlertRaised:
    given: dict[str, Any] = {
        "alert_id": world.log.uuid(),
        "type": AlertType.SAE_NEW,
        "priority": Priority.P2,
        "raised_at": world.log.now,
        "commit_id": world.log.uuid(),
        "reporter_id": "dr-li",
        "subject_id": "S-01",
        "site_id": "BFH",
        "alert_seq": number,
    }
    return AlertRaised(**{**given, **changes})


async def three_alerts(world: World) -> None:
    """Three alerts; the second is acknowledged."""
    alerts = [raised(world, number) for number in (1, 2, 3)]
    for each in alerts:
        world.log.commit(SAFETY_DESK, each, role="SYSTEM")
    log.acknowledge(world.log, alerts[1].alert_id, "officer")
    await world.project()
    world.clock.at = world.log.now + timedelta(seconds=1)
    await world.safety(3, 4)


def opened(world: World, query: str, variables: dict[str, Any], token: str | None = None, **headers: str) -> Any:
    officer = token or world.token(Role.SAFETY_OFFICER)
    return EventSource.opened(world.url(), officer, query, variables, **headers)


async def test_the_past_then_live_each_event_with_its_cursor_as_its_id(world: World) -> None:
    await three_alerts(world)
    async with opened(world, ALERTS, {"after": "start"}) as officer:
        assert officer.response.status_code == 200
        assert officer.response.headers["content-type"].startswith("text/event-stream")
        assert "no-cache" in officer.response.headers["cache-control"]
        seen = [await officer.next() for _ in range(5)]
        assert [each.data["data"]["saeAlerts"]["__typename"] for each in seen] == [
            "SaeAlert",
            "SaeAlert",
            "SaeAlert",
            "AlertAcknowledged",
            "Heartbeat",
        ]
        assert [each.id for each in seen] == [f"safety-desk@{number}" for number in (1, 2, 3, 4, 4)]
        world.log.commit(SAFETY_DESK, raised(world, 4), role="SYSTEM")
        await world.project()
        while (event := await officer.next()).data["data"]["saeAlerts"]["__typename"] == "Heartbeat":
            pass
        assert (event.id, event.data["data"]["saeAlerts"]["alertSeq"]) == ("safety-desk@5", 4)


async def test_a_request_sent_again_with_the_last_event_id_goes_on_there(world: World) -> None:
    await three_alerts(world)
    async with opened(world, ALERTS, {"after": "start"}, last_event_id="safety-desk@2") as officer:
        assert [(await officer.next()).id for _ in range(2)] == ["safety-desk@3", "safety-desk@4"]
    async with opened(world, ALERTS, {"after": "start"}, last_event_id="42") as officer:
        (error,) = (await officer.next()).data["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        complete = await officer.sent()
        assert complete is not None and complete.name == "complete"
    async with opened(world, ALERTS, {"after": "start"}, last_event_id="safety-desk@99") as officer:
        (error,) = (await officer.next()).data["errors"]
        assert error["extensions"]["code"] == "CURSOR_AHEAD"


async def test_a_query_is_one_event_and_the_end(world: World) -> None:
    async with opened(world, "{ saeAlerts(first: 1) { edges { cursor } } }", {}) as officer:
        assert (await officer.next()).data == {"data": {"saeAlerts": {"edges": []}}}
        complete = await officer.sent()
        assert complete is not None and (complete.name, complete.data) == ("complete", None)
        assert await officer.sent() is None


async def test_the_rights_and_the_limits_are_those_of_every_request(world: World) -> None:
    async with opened(world, ALERTS, {"after": "start"}, world.token(Role.LABORATORY)) as laboratory:
        (error,) = (await laboratory.next()).data["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
    assert world.access.refusals[-1]["command"] == "saeAlerts"
    async with opened(world, ALERTS, {"after": "start"}, "nonsense") as nobody:
        assert nobody.response.status_code == 401
    async with opened(world, "subscription { nothing }", {}) as wrong:
        assert (await wrong.next()).data["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    aliases = " ".join(f"a{number}: __typename" for number in range(40))
    async with opened(world, f'subscription {{ saeAlerts(after: "start") {{ {aliases} }} }}', {}) as greedy:
        assert (await greedy.next()).data["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_subscription_needs_a_way_to_be_followed(world: World) -> None:
    error = await world.error(ALERTS, {"after": "start"}, world.token(Role.SAFETY_OFFICER))
    assert (error["code"], error["rule"]) == ("BAD_USER_INPUT", "transport")


async def test_it_ends_with_the_access_of_its_reader(world: World) -> None:
    await three_alerts(world)
    token = world.token(Role.SAFETY_OFFICER, sub="officer-1")
    async with opened(world, ALERTS, {"after": "now"}, token) as officer:
        await officer.next()
        world.log.commit(STUDY, AccessWithdrawn(token_subject="officer-1", reason="left the trial"), role="ADMIN")
        await world.project()
        while "errors" not in (event := await officer.next()).data:
            pass
        assert event.data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        complete = await officer.sent()
        assert complete is not None and complete.name == "complete"
        assert await officer.sent() is None


async def test_it_ends_with_its_token(world: World) -> None:
    token = world.signer.sign("officer", Role.SAFETY_OFFICER, "org", ["*"], timedelta(seconds=1.5))
    async with opened(world, ALERTS, {"after": "now"}, token) as officer:
        while "errors" not in (event := await officer.next()).data:
            pass
        assert event.data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_silence_is_broken_by_comments(dsns: Dsns, tmp_path: Path) -> None:
    async with World.opened(dsns, tmp_path, times=replace(QUICK, keep_alive=0.2)) as world:
        stream = log.enrol(world.log, "S-01")
        await world.project()
        coordinator = world.token(Role.COORDINATOR, ["BFH"])
        async with opened(world, CHANGES, {"id": "S-01", "a": 2}, coordinator) as client:
            comments = [await client.sent() for _ in range(2)]
            assert [each and each.name for each in comments] == ["", ""]
            log.sample(world.log, stream, tbil="300")
            await world.project()
            event = await client.next()
            assert event.data["data"]["subjectChanged"] == {"version": 3, "eventTypes": ["LabResultsRecorded"]}
            assert event.id is None, "only places on the safety desk are ids"


async def test_a_client_that_leaves_is_followed_for_no_longer(world: World) -> None:
    await three_alerts(world)
    async with opened(world, ALERTS, {"after": "now"}) as officer:
        await officer.next()
        assert "safety-desk" in {task.get_name() for task in asyncio.all_tasks()}
    async with asyncio.timeout(5):
        while "safety-desk" in {task.get_name() for task in asyncio.all_tasks()}:
            await asyncio.sleep(0.01)


async def test_a_client_that_does_not_read_is_left_with_its_last_cursor(
    dsns: Dsns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with World.opened(dsns, tmp_path, times=replace(QUICK, slow_client=1.5)) as world:
        for number in range(1, 401):
            wide = raised(world, number, detail="x" * 500, reasons=tuple("r" * 180 for _ in range(40)))
            world.log.commit(SAFETY_DESK, wide, role="SYSTEM")
        await world.project()
        query = 'subscription { saeAlerts(after: "start") { ... on SaeAlert { alertSeq reasons detail } } }'
        text = await read_late(world, query, caplog)
        events = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in text]
        assert events[-1] == {"event": "complete"} or events[-1].get("event") == "complete"
        farewell = orjson.loads(events[-2]["data"])
        seen = [orjson.loads(each["data"])["data"]["saeAlerts"]["alertSeq"] for each in events[:-2]]
        assert seen == list(range(1, len(seen) + 1)) and 0 < len(seen) < 400
        (error,) = farewell["errors"]
        assert (error["extensions"]["code"], farewell["data"]) == ("SLOW_CLIENT", None)
        assert error["extensions"]["cursor"] == events[-2]["id"] == events[-3]["id"] == f"safety-desk@{len(seen)}"


async def read_late(world: World, query: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What a client finds in its buffers who reads only when the server has lost patience."""
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(narrow, ("127.0.0.1", world.port))
    body = orjson.dumps({"query": query})
    head = httpx.Headers(
        {
            "host": "localhost",
            "authorization": f"Bearer {world.token(Role.SAFETY_OFFICER)}",
            "accept": "text/event-stream",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
        }
    )
    lines = b"".join(b"%s: %s\r\n" % pair for pair in head.raw)
    await loop.sock_sendall(narrow, b"POST /graphql HTTP/1.1\r\n" + lines + b"\r\n" + body)
    async with asyncio.timeout(20):
        while "slow client disconnected" not in caplog.messages:
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(sock=narrow)
        await reader.readuntil(b"\r\n\r\n")
        found = b""
        while size := int(await reader.readline(), 16):
            found += await reader.readexactly(size)
            await reader.readexactly(2)
        writer.close()
    return [block for block in found.decode().split("\n\n") if block]
