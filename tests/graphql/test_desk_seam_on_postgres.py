"""The same seam over real websockets and a real Postgres, while the desk grows and clients come and go."""

import asyncio
import random
from typing import Any

import pytest

from graphql_socket import Socket
from graphql_world import World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertAcknowledged,
    AlertEscalated,
    AlertRaised,
    AlertType,
    NotificationChannel,
    NotificationSent,
    Priority,
)
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_graphql import desk_hub

ALERTS = """subscription($after: String!, $f: AlertFilter) { saeAlerts(after: $after, filter: $f) { __typename
  ... on SaeAlert { cursor alertSeq } ... on AlertAcknowledged { cursor } ... on AlertEscalated { cursor }
  ... on Heartbeat { cursor } } }"""
EVENTS = 900


def grow(world: World, chance: random.Random) -> dict[int, tuple[str, str]]:
    """A desk of all kinds of events; site and priority of the alert that each concerns, by streamseq."""
    concerns: dict[int, tuple[str, str]] = {}
    alerts: list[tuple[Any, str, str]] = []
    for streamseq in range(1, EVENTS + 1):
        kind = chance.choice(["raise", "raise", "acknowledge", "escalate", "send"]) if alerts else "raise"
        if kind == "raise":
            site, priority = chance.choice(["BFH", "NFH"]), chance.choice([Priority.P1, Priority.P2])
            event: Any = AlertRaised(
                alert_id=world.log.uuid(),
                type=AlertType.SAE_NEW,
                priority=priority,
                raised_at=world.log.now,
                commit_id=world.log.uuid(),
                reporter_id="dr-li",
                subject_id=f"{site}-01",
                site_id=site,
                alert_seq=len(alerts) + 1,
            )
            alerts.append((event.alert_id, site, priority.value))
            concerns[streamseq] = alerts[-1][1:]
        else:
            alert_id, site, told = chance.choice(alerts)
            if kind == "acknowledge":
                event = AlertAcknowledged(alert_id=alert_id, by="officer", at=world.log.now)
            elif kind == "escalate":
                event = AlertEscalated(alert_id=alert_id, level=1, late=False)
            else:
                event = NotificationSent(alert_id=alert_id, channel=NotificationChannel.EMAIL, attempt=1)
            if kind != "send":
                concerns[streamseq] = (site, told)
        world.log.commit(SAFETY_DESK, event, role="SYSTEM")
    return concerns


async def project_bit_by_bit(world: World, chance: random.Random) -> None:
    engine = await world.tables.engine()
    records = world.log.records
    try:
        begin = 0
        while begin < len(records):
            size = chance.randint(1, 60)
            await engine.apply(records[begin : begin + size])
            begin += size
            await asyncio.sleep(chance.choice([0, 0, 0.01, 0.05]))
    finally:
        await engine.close()


async def follow(world: World, chance: random.Random, last: int, site: str | None, priority: str | None) -> list[int]:
    """Everything behind the start, by a client that loses its connection now and then and goes on with its cursor."""
    token = world.token(Role.SAFETY_OFFICER, ["*"] if site is None else [site])
    received: list[int] = []
    after = "start"
    chosen = None if priority is None else {"priorities": [priority]}
    await asyncio.sleep(chance.random() * 0.5)
    reached = 0
    while reached < last:
        patience = chance.randint(1, 250)
        async with Socket.opened(world, token) as socket:
            await socket.subscribe(ALERTS, after=after, f=chosen)
            while patience > 0 and reached < last:
                event = await socket.next(seconds=20)
                after, reached = event["cursor"], int(event["cursor"].rpartition("@")[2])
                if event["__typename"] != "Heartbeat":
                    received.append(reached)
                patience -= 1
            socket.raw.transport.abort()
    return received


@pytest.mark.parametrize("seed", range(2))
async def test_clients_that_come_and_go_while_the_desk_grows_have_everything_once(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(desk_hub, "WINDOW", 50)
    monkeypatch.setattr(desk_hub, "PAGE", 20)
    chance = random.Random(seed)
    concerns = grow(world, chance)
    await world.safety(0, 0)
    asked = [(None, None), (None, None), ("BFH", None), ("NFH", "P1"), (None, "P2")]
    clients = [
        asyncio.create_task(follow(world, random.Random(100 * seed + number), EVENTS, *wanted))
        for number, wanted in enumerate(asked)
    ]
    await project_bit_by_bit(world, chance)
    for (site, priority), received in zip(asked, await asyncio.gather(*clients), strict=True):
        wanted = [
            streamseq
            for streamseq, (of_site, of_priority) in concerns.items()
            if site in (None, of_site) and priority in (None, of_priority)
        ]
        assert received == wanted
