"""Data queries as clients see them: their life, who may read what, the list of the whole trial (`events.md` 3.10)."""

from typing import Any
from uuid import UUID

import log_commits as log
from graphql_world import World
from hepatrail_events.data_queries import QueryAnswered, QueryClosed
from hepatrail_events.ids import derived_id
from hepatrail_events.measurements import LabResultsRecorded, LabResultVoided, Measured, RejectReason
from hepatrail_events.roles import Role
from hepatrail_events.voiding import VoidReason
from projection_log import SEALED

OF_SUBJECT = """query($open: Boolean) { subject(id: "S-01") { queries(open: $open) {
  id subjectId rule ruleVersion status code objectKind objectId message details opensAt
  answers { text { value state } answeredAt answeredBy role eventId }
  closed { reason { value } ruleVersion closedAt closedBy eventId } closures { ruleVersion }
  provenance { eventIds algorithm protocolVersion } }
  adverseEvents { openQueries { rule } } } }"""

LIST = """query($first: Int!, $after: String, $filter: DataQueryFilter) {
  dataQueries(first: $first, after: $after, filter: $filter) {
    edges { cursor node { subjectId rule status answers { text { value } } } } pageInfo { hasNextPage endCursor } } }"""


async def asked_about(world: World) -> tuple[str, UUID]:
    """A session of an odd dose, a severe adverse event and a result of an unknown code; its id."""
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    log.start(world.log, stream, viable_cells=10**9)
    log.adverse_event(world.log, stream, grade=3)
    bad = Measured(
        result_id=world.log.uuid(), code="altt", value="3", accepted=False, reject_reason=RejectReason.UNKNOWN_CODE
    )
    world.log.commit(
        stream,
        LabResultsRecorded(
            sample_id=world.log.uuid(), collected_at=world.log.now, laboratory="Central", results=(bad,)
        ),
        role="LABORATORY",
    )
    world.clock.at = world.log.now
    await world.project()
    return stream, bad.result_id


async def listed(world: World, token: str | None = None, *, open_only: bool | None = None) -> dict[str, Any]:
    """The participant's queries by their rules."""
    query = OF_SUBJECT if token is None else OF_SUBJECT.replace("adverseEvents { openQueries { rule } }", "")
    found = await world.ask(query, {"open": open_only}, token)
    return {each["rule"]: each for each in found["subject"]["queries"]}


async def test_a_query_is_answered_closed_and_resolved_before_the_clients_eyes(world: World) -> None:
    stream, result_id = await asked_about(world)
    found = await listed(world)
    assert {rule: each["status"] for rule, each in found.items()} == dict.fromkeys(
        ("SES-07", "INV-15", "LAB-02"), "OPEN"
    )
    query = found["LAB-02"]
    assert query["id"] == str(derived_id("LAB-02", "S-01", result_id))
    assert (query["objectKind"], query["objectId"], query["code"]) == ("LAB_RESULT", str(result_id), "UNKNOWN_CODE")
    assert query["details"] == [{"code": "UNKNOWN_CODE", "message": query["message"]}]
    assert query["provenance"]["algorithm"].startswith(f"data-query/LAB-02/{query['ruleVersion']}/")

    text = await world.seal("S-01", "meant ALT", "text")
    world.log.commit(stream, QueryAnswered(query_id=UUID(query["id"]), text=text), actor="nurse", role="COORDINATOR")
    reason = await world.seal("S-01", "explained", "reason")
    session = found["SES-07"]
    closed = QueryClosed(query_id=UUID(session["id"]), reason=reason, rule_version=session["ruleVersion"])
    world.log.commit(stream, closed, actor="monitor", role="MONITOR")
    await world.project()
    found = await listed(world)
    (answer,) = found["LAB-02"]["answers"]
    assert (found["LAB-02"]["status"], answer["text"], answer["answeredBy"], answer["role"]) == (
        "ANSWERED",
        {"value": "meant ALT", "state": "CLEAR"},
        "nurse",
        "COORDINATOR",
    )
    closure = found["SES-07"]["closed"]
    assert (found["SES-07"]["status"], closure["reason"], closure["closedBy"], closure["ruleVersion"]) == (
        "CLOSED",
        {"value": "explained"},
        "monitor",
        session["ruleVersion"],
    )
    assert set(await listed(world, open_only=True)) == {"LAB-02", "INV-15"}
    assert set(await listed(world, open_only=False)) == {"SES-07"}

    void = LabResultVoided(id=result_id, reason_code=VoidReason.ENTERED_IN_ERROR, reason_text=text)
    world.log.commit(stream, void)
    await world.project()
    resolved = (await listed(world))["LAB-02"]
    assert (resolved["status"], resolved["code"], len(resolved["answers"])) == ("RESOLVED", "RESOLVED", 1)


async def test_an_adverse_event_shows_the_queries_about_it_that_are_open(world: World) -> None:
    stream, _ = await asked_about(world)
    shown = (await world.ask(OF_SUBJECT))["subject"]["adverseEvents"]
    assert shown == [{"openQueries": [{"rule": "INV-15"}]}]
    query = (await listed(world))["INV-15"]
    closed = QueryClosed(query_id=UUID(query["id"]), reason=SEALED, rule_version=query["ruleVersion"])
    world.log.commit(stream, closed, role="MONITOR")
    await world.project()
    assert (await world.ask(OF_SUBJECT))["subject"]["adverseEvents"] == [{"openQueries": []}]


async def test_a_laboratory_sees_the_queries_about_its_results_and_no_other(world: World) -> None:
    await asked_about(world)
    laboratory = world.token(Role.LABORATORY)
    assert set(await listed(world, laboratory)) == {"LAB-02"}
    page = await world.ask(LIST, {"first": 9}, laboratory)
    assert [edge["node"]["rule"] for edge in page["dataQueries"]["edges"]] == ["LAB-02"]


async def test_the_monitor_pages_through_the_queries_of_the_trial(world: World) -> None:
    stream, _ = await asked_about(world)
    second = log.enrol(world.log, "S-02")
    log.start(world.log, second, viable_cells=10**9)
    query_id = UUID((await listed(world))["LAB-02"]["id"])
    text = await world.seal("S-01", "meant ALT", "text")
    world.log.commit(stream, QueryAnswered(query_id=query_id, text=text), role="LABORATORY")
    world.clock.at = world.log.now
    await world.project()
    monitor = world.token(Role.MONITOR)

    async def page(first: int, after: str | None = None, **filter: Any) -> Any:
        return (await world.ask(LIST, {"first": first, "after": after, "filter": filter}, monitor))["dataQueries"]

    whole = [edge["node"] for edge in (await page(200))["edges"]]
    assert sorted((node["subjectId"], node["rule"]) for node in whole) == [
        ("S-01", "INV-15"),
        ("S-01", "LAB-02"),
        ("S-01", "SES-07"),
        ("S-02", "SES-07"),
    ]
    first = await page(3)
    assert first["pageInfo"]["hasNextPage"]
    rest = await page(3, first["pageInfo"]["endCursor"])
    assert [edge["node"] for edge in (*first["edges"], *rest["edges"])] == whole
    assert not rest["pageInfo"]["hasNextPage"]
    (answered,) = (await page(9, status=["ANSWERED"]))["edges"]
    assert answered["node"]["answers"] == [{"text": {"value": "meant ALT"}}]
    assert len((await page(9, rule="SES-07"))["edges"]) == 2
    assert len((await page(9, subjectId="S-02"))["edges"]) == 1
    assert (await page(9, site="NFH"))["edges"] == []
    other = world.token(Role.MONITOR, ["NFH"])
    assert (await world.ask(LIST, {"first": 9}, other))["dataQueries"]["edges"] == []
    for wrong in ("nowhere", "S-01/no-id", "/00000000-0000-4000-8000-000000000001"):
        error = await world.error(LIST, {"first": 9, "after": wrong}, monitor)
        assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "after")
    assert (await world.error(LIST, {"first": 0}, monitor))["field"] == "first"
