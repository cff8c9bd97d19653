"""What an officer asks about alerts: what is open, how far each has escalated, and who was told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import log_commits as log
from graphql_world import World
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertEscalated,
    AlertRaised,
    AlertType,
    NotificationChannel,
    NotificationSent,
    Priority,
)
from hepatrail_events.streams import SAFETY_DESK

ESCALATIONS = """query($first: Int = 50, $after: String, $f: EscalationFilter) {
  escalations(first: $first, after: $after, filter: $f) { pageInfo { hasNextPage endCursor }
    edges { cursor node { cursor alertSeq alertId level late recordedAt eventId } } } }"""


def raised(world: World, number: int, **changes: Any) -> UUID:
    """The desk raises an alert."""
    given: dict[str, Any] = {
        "alert_id": world.log.uuid(),
        "type": AlertType.SAE_NEW,
        "priority": Priority.P1,
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


def escalate(world: World, alert_id: UUID, level: int, *, late: bool = False) -> None:
    world.log.commit(SAFETY_DESK, AlertEscalated(alert_id=alert_id, level=level, late=late), role="SYSTEM")


def nodes(found: Any) -> list[Any]:
    return [edge["node"] for edge in found["edges"]]


async def escalated_desk(world: World) -> list[UUID]:
    """Two alerts of one site, one of another; the first was acknowledged after its first level."""
    alerts = [
        raised(world, 1),
        raised(world, 2, priority=Priority.P2),
        raised(world, 3, subject_id="N-01", site_id="NFH"),
    ]
    escalate(world, alerts[0], 1)
    log.acknowledge(world.log, alerts[0], "officer")
    escalate(world, alerts[2], 1)
    escalate(world, alerts[1], 1, late=True)
    escalate(world, alerts[2], 2)
    await world.project()
    return alerts


async def test_escalations_are_listed_in_the_desk_s_order(world: World) -> None:
    alerts = await escalated_desk(world)
    officer = world.token(Role.SAFETY_OFFICER)
    found = (await world.ask(ESCALATIONS, token=officer))["escalations"]
    assert [(each["alertSeq"], each["level"], each["late"]) for each in nodes(found)] == [
        (1, 1, False),
        (3, 1, False),
        (2, 1, True),
        (3, 2, False),
    ]
    assert [edge["cursor"] for edge in found["edges"]] == [each["cursor"] for each in nodes(found)]
    first = (await world.ask(ESCALATIONS, {"first": 3}, officer))["escalations"]
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": found["edges"][2]["cursor"]}
    rest = (await world.ask(ESCALATIONS, {"after": first["pageInfo"]["endCursor"]}, officer))["escalations"]
    assert nodes(rest) == nodes(found)[3:]

    async def chosen(**f: Any) -> list[tuple[int, int]]:
        listed = nodes((await world.ask(ESCALATIONS, {"f": f}, officer))["escalations"])
        return [(each["alertSeq"], each["level"]) for each in listed]

    assert await chosen(open=True) == [(3, 1), (2, 1), (3, 2)]
    assert await chosen(open=False) == [(1, 1)]
    assert await chosen(levels=[2]) == [(3, 2)]
    assert await chosen(priorities=["P2"]) == [(2, 1)]
    assert await chosen(subjectId="N-01") == [(3, 1), (3, 2)]
    assert await chosen(alertId=str(alerts[0])) == [(1, 1)]
    own = world.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"])
    assert [each["alertSeq"] for each in nodes((await world.ask(ESCALATIONS, token=own))["escalations"])] == [3, 3]
    assert (await world.error(ESCALATIONS, {"after": "study@1"}, officer))["code"] == "BAD_USER_INPUT"


async def test_an_alert_shows_how_far_it_went_and_who_was_told(world: World) -> None:
    alerts = await escalated_desk(world)
    for level in (None, 1):
        sent = NotificationSent(alert_id=alerts[1], channel=NotificationChannel.EMAIL, attempt=1, level=level)
        world.log.commit(SAFETY_DESK, sent, role="SYSTEM")
    raised(world, 4, type=AlertType.CLOCK_BREACH, late=True)
    await world.project()
    query = """{ saeAlerts(first: 9) { edges { node { alertSeq late escalations { level late recordedAt eventId }
        deliveries { channel level } provenance { eventIds } } } } }"""
    found = nodes((await world.ask(query))["saeAlerts"])
    assert [[each["level"] for each in alert["escalations"]] for alert in found] == [[1], [1], [1, 2], []]
    assert [alert["late"] for alert in found] == [False, False, False, True]
    assert found[1]["deliveries"] == [{"channel": "EMAIL", "level": None}, {"channel": "EMAIL", "level": 1}]
    assert found[2]["escalations"][1]["eventId"] in found[2]["provenance"]["eventIds"]


async def test_the_open_alerts_and_those_of_a_participant(world: World) -> None:
    await escalated_desk(world)
    query = "query($f: AlertFilter) { saeAlerts(first: 9, filter: $f) { edges { node { alertSeq } } } }"

    async def listed(**f: Any) -> list[int]:
        return [each["alertSeq"] for each in nodes((await world.ask(query, {"f": f}))["saeAlerts"])]

    assert await listed(open=True) == [2, 3]
    assert await listed(open=False) == [1]
    assert await listed(open=True, priorities=["P2"]) == [2]
    assert await listed(subjectId="S-01") == [1, 2]


async def test_what_became_of_an_alert_later_is_not_shown_of_an_earlier_instant(world: World) -> None:
    log.publish(world.log)
    log.enrol(world.log, "S-01")
    alert = raised(world, 1)
    escalate(world, alert, 1)
    between = world.log.now + timedelta(seconds=1)
    escalate(world, alert, 2)
    await world.project()
    world.clock.at = world.log.now + timedelta(minutes=1)
    query = 'query($t: DateTime) { subject(id: "S-01", asOf: $t) { alerts { escalations { level } } } }'
    now = (await world.ask(query))["subject"]["alerts"]
    then = (await world.ask(query, {"t": between.isoformat()}))["subject"]["alerts"]
    assert [each["level"] for each in now[0]["escalations"]] == [1, 2]
    assert [each["level"] for each in then[0]["escalations"]] == [1]
