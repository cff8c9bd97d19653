"""Acknowledging an alert as `safety.md` 6.3 says, from the mutation to the other officer's screen.

Gateway, vault, decider's rules, projection and API are the real ones; only Kafka between them is left out.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import log_commits as log
from deciding import decide_in
from graphql_socket import Socket
from graphql_world import World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertEscalated, AlertRaised, AlertType, Priority
from hepatrail_events.streams import SAFETY_DESK
from hepatrail_infra.postgres import Dsns

ACKNOWLEDGE = """mutation($i: AcknowledgeSaeAlertInput!) { acknowledgeSaeAlert(input: $i) { __typename
  ... on CommandAccepted { position eventIds } ... on CommandRejected { code rule field message } } }"""
ALERTS = """{ saeAlerts(first: 9) { edges { node { alertSeq acknowledgedAt acknowledgedBy
  acknowledgements { by stopping comment { value state } } } } } }"""
FOLLOW = """subscription($after: String!) { saeAlerts(after: $after) { __typename
  ... on SaeAlert { alertSeq } ... on AlertEscalated { alertSeq level late }
  ... on AlertAcknowledged { alertSeq alertId by stopping comment { value state } } } }"""
OPEN = "{ saeAlerts(first: 9, filter: {open: true}) { edges { node { alertSeq } } } }"


@pytest.fixture
async def desk(dsns: Dsns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Two alerts about one participant, the second reported by the officer herself."""
    async with World.opened(dsns, tmp_path) as world:
        decide_in(world, monkeypatch)
        log.publish(world.log)
        log.enrol(world.log, "S-01")
        await world.seal("S-01", "the participant's key is made")
        for number, reporter in ((1, "dr-li"), (2, "officer-a")):
            raised = AlertRaised(
                alert_id=UUID(int=number),
                type=AlertType.SAE_NEW,
                priority=Priority.P1,
                raised_at=world.log.now,
                commit_id=world.log.uuid(),
                reporter_id=reporter,
                subject_id="S-01",
                site_id="BFH",
                alert_seq=number,
            )
            world.log.commit(SAFETY_DESK, raised, role="SYSTEM")
        await world.project()
        world.clock.at = world.log.now
        await world.safety(2, 2)
        yield world


def officer(world: World, name: str) -> str:
    return world.token(Role.SAFETY_OFFICER, sub=name)


async def acknowledge(world: World, number: int, token: str, **more: Any) -> Any:
    given = {"commandId": str(uuid4()), "alertId": str(UUID(int=number)), **more}
    return (await world.ask(ACKNOWLEDGE, {"i": given}, token))["acknowledgeSaeAlert"]


async def alert(world: World, number: int, token: str | None = None) -> Any:
    edges = (await world.ask(ALERTS, token=token))["saeAlerts"]["edges"]
    return next(edge["node"] for edge in edges if edge["node"]["alertSeq"] == number)


async def open_alerts(world: World) -> list[int]:
    return [edge["node"]["alertSeq"] for edge in (await world.ask(OPEN))["saeAlerts"]["edges"]]


async def test_the_first_acknowledgement_closes_the_alert_and_the_other_officer_sees_it(desk: World) -> None:
    async with Socket.opened(desk, officer(desk, "officer-b")) as other:
        await other.subscribe(FOLLOW, after="unacknowledged")
        assert [(await other.next())["alertSeq"] for _ in range(2)] == [1, 2]
        answer = await acknowledge(desk, 1, officer(desk, "officer-a"), comment="called the ward")
        assert answer["__typename"] == "CommandAccepted" and len(answer["eventIds"]) == 1
        seen = await other.next_but_beats()
        assert seen == {
            "__typename": "AlertAcknowledged",
            "alertSeq": 1,
            "alertId": str(UUID(int=1)),
            "by": "officer-a",
            "stopping": True,
            "comment": {"value": "called the ward", "state": "CLEAR"},
        }
    known = await alert(desk, 1)
    assert known["acknowledgedBy"] == "officer-a" and known["acknowledgedAt"] is not None
    assert await open_alerts(desk) == [2], "only that alert"


async def test_a_comment_is_sealed_in_every_store(desk: World) -> None:
    await acknowledge(desk, 1, officer(desk, "officer-a"), comment="called the ward")
    assert not any(b"called the ward" in (each.value or b"") for each in desk.log.records)
    stored = await desk.tables.value("SELECT count(*) FROM alert WHERE acknowledgements::text LIKE '%called%'")
    assert stored == 0
    assert (await alert(desk, 1))["acknowledgements"][0]["comment"] == {"value": "called the ward", "state": "CLEAR"}


async def test_a_repeat_by_the_same_person_changes_nothing_and_another_person_s_is_recorded_too(desk: World) -> None:
    await acknowledge(desk, 1, officer(desk, "officer-a"))
    again = await acknowledge(desk, 1, officer(desk, "officer-a"), comment="again")
    assert (again["__typename"], again["eventIds"]) == ("CommandAccepted", [])
    await acknowledge(desk, 1, officer(desk, "officer-b"))
    known = await alert(desk, 1)
    assert [each["by"] for each in known["acknowledgements"]] == ["officer-a", "officer-b"]
    assert known["acknowledgedBy"] == "officer-a", "the first one counts"


async def test_the_reporter_s_own_is_recorded_and_stops_nothing(desk: World) -> None:
    async with Socket.opened(desk, officer(desk, "officer-b")) as other:
        await other.subscribe(FOLLOW, after="now")
        await acknowledge(desk, 2, officer(desk, "officer-a"))
        seen = await other.next_but_beats()
        assert (seen["by"], seen["stopping"]) == ("officer-a", False)
        known = await alert(desk, 2)
        assert known["acknowledgedAt"] is None
        assert [each["stopping"] for each in known["acknowledgements"]] == [False]
        assert await open_alerts(desk) == [1, 2]
        await acknowledge(desk, 2, officer(desk, "officer-b"))
        seen = await other.next_but_beats()
        assert (seen["by"], seen["stopping"]) == ("officer-b", True)
    assert await open_alerts(desk) == [1]


async def test_an_escalation_reaches_everybody_who_follows(desk: World) -> None:
    async with Socket.opened(desk, officer(desk, "officer-b")) as other:
        await other.subscribe(FOLLOW, after="now")
        for level, late in ((1, False), (2, True)):
            fired = AlertEscalated(alert_id=UUID(int=2), level=level, late=late)
            desk.log.commit(SAFETY_DESK, fired, role="SYSTEM")
        await desk.project()
        found = [await other.next_but_beats() for _ in range(2)]
        assert [(each["__typename"], each["alertSeq"], each["level"], each["late"]) for each in found] == [
            ("AlertEscalated", 2, 1, False),
            ("AlertEscalated", 2, 2, True),
        ]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SAFETY_OFFICER, Role.PRINCIPAL_INVESTIGATOR}))
async def test_nobody_but_safety_officers_and_principal_investigators_acknowledges(desk: World, role: Role) -> None:
    answer = await acknowledge(desk, 1, desk.token(role))
    assert (answer["__typename"], answer["code"]) == ("CommandRejected", "FORBIDDEN")
    assert desk.access.refusals[-1]["command"] == "acknowledgeSaeAlert"
    assert await open_alerts(desk) == [1, 2]


async def test_a_principal_investigator_acknowledges_at_their_own_site_only(desk: World) -> None:
    elsewhere = await acknowledge(desk, 1, desk.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"]))
    assert (elsewhere["__typename"], elsewhere["code"], elsewhere["field"]) == (
        "CommandRejected",
        "FORBIDDEN",
        "alertId",
    )
    own = await acknowledge(desk, 1, desk.token(Role.PRINCIPAL_INVESTIGATOR, ["BFH"]))
    assert own["__typename"] == "CommandAccepted"


async def test_an_alert_that_does_not_exist_cannot_be_acknowledged(desk: World) -> None:
    for more in ({}, {"comment": "which one?"}):
        answer = await acknowledge(desk, 77, officer(desk, "officer-a"), **more)
        assert (answer["code"], answer["rule"], answer["field"]) == ("RULE", "DSK-02", "alertId")
