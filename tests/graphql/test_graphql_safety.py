"""What an officer asks: what is open, what escalated, what must be reported by when, which rule was hit."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import projection_log as log
from graphql_world import World
from hepatrail_events.adverse_events import Criterion
from hepatrail_events.protocol_rules import SafetyRules
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import (
    AlertEscalated,
    AlertRaised,
    AlertType,
    NotificationChannel,
    NotificationSent,
    Priority,
    StoppingRuleTriggered,
)
from hepatrail_events.streams import SAFETY_DESK, STUDY
from hepatrail_events.study import HoldAction, HoldPlaced, HoldRequires, HoldScope
from hepatrail_events.submissions import Recipient, SubmissionKind, SubmissionRecorded
from hepatrail_graphql.reporting_clocks import lateness_days, lateness_minutes, site_time
from hepatrail_infra.postgres import Dsns, connection
from hepatrail_projections.clinical.reporting.clock import IN_HOURS, Clock, ClockType
from hepatrail_projections.clock_reading import STATUS
from hepatrail_projections.reporting_clock import REPORTING_CLOCK, ReportingClockRow, clock_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOCKS = """query($first: Int = 50, $after: String, $f: ClockFilter) {
  reportingClocks(first: $first, after: $after, filter: $f) { pageInfo { hasNextPage endCursor }
    edges { cursor node { id type status subjectId siteId aeId startedAt startedAtSite day0 dueAt dueAtSite provisional
      latenessMinutes latenessDays metAt provenance { eventIds protocolVersion } } } } }"""
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


async def serious(world: World, subject_id: str = "S-01", **changes: Any) -> Any:
    """A treated participant with a serious adverse event, life-threatening unless told otherwise."""
    stream = log.enrol(world.log, subject_id)
    log.start(world.log, stream)
    world.log.tick(60)
    event = log.adverse_event(world.log, stream, **{"criteria": (Criterion.LIFE_THREATENING,), "grade": 4, **changes})
    await world.project()
    world.clock.at = world.log.now + timedelta(minutes=1)
    return stream, event


async def test_reporting_clocks_come_with_the_earliest_due_first_in_site_time_and_utc(world: World) -> None:
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


async def test_hits_of_stopping_rules_name_their_holds(world: World) -> None:
    log.publish(world.log)
    log.enrol(world.log, "S-01")
    hits = [world.log.uuid(), world.log.uuid()]
    events = [world.log.uuid(), world.log.uuid()]
    for hit_id, rule, scope in ((hits[0], "SR1", "TRIAL"), (hits[1], "SR4", "S-01")):
        triggered = StoppingRuleTriggered(
            hit_id=hit_id,
            rule_id=rule,
            scope_id=scope,
            commit_id=world.log.uuid(),
            actions=(HoldAction.HOLD_SESSIONS,),
            event_ids=tuple(events),
        )
        world.log.commit(SAFETY_DESK, triggered, role="SYSTEM")
    await world.project()
    query = """{ stoppingRuleHits { id ruleId subjectId actions commitId recordedAt provenance { eventIds }
        holds { id ruleId inForce reason { value } } } }"""
    found = (await world.ask(query))["stoppingRuleHits"]
    assert [(each["id"], each["ruleId"], each["subjectId"]) for each in found] == [
        (str(hits[0]), "SR1", None),
        (str(hits[1]), "SR4", "S-01"),
    ]
    assert [each["holds"] for each in found] == [[], []], "not placed yet"
    assert found[0]["provenance"]["eventIds"][:2] == list(map(str, events))
    (hold_id,) = (await hold_ids(world))[hits[0]]
    placed = HoldPlaced(
        hold_id=hold_id,
        action=HoldAction.HOLD_SESSIONS,
        scope=HoldScope.TRIAL,
        rule_id="SR1",
        requires=HoldRequires.DSMB,
        reason="SR1 was hit",
    )
    world.log.commit(STUDY, placed, role="SYSTEM")
    await world.project()
    found = (await world.ask(query))["stoppingRuleHits"]
    assert found[0]["holds"] == [
        {"id": str(hold_id), "ruleId": "SR1", "inForce": True, "reason": {"value": "SR1 was hit"}}
    ]
    other = world.token(Role.PRINCIPAL_INVESTIGATOR, ["NFH"])
    assert [each["ruleId"] for each in (await world.ask(query, token=other))["stoppingRuleHits"]] == ["SR1"]


async def hold_ids(world: World) -> dict[UUID, tuple[UUID, ...]]:
    return {row.hit_id: row.hold_ids for row in await world.services.reader.stopping_rule_hits()}


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


def clock(kind: ClockType, due_at: datetime, met_at: datetime | None = None) -> Clock:
    """A clock of a kind."""
    return Clock(
        clock_id=UUID(int=1),
        type=kind,
        subject_id="S-01",
        ae_id=UUID(int=2),
        start_commit_id=UUID(int=3),
        started_at=due_at - timedelta(days=8),
        day0=None,
        due_at=due_at,
        warn_at=due_at,
        opened_at=due_at,
        changed_at=due_at,
        provisional=False,
        protocol_version="1.0",
        met_at=met_at,
        met_recorded_at=met_at,
    )


MIDNIGHT = datetime(2026, 3, 17, 16, tzinfo=UTC)
"""The end of 17 March in Shanghai."""


@pytest.mark.parametrize(
    ("later", "days"),
    [
        (timedelta(0), 1),
        (timedelta(hours=23, minutes=59), 1),
        (timedelta(days=1), 2),
        (timedelta(days=10, hours=3), 11),
    ],
)
def test_a_report_is_late_by_civil_days_of_the_site(later: timedelta, days: int) -> None:
    late = clock(ClockType.SUSAR_7D, MIDNIGHT, MIDNIGHT + later)
    assert lateness_days(late, MIDNIGHT, SHANGHAI) == days
    assert lateness_minutes(late, MIDNIGHT) is None


@pytest.mark.parametrize(
    ("later", "minutes"),
    [
        (timedelta(0), None),
        (timedelta(milliseconds=1), 1),
        (timedelta(minutes=1), 1),
        (timedelta(minutes=1, milliseconds=1), 2),
        (timedelta(hours=25), 1_500),
    ],
)
def test_a_report_in_hours_is_late_by_begun_minutes(later: timedelta, minutes: int | None) -> None:
    late = clock(ClockType.INV_SAE_24H, MIDNIGHT, MIDNIGHT + later)
    assert lateness_minutes(late, MIDNIGHT) == minutes
    assert lateness_days(late, MIDNIGHT, SHANGHAI) is None


def test_what_is_not_late_says_so_by_nothing() -> None:
    running = clock(ClockType.DEV_15D, MIDNIGHT)
    assert lateness_days(running, MIDNIGHT - timedelta(milliseconds=1), SHANGHAI) is None
    assert lateness_days(running, MIDNIGHT, SHANGHAI) == 1


def test_site_time_names_its_offset() -> None:
    assert site_time(MIDNIGHT, SHANGHAI) == "2026-03-18T00:00:00.000+08:00"
