"""Who is let in over a websocket, and what else than alerts goes over it: any operation, a participant's changes."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

import log_commits as log
from graphql_socket import Socket
from graphql_world import World
from hepatrail_events.errors import Unavailable
from hepatrail_events.roles import Role
from hepatrail_graphql.auth import Authenticator

CHANGES = "subscription($id: ID!, $a: Version) { subjectChanged(id: $id, after: $a) { version eventTypes recordedAt } }"


async def test_a_connection_needs_a_token_and_the_one_protocol(world: World) -> None:
    address = world.url().replace("http", "ws")
    protocol = [Subprotocol("graphql-transport-ws")]
    for payload in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": 7}):
        async with connect(address, subprotocols=protocol) as bare:
            await bare.send(json.dumps({"type": "connection_init", "payload": payload}))
            with pytest.raises(ConnectionClosed) as closed:
                await bare.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4403
    async with connect(address, subprotocols=[Subprotocol("graphql-ws")]) as other:
        with pytest.raises(ConnectionClosed) as closed:
            await other.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4406
    headers = {"authorization": f"Bearer {world.token(Role.MONITOR)}"}
    async with connect(address, subprotocols=protocol, additional_headers=headers) as by_header:
        await by_header.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await by_header.recv())["type"] == "connection_ack"
        await by_header.send(json.dumps({"type": "ping"}))
        assert json.loads(await by_header.recv())["type"] == "pong"
    async with connect(address, subprotocols=protocol) as early:
        await early.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}))
        with pytest.raises(ConnectionClosed) as closed:
            await early.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401


async def test_while_tokens_cannot_be_checked_a_connection_is_asked_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable("Postgres is away")

    async with Socket.opened(world, world.token(Role.SAFETY_OFFICER)) as open_before:
        monkeypatch.setattr(Authenticator, "check", away)
        monkeypatch.setattr(Authenticator, "authenticate", away)
        await open_before.subscribe("{ __typename }", "later")
        with pytest.raises(ConnectionClosed) as closed:
            await open_before.receive()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
    address = world.url().replace("http", "ws")
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as bare:
        await bare.send(json.dumps({"type": "connection_init", "payload": {"Authorization": "Bearer any"}}))
        with pytest.raises(ConnectionClosed) as closed:
            await bare.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013


async def test_an_unknown_page_is_no_socket(world: World) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(world.url("/other").replace("http", "ws")):
            pass


async def test_queries_and_mutations_go_over_the_socket_with_the_same_rules(world: World) -> None:
    async with Socket.opened(world, world.token(Role.LABORATORY)) as laboratory:
        await laboratory.subscribe("{ subjects(first: 1) { edges { cursor } } }")
        assert (await laboratory.next("subjects")) == {"edges": []}
        assert (await laboratory.receive())["type"] == "complete"
        await laboratory.subscribe("{ holds { id } }", "2")
        assert (await laboratory.failure())["extensions"]["code"] == "FORBIDDEN"


async def test_a_client_follows_one_participant(world: World) -> None:
    stream = log.enrol(world.log, "S-01")
    await world.project()
    async with Socket.opened(world, world.token(Role.COORDINATOR, ["BFH"])) as client:
        await client.subscribe(CHANGES, id="S-01", a=1)
        change = await client.next("subjectChanged")
        assert (change["version"], change["eventTypes"]) == (2, ["SubjectEnrolled"])
        log.sample(world.log, stream, tbil="300")
        await world.project()
        assert (await client.next("subjectChanged"))["eventTypes"] == ["LabResultsRecorded"]
    async with Socket.opened(world, world.token(Role.COORDINATOR, ["BFH"])) as client:
        await client.subscribe(CHANGES, id="S-01")
        await asyncio.sleep(0.3)
        log.start(world.log, stream)
        await world.project()
        change = await client.next("subjectChanged")
        assert (change["version"], change["eventTypes"]) == (4, ["SessionStarted"])


async def test_a_participant_of_another_site_is_not_found_like_one_that_does_not_exist(world: World) -> None:
    log.enrol(world.log, "S-01")
    await world.project()
    async with Socket.opened(world, world.token(Role.COORDINATOR, ["NFH"])) as client:
        errors = []
        for name in ("S-01", "S-99"):
            await client.subscribe(CHANGES, name, id=name)
            error = await client.failure()
            errors.append({**error, "message": error["message"].replace(name, "")})
            await client.receive()
        assert errors[0] == errors[1]
        assert errors[0]["extensions"]["code"] == "NOT_FOUND"
