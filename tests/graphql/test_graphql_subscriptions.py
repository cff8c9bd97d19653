"""What an officer and a client follow live, over real websockets: everything, in order, once, and never silence."""

import asyncio
import socket as sockets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import log_commits as log
from graphql_socket import Socket
from graphql_world import QUICK, World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, AlertType, Priority
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import AccessWithdrawn
from hepatrail_graphql.websocket import SLOW_CLIENT
from hepatrail_infra.postgres import Dsns

ALERTS = """subscription($after: String!, $f: AlertFilter) { saeAlerts(after: $after, filter: $f) { __typename
  ... on SaeAlert { cursor alertSeq alertId type priority subjectId recordedAt verbatim { value state } }
  ... on AlertAcknowledged { cursor alertId by comment { value state } recordedAt }
  ... on AlertEscalated { cursor alertId level recordedAt }
  ... on Heartbeat { cursor lastSeq processedTo lagSeconds safetyHealthy schedulerHealthy } } }"""
AGE = "UPDATE hepatrail.safety_status SET written_at = written_at - interval '11 s' RETURNING 1"


async def raise_alert(world: World, number: int, **changes: Any) -> Any:
    """The desk raises an alert."""
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
    event = AlertRaised(**{**given, **changes})
    world.log.commit(SAFETY_DESK, event, role="SYSTEM")
    return event.alert_id


@pytest.fixture
async def desk(world: World) -> list[Any]:
    """Three alerts; the second is acknowledged."""
    alerts = [
        await raise_alert(world, 1, verbatim=await world.seal("S-01", "fever")),
        await raise_alert(world, 2, priority=Priority.P1),
        await raise_alert(world, 3, subject_id="S-02", site_id="NFH"),
    ]
    log.acknowledge(world.log, alerts[1], "officer")
    await world.project()
    world.clock.at = world.log.now + timedelta(seconds=1)
    await world.safety(3, 4)
    return alerts


async def test_everything_from_the_start_then_live_without_a_gap(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="start")
        seen = [await officer.next() for _ in range(4)]
        assert [each["__typename"] for each in seen] == ["SaeAlert"] * 3 + ["AlertAcknowledged"]
        assert [each["cursor"] for each in seen] == [f"safety-desk@{number}" for number in range(1, 5)]
        assert [each["alertSeq"] for each in seen[:3]] == [1, 2, 3]
        assert seen[0]["verbatim"] == {"value": "fever", "state": "CLEAR"}
        assert (seen[3]["alertId"], seen[3]["by"]) == (str(desk[1]), "officer")
        beat = await officer.next()
        assert (beat["__typename"], beat["cursor"], beat["lastSeq"]) == ("Heartbeat", "safety-desk@4", 3)
        assert (beat["safetyHealthy"], beat["schedulerHealthy"]) == (True, True)

        await raise_alert(world, 4)
        begun = asyncio.get_running_loop().time()
        await world.project()
        live = await officer.next_but_beats()
        assert live["alertSeq"] == 4
        assert asyncio.get_running_loop().time() - begun < 2.0


async def test_every_message_is_text_as_a_browser_needs_it(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="start")
        assert {type(await officer.raw.recv()) for _ in range(5)} == {str}


async def test_a_reconnect_with_the_last_cursor_continues_exactly_there(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="start")
        cursor = (await officer.next())["cursor"]
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after=cursor)
        assert [(await officer.next())["cursor"] for _ in range(3)] == [f"safety-desk@{number}" for number in (2, 3, 4)]


async def test_unacknowledged_gives_what_is_open_and_now_gives_what_comes(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, "open", after="unacknowledged")
        assert [(await officer.next())["alertSeq"] for _ in range(2)] == [1, 3]
        assert (await officer.next())["__typename"] == "Heartbeat"
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, "now", after="now")
        assert (await officer.next())["cursor"] == "safety-desk@4"
        await raise_alert(world, 4)
        await world.project()
        assert (await officer.next_but_beats())["alertSeq"] == 4


async def test_a_page_of_alerts_leads_into_the_subscription(world: World, desk: list[Any]) -> None:
    page = "query($a: String) { saeAlerts(first: 2, after: $a) { edges { cursor node { alertSeq cursor } } } }"
    edges = (await world.ask(page))["saeAlerts"]["edges"]
    assert [edge["node"]["alertSeq"] for edge in edges] == [1, 2]
    assert all(edge["cursor"] == edge["node"]["cursor"] for edge in edges)
    edges = (await world.ask(page, {"a": edges[-1]["cursor"]}))["saeAlerts"]["edges"]
    assert [edge["node"]["alertSeq"] for edge in edges] == [3]
    assert (await world.ask(page, {"a": "safety-desk@4"}))["saeAlerts"]["edges"] == []


async def test_a_filter_and_the_sites_of_the_token_cut_down_what_is_delivered(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, "p1", after="start", f={"priorities": ["P1"]})
        assert [(await officer.next())["__typename"] for _ in range(3)] == [
            "SaeAlert",
            "AlertAcknowledged",
            "Heartbeat",
        ]
    async with Socket.opened(world, world.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"])) as investigator:
        await investigator.subscribe(ALERTS, after="start")
        assert (await investigator.next())["alertSeq"] == 3
        assert (await investigator.next())["cursor"] == "safety-desk@4"


async def test_a_cursor_beyond_the_desk_s_head_in_kafka_is_an_error(world: World, desk: list[Any]) -> None:
    await world.safety(5, 9)
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, "a", after="safety-desk@10")
        error = await officer.failure()
        assert error["extensions"]["code"] == "CURSOR_AHEAD"
        assert (await officer.receive())["type"] == "complete"
        await officer.subscribe(ALERTS, "b", after="safety-desk@9")
        assert (await officer.next())["lastSeq"] == 5
    await world.tables.value(AGE)
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, "c", after="safety-desk@10")
        assert (await officer.failure())["extensions"]["code"] == "UNAVAILABLE"
        assert (await officer.receive())["type"] == "complete"
        for bad in ("", "yesterday", "study@1"):
            await officer.subscribe(ALERTS, f"d{bad}", after=bad)
            assert (await officer.failure())["extensions"]["code"] == "BAD_USER_INPUT"
            assert (await officer.receive())["type"] == "complete"


async def test_a_halted_safety_process_shows_in_a_heartbeat_at_once(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="now")
        assert (await officer.beat())["safetyHealthy"] is True
        await world.safety(3, 4, safety_healthy=False)
        assert (await officer.beat())["safetyHealthy"] is False
        await world.safety(3, 4)
        assert (await officer.beat())["safetyHealthy"] is True
        await world.tables.value(AGE)
        beat = await officer.beat()
        assert (beat["safetyHealthy"], beat["schedulerHealthy"]) == (False, False)
        assert beat["lastSeq"] == 3


async def test_before_the_safety_process_ran_nothing_is_healthy(world: World) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="start")
        beat = await officer.beat()
        assert (beat["safetyHealthy"], beat["schedulerHealthy"], beat["lastSeq"]) == (False, False, 0)
        assert beat["processedTo"] == "1970-01-01T00:00:00.000Z"


async def test_rows_that_stay_behind_the_desk_are_unhealthy(dsns: Dsns, tmp_path: Path) -> None:
    times = replace(QUICK, desk_behind=0.5)
    async with World.opened(dsns, tmp_path, times=times) as world:
        await world.safety(1, 2)
        async with Socket.opened(world) as officer:
            await officer.subscribe(ALERTS, after="start")
            assert (await officer.beat())["safetyHealthy"] is True
            beat = await officer.beat()
            assert (beat["safetyHealthy"], beat["lastSeq"]) == (False, 1)


async def test_heartbeats_come_by_themselves(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world) as officer:
        await officer.subscribe(ALERTS, after="now")
        await officer.beat()
        begun = asyncio.get_running_loop().time()
        await officer.beat()
        assert 0.5 < asyncio.get_running_loop().time() - begun < 2.5


async def test_withdrawn_access_ends_a_live_subscription_and_the_next_operation(world: World, desk: list[Any]) -> None:
    async with Socket.opened(world, world.token(Role.SAFETY_OFFICER, sub="officer-1")) as officer:
        await officer.subscribe(ALERTS, after="now")
        await officer.beat()
        world.log.commit(STUDY, AccessWithdrawn(token_subject="officer-1", reason="left the trial"), role="ADMIN")
        await world.project()
        assert (await officer.failure())["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await officer.receive())["type"] == "complete"
        await officer.subscribe("{ __typename }", "again")
        with pytest.raises(ConnectionClosed) as closed:
            await officer.receive()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403


async def test_a_subscription_ends_with_its_token(world: World, desk: list[Any]) -> None:
    token = world.signer.sign("officer", Role.SAFETY_OFFICER, "org", ["*"], timedelta(seconds=1.5))
    async with Socket.opened(world, token) as officer:
        await officer.subscribe(ALERTS, after="now")
        assert (await officer.failure())["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("role", [Role.LABORATORY, Role.ADMIN, Role.SYSTEM])
async def test_alerts_are_for_those_who_may_read_safety_data(world: World, role: Role) -> None:
    async with Socket.opened(world, world.token(role)) as other:
        await other.subscribe(ALERTS, after="start")
        assert (await other.failure())["extensions"]["code"] == "FORBIDDEN"
    assert world.access.refusals[-1]["command"] == "saeAlerts"


async def test_a_client_that_does_not_read_is_disconnected_with_its_last_cursor(
    dsns: Dsns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times = replace(QUICK, slow_client=1.5)
    async with World.opened(dsns, tmp_path, times=times) as world:
        for number in range(1, 401):
            await raise_alert(world, number, detail="x" * 500, reasons=tuple("r" * 180 for _ in range(40)))
        await world.project()
        address = world.url().replace("http", "ws")
        narrow = sockets.socket()
        narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", world.port))
        protocol = [Subprotocol("graphql-transport-ws")]
        async with connect(address, sock=narrow, subprotocols=protocol, max_queue=1, compression=None) as slow:
            officer = Socket(slow)
            token = world.token(Role.SAFETY_OFFICER)
            await officer.send("connection_init", payload={"Authorization": f"Bearer {token}"})
            await officer.receive()
            wide = 'subscription { saeAlerts(after: "start") { ... on SaeAlert { cursor alertSeq reasons detail } } }'
            await officer.subscribe(wide)
            async with asyncio.timeout(20):
                while "slow client disconnected" not in caplog.messages:
                    await asyncio.sleep(0.05)
            seen = 0
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    seen = (await officer.next())["alertSeq"]
        assert 0 < seen < 400
        assert closed.value.rcvd is not None and closed.value.rcvd.code == SLOW_CLIENT
        # What lay in the buffers arrives first; the message that did not fit is the next one to ask for.
        assert closed.value.rcvd.reason in (f"SLOW_CLIENT safety-desk@{seen}", f"SLOW_CLIENT safety-desk@{seen - 1}")
