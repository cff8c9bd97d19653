"""What an officer asks about reports: what must be handed over by when, and how it stands at the instant of asking."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

import log_commits as log
from graphql_world import World
from hepatrail_events.adverse_events import Criterion
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.roles import Role
from hepatrail_events.submissions import Recipient, SubmissionKind, SubmissionRecorded
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.clinical.reporting.clock import IN_HOURS, ClockType
from hepatrail_projections.clock_reading import STATUS
from hepatrail_projections.reporting_clock import REPORTING_CLOCK, ReportingClockRow, clock_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCKS = """query($first: Int = 50, $after: String, $f: ClockFilter) {
  reportingClocks(first: $first, after: $after, filter: $f) { pageInfo { hasNextPage endCursor }
    edges { cursor node { id type status subjectId siteId aeId startedAt startedAtSite day0 dueAt dueAtSite provisional
      latenessMinutes latenessDays metAt provenance { eventIds protocolVersion } } } } }"""


def nodes(found: Any) -> list[Any]:
    return [edge["node"] for edge in found["edges"]]


async def serious(world: World, subject_id: str = "S-01", **changes: Any) -> Any:
    """A treated participant with a serious adverse event, life-threatening unless told otherwise."""
    stream = log.enrol(world.log, subject_id)
    log.start(world.log, stream)
    world.log.tick(60)
    event = log.adverse_event(world.log, stream, **{"criteria": (Criterion.LIFE_THREATENING,), "grade": 4, **changes})
    await world.project()
    world.clock.at = world.log.now + timedelta(minutes=1)
    return stream, event


async def test_tim_04_reporting_clocks_come_with_the_earliest_due_first_in_site_time_and_utc(world: World) -> None:
    log.publish(world.log)
    _, event = await serious(world)
    found = (await world.ask(CLOCKS))["reportingClocks"]
    listed = nodes(found)
    assert {"INV_SAE_24H", "EC_SAE_24H", "SUSAR_7D", "DEV_7D"} <= {each["type"] for each in listed}
    assert all(earlier["dueAt"] <= later["dueAt"] for earlier, later in pairwise(listed))
    for each in listed:
        due = datetime.fromisoformat(each["dueAt"])
        assert each["dueAtSite"] == due.astimezone(SHANGHAI).isoformat(timespec="milliseconds")
        assert each["dueAtSite"].endswith("+08:00")
        assert (each["subjectId"], each["siteId"], each["aeId"]) == ("S-01", "BFH", str(event.ae_id))
        assert each["provenance"]["eventIds"] and each["provenance"]["protocolVersion"] == "1.0"
    days = next(each for each in listed if each["type"] == "SUSAR_7D")
    assert days["provisional"] is True
    day0 = date.fromisoformat(days["day0"])
    assert days["dueAtSite"] == f"{day0 + timedelta(days=8)}T00:00:00.000+08:00", "the end of day 7"
    pages, after = [], None
    for _ in range(len(listed)):
        page = (await world.ask(CLOCKS, {"first": 1, "after": after}))["reportingClocks"]
        pages += nodes(page)
        after = page["pageInfo"]["endCursor"]
    assert pages == listed
    assert page["pageInfo"]["hasNextPage"] is False
    assert (await world.error(CLOCKS, {"after": "yesterday"}))["code"] == "BAD_USER_INPUT"


async def test_how_a_clock_stands_depends_on_when_one_asks(world: World) -> None:
    log.publish(world.log)
    stream, event = await serious(world)

    async def standing(**f: Any) -> dict[str, Any]:
        found = nodes((await world.ask(CLOCKS, {"f": f}))["reportingClocks"])
        return {each["type"]: each for each in found}

    assert {each["status"] for each in (await standing()).values()} == {"RUNNING", "MET"}
    running = await standing(statuses=["RUNNING"])
    assert "SUSAR_7D" in running
    world.clock.at = datetime.fromisoformat(running["SUSAR_7D"]["dueAt"]) - timedelta(milliseconds=1)
    assert (await standing(types=["SUSAR_7D"]))["SUSAR_7D"]["status"] == "RUNNING"
    world.clock.at += timedelta(milliseconds=1)
    breached = await standing(statuses=["BREACHED"])
    assert breached["SUSAR_7D"]["latenessDays"] == 1
    assert breached["SUSAR_7D"]["latenessMinutes"] is None
    assert breached["EC_SAE_24H"]["latenessMinutes"] > 6 * 24 * 60 and breached["EC_SAE_24H"]["latenessDays"] is None
    submitted = SubmissionRecorded(
        submission_id=world.log.uuid(),
        ae_id=event.ae_id,
        to=Recipient.NMPA,
        kind=SubmissionKind.INITIAL,
        submitted_at=world.log.now,
    )
    world.log.commit(stream, submitted, role="SPONSOR")
    await world.project()
    met = (await standing(types=["SUSAR_7D"]))["SUSAR_7D"]
    assert (met["status"], met["latenessDays"]) == ("MET", None)
    assert met["metAt"] is not None
    assert "SUSAR_7D" not in await standing(statuses=["RUNNING", "BREACHED", "MET_LATE", "CANCELLED"])


async def test_a_participant_and_an_adverse_event_have_their_clocks_as_of_the_answer(world: World) -> None:
    log.publish(world.log)
    await serious(world)
    await serious(world, "S-02")
    query = """query($t: DateTime) { subject(id: "S-01", asOf: $t) {
        clocks { id status dueAt dueAtSite } adverseEvents { clocks { id status dueAt dueAtSite } } } }"""
    now = (await world.ask(query))["subject"]
    assert len(now["clocks"]) >= 4
    assert now["adverseEvents"][0]["clocks"] == now["clocks"]
    listed = nodes((await world.ask(CLOCKS, {"f": {"subjectId": "S-01"}}))["reportingClocks"])
    assert [each["id"] for each in listed] == [each["id"] for each in now["clocks"]]
    world.clock.at += timedelta(days=10)
    await world.complete_to(world.clock.at)
    assert {each["status"] for each in (await world.ask(query))["subject"]["clocks"]} == {"BREACHED", "MET"}
    then = (await world.ask(query, {"t": (world.log.now + timedelta(seconds=2)).isoformat()}))["subject"]
    assert {each["status"] for each in then["clocks"]} == {"RUNNING", "MET"}


async def test_the_clocks_are_those_of_the_caller_s_sites_and_of_whom_they_ask(world: World) -> None:
    log.publish(world.log)
    _, event = await serious(world)
    await serious(world, "S-02")
    other = world.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"])
    assert nodes((await world.ask(CLOCKS, token=other))["reportingClocks"]) == []
    own = world.token(Role.PRINCIPAL_INVESTIGATOR, ["BFH"])
    found = nodes((await world.ask(CLOCKS, {"f": {"aeId": str(event.ae_id)}}, own))["reportingClocks"])
    assert {each["subjectId"] for each in found} == {"S-01"}
    found = nodes((await world.ask(CLOCKS, {"f": {"subjectId": "S-02", "types": ["DEV_7D"]}}, own))["reportingClocks"])
    assert [(each["subjectId"], each["type"]) for each in found] == [("S-02", "DEV_7D")]


async def test_a_protocol_version_that_took_effect_without_an_event_is_in_the_list(world: World) -> None:
    log.publish(world.log)
    await serious(world)
    later = world.log.now + timedelta(hours=1)
    rules = SafetyRules(regimes=("CN_DRUG",))
    log.publish(world.log, "2.0", later, safety=rules.model_dump())
    await world.project()

    async def listed() -> dict[str, Any]:
        return {each["type"]: each for each in nodes((await world.ask(CLOCKS))["reportingClocks"])}

    world.clock.at = later - timedelta(minutes=1)
    assert (await listed())["DEV_7D"]["status"] == "RUNNING"
    world.clock.at = later + timedelta(minutes=1)
    of_the_subject = await world.ask('{ subject(id: "S-01") { clocks { type status dueAt } } }')
    found = await listed()
    assert [(each["type"], each["status"], each["dueAt"]) for each in of_the_subject["subject"]["clocks"]] == [
        (each["type"], each["status"], each["dueAt"]) for each in found.values()
    ]
    assert found.get("DEV_7D", {"status": "gone"})["status"] != "RUNNING"


AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
INSTANTS = st.sampled_from([AT - timedelta(days=1), AT - timedelta(milliseconds=1), AT, AT + timedelta(milliseconds=1)])
ROWS = st.builds(
    lambda kind, due, met, cancelled: ReportingClockRow(
        subject_id="S-01",
        clock_id=UUID(int=1),
        site_id="BFH",
        ae_id=UUID(int=2),
        type=kind.value,
        start_commit_id=UUID(int=3),
        started_at=AT - timedelta(days=9),
        day0=None,
        due_at=due,
        warn_at=due,
        opened_at=AT,
        changed_at=AT,
        provisional=False,
        protocol_version="1.0",
        met_at=met,
        met_recorded_at=met,
        cancelled_at=cancelled,
        start_event_ids=(),
        met_event_ids=(),
        cancel_event_ids=(),
    ),
    st.sampled_from(ClockType),
    INSTANTS,
    st.none() | INSTANTS,
    st.none() | INSTANTS,
)


async def test_the_list_and_the_clock_agree_on_how_every_clock_stands(world: World, dsns: Dsns) -> None:
    """`Clock.status` is written twice, once for the statement that chooses: here they are one."""
    made: list[ReportingClockRow] = []

    @settings(max_examples=200, database=None)
    @given(ROWS)
    def draw(row: ReportingClockRow) -> None:
        number = len(made) + 1
        made.append(replace(row, clock_id=UUID(int=number)))

    draw()
    async with connection(dsns.writer) as link:
        await link.execute("SELECT set_config('search_path', $1, false)", world.tables.schema)
        await REPORTING_CLOCK.upsert(link, made)
        records = await link.fetch(
            f"SELECT clock_id, {STATUS} AS status FROM reporting_clock", AT, [each.value for each in IN_HOURS]
        )
    found = {record["clock_id"]: record["status"] for record in records}
    assert found == {row.clock_id: clock_of(row).status(AT).value for row in made}
    assert len(set(found.values())) == 5
