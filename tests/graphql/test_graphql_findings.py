"""Findings of the radar as clients see them: one by one, of the whole trial, as of an instant, and who may."""

from typing import Any
from uuid import UUID

import log_commits as log
from graphql_world import World
from hepatrail_events.data_queries import QueryAnswered
from hepatrail_events.ids import derived_id
from hepatrail_events.roles import Role

LIST = """query($first: Int!, $after: String, $filter: SafetyFindingFilter, $asOf: DateTime) {
  safetyFindings(first: $first, after: $after, filter: $filter, asOf: $asOf) {
    edges { cursor node { id subjectId kind severity status objectKind objectId words evidence openedAt closedAt
      closedBy closingEventId rule queryId detectorVersion provenance { eventIds algorithm protocolVersion } } }
    pageInfo { hasNextPage endCursor } } }"""
OF_SUBJECT = 'query($asOf: DateTime) { subject(id: "S-01", asOf: $asOf) { findings { id status kind queryId } } }'


async def severe(world: World, *subjects: str) -> list[str]:
    """Participants with an adverse event of grade 4 without a criterion; their streams."""
    log.publish(world.log)
    streams = []
    for subject in subjects:
        stream = log.enrol(world.log, subject)
        unrelated = [{"target": target, "value": "UNRELATED"} for target in ("CELL_PRODUCT", "DEVICE")]
        log.adverse_event(world.log, stream, grade=4, causality=unrelated)
        streams.append(stream)
    world.clock.at = world.log.now
    await world.project()
    return streams


async def listed(world: World, token: str | None = None, **variables: Any) -> list[dict[str, Any]]:
    found = await world.ask(LIST, {"first": 50, **variables}, token)
    return [edge["node"] for edge in found["safetyFindings"]["edges"]]


async def test_a_finding_shows_what_is_wrong_and_what_shows_it(world: World) -> None:
    await severe(world, "S-01")
    (found,) = await listed(world)
    event = UUID(found["objectId"])
    assert found["id"] == str(derived_id("FINDING", "GRADE_4_WITHOUT_CRITERION", "S-01", event))
    assert found["queryId"] == str(derived_id("INV-15", "S-01", event))
    assert (found["kind"], found["severity"], found["status"]) == ("GRADE_4_WITHOUT_CRITERION", "MAJOR", "OPEN")
    assert (found["objectKind"], found["rule"], found["detectorVersion"]) == ("ADVERSE_EVENT", "INV-15", "1")
    assert (found["closedAt"], found["closedBy"], found["closingEventId"]) == (None, None, None)
    assert len(found["evidence"]) == 1
    assert found["evidence"] == found["provenance"]["eventIds"]
    assert found["provenance"]["algorithm"].startswith("radar/GRADE_4_WITHOUT_CRITERION/1")
    assert "no seriousness criterion" in found["words"]


async def test_an_answer_closes_it_and_as_of_before_it_is_open(world: World) -> None:
    (stream,) = await severe(world, "S-01")
    before = world.log.now.isoformat()
    (found,) = await listed(world)
    text = await world.seal("S-01", "not serious: asymptomatic", "text")
    world.log.tick(60)
    answered = QueryAnswered(query_id=UUID(found["queryId"]), text=text)
    world.log.commit(stream, answered, actor="nurse", role="COORDINATOR")
    world.clock.at = world.log.now
    await world.project()
    (after,) = await listed(world)
    assert (after["id"], after["status"], after["closedBy"]) == (found["id"], "CLOSED", "ANSWERED")
    assert after["closingEventId"] not in after["evidence"]
    assert await listed(world, asOf=before) == [found]
    for as_of, status in ((before, "OPEN"), (None, "CLOSED")):
        of_one = (await world.ask(OF_SUBJECT, {"asOf": as_of}))["subject"]["findings"]
        assert [(each["id"], each["status"]) for each in of_one] == [(found["id"], status)]


async def test_the_list_is_paged_and_filtered(world: World) -> None:
    await severe(world, "S-01", "S-02", "S-03")
    first = (await world.ask(LIST, {"first": 2}))["safetyFindings"]
    assert [edge["node"]["subjectId"] for edge in first["edges"]] == ["S-01", "S-02"]
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": first["edges"][-1]["cursor"]}
    rest = await listed(world, after=first["pageInfo"]["endCursor"])
    assert [each["subjectId"] for each in rest] == ["S-03"]
    for chosen, subjects in (
        ({"subjectId": "S-02"}, ["S-02"]),
        ({"open": True}, ["S-01", "S-02", "S-03"]),
        ({"open": False}, []),
        ({"kind": ["HYS_LAW"]}, []),
        ({"kind": ["GRADE_4_WITHOUT_CRITERION", "HYS_LAW"], "subjectId": "S-03"}, ["S-03"]),
    ):
        assert [each["subjectId"] for each in await listed(world, filter=chosen)] == subjects


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    error = await world.error(LIST, {"first": 5, "after": "nonsense"})
    assert (error["code"], error["rule"]) == ("BAD_USER_INPUT", "cursor")


async def test_a_laboratory_sees_no_finding_and_other_sites_see_their_own(world: World) -> None:
    await severe(world, "S-01")
    assert await listed(world, world.token(Role.INVESTIGATOR, sites=("OTHER",))) == []
    assert len(await listed(world, world.token(Role.INVESTIGATOR, sites=("BFH",)))) == 1
    refused = await world.error(LIST, {"first": 5}, world.token(Role.LABORATORY))
    assert refused["code"] == "FORBIDDEN"
