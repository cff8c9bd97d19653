"""What the program says of roles is what the reference says (`role_matrix.py`), and what a site may see of another."""

from typing import Any
from uuid import uuid4

import log_commits as log
import role_matrix
from graphql_world import World
from hepatrail_events.assessments import ParticipantWithdrew, WithdrawalScope
from hepatrail_events.enrolment import ConsentRecorded
from hepatrail_events.errors import CommandRejected
from hepatrail_events.roles import Role
from hepatrail_events.safety_desk import AlertRaised, AlertType, Priority
from hepatrail_events.sessions import SessionPaused
from hepatrail_events.streams import SAFETY_DESK, STUDY, subject_stream
from hepatrail_events.study import HoldAction, HoldPlaced, HoldRequires, HoldScope
from hepatrail_graphql.authorize import QUERIES, SUBJECT_FIELDS, SUBSCRIPTIONS
from hepatrail_graphql.schema import SCHEMA
from hepatrail_services.deciders.catalogue import COMMANDS
from operations import operations
from projection_log import LogWriter
from role_matrix import MATRIX


def test_every_operation_has_its_row() -> None:
    assert {name for name, _, _ in operations(SCHEMA._schema)} == set(MATRIX)


def test_the_roles_of_every_operation_are_those_of_the_reference() -> None:
    stated = {f"Mutation.{name}": kind.ROLES for name, kind in COMMANDS.items()}
    stated |= {f"Query.{name}": roles for name, roles in QUERIES.items()}
    stated |= {f"Subscription.{name}": roles for name, roles in SUBSCRIPTIONS.items()}
    assert {name: {role.value for role in roles} for name, roles in stated.items()} == MATRIX
    fields = {f"Subject.{name}": {role.value for role in roles} for name, roles in SUBJECT_FIELDS.items()}
    assert fields == role_matrix.SUBJECT_FIELDS


async def test_the_gateway_is_told_who_asks_and_its_refusal_is_the_answer(world: World) -> None:
    world.gateway.answer = CommandRejected("The role MONITOR may not send withdrawAccess.", code="FORBIDDEN")
    command_id = str(uuid4())
    answer = await world.ask(
        """mutation($i: WithdrawAccessInput!) { withdrawAccess(input: $i) { __typename
            ... on CommandRejected { commandId code message rule field } } }""",
        {"i": {"commandId": command_id, "jti": "t-1", "reason": "lost laptop"}},
        world.token(Role.MONITOR, ["BFH"]),
    )
    assert answer["withdrawAccess"] == {
        "__typename": "CommandRejected",
        "commandId": command_id,
        "code": "FORBIDDEN",
        "message": "The role MONITOR may not send withdrawAccess.",
        "rule": None,
        "field": None,
    }
    ((name, raw, actor),) = world.gateway.sent
    assert (name, actor.id, actor.role, actor.sites) == ("withdrawAccess", "monitor", Role.MONITOR, ("BFH",))
    assert raw == {"commandId": command_id, "jti": "t-1", "reason": "lost laptop"}


async def test_a_laboratory_sees_results_and_no_safety_data_nor_free_text(world: World) -> None:
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    log.sample(world.log, stream, tbil="300")
    reason = await world.seal("S-01", "moved abroad", "reason")
    world.log.commit(
        stream,
        ParticipantWithdrew(
            withdrawn_at=world.log.now, scope=WithdrawalScope.FOLLOW_UP, vital_status_allowed=True, reason=reason
        ),
    )
    session = log.start(world.log, stream)
    paused = await world.seal("S-01", "clot in the filter", "reason")
    world.log.commit(stream, SessionPaused(session_id=session.session_id, at=world.log.now, reason=paused))
    await world.project()
    laboratory = world.token(Role.LABORATORY)
    query = '{ subject(id: "S-01") { labResults { code value } sessions { pauses { reason { value state } } } } }'
    found = (await world.ask(query, token=laboratory))["subject"]
    assert found["labResults"] == [{"code": "tbil", "value": "300"}]
    assert found["sessions"][0]["pauses"] == [{"reason": {"value": None, "state": "SEALED"}}]
    found = (await world.ask(query))["subject"]
    assert found["sessions"][0]["pauses"] == [{"reason": {"value": "clot in the filter", "state": "CLEAR"}}]
    for field in ("adverseEvents { id }", "alerts { alertSeq }"):
        error = await world.error(f'{{ subject(id: "S-01") {{ {field} }} }}', token=laboratory)
        assert error["code"] == "FORBIDDEN"


ALERTS = "{ saeAlerts(first: 50) { edges { node { alertSeq subjectId } } } }"


async def two_sites(world: World) -> None:
    """One participant and one alert at each of two sites, one alert of the whole trial, and holds of both."""
    writer = world.log
    log.publish(writer)
    for number, site in enumerate(("BFH", "NFH"), 1):
        subject_id, stream = f"{site}-01", subject_stream(f"{site}-01")
        given: dict[str, Any] = {"version": "1", "given_at": writer.now, "health_data_consent": True}
        writer.commit(stream, ConsentRecorded(site_id=site, **given))
        writer.commit(SAFETY_DESK, raised(writer, number, subject_id=subject_id, site_id=site), role="SYSTEM")
        hold = HoldPlaced(
            hold_id=writer.uuid(),
            action=HoldAction.HOLD_SESSIONS,
            scope=HoldScope.PARTICIPANT,
            subject_id=subject_id,
            requires=HoldRequires.PI,
            reason=await world.seal(subject_id, "fever", "reason"),
        )
        writer.commit(STUDY, hold, role="PRINCIPAL_INVESTIGATOR")
    writer.commit(SAFETY_DESK, raised(writer, 3, type=AlertType.STOPPING_RULE), role="SYSTEM")
    await world.project()


def raised(writer: LogWriter, number: int, **changes: Any) -> AlertRaised:
    """An alert of the desk."""
    given: dict[str, Any] = {
        "alert_id": writer.uuid(),
        "type": AlertType.SAE_NEW,
        "priority": Priority.P2,
        "raised_at": writer.now,
        "commit_id": writer.uuid(),
        "reporter_id": "dr-li",
        "alert_seq": number,
    }
    return AlertRaised(**{**given, **changes})


async def test_a_site_sees_its_own_and_never_learns_what_another_has(world: World) -> None:
    await two_sites(world)
    own = world.token(Role.PRINCIPAL_INVESTIGATOR, ["BFH"])
    both = world.token(Role.PRINCIPAL_INVESTIGATOR, ["BFH", "NFH"])
    subject = "query($id: ID!, $p: Position) { subject(id: $id, minPosition: $p) { id } }"

    assert (await world.ask(subject, {"id": "BFH-01"}, own))["subject"] == {"id": "BFH-01"}
    hidden, absent = [await world.ask(subject, {"id": each}, own) for each in ("NFH-01", "NFH-99")]
    assert hidden == absent == {"subject": None}
    assert (await world.ask(subject, {"id": "NFH-01"}, both))["subject"] == {"id": "NFH-01"}

    hidden, absent = [
        await world.error(subject, {"id": each, "p": f"subject-{each}@1"}, own) for each in ("NFH-01", "NFH-99")
    ]
    assert (hidden["code"], absent["code"]) == ("NOT_YET_PROJECTED", "NOT_YET_PROJECTED")

    async def listed(query: str, token: str) -> Any:
        (found,) = (await world.ask(query, token=token)).values()
        return found

    page = await listed("{ subjects(first: 9) { edges { node { id } } } }", own)
    assert page == {"edges": [{"node": {"id": "BFH-01"}}]}
    page = await listed('{ subjects(first: 9, filter: { siteId: "NFH" }) { edges { node { id } } } }', own)
    assert page == {"edges": []}

    def seqs(found: Any) -> list[int]:
        return [edge["node"]["alertSeq"] for edge in found["edges"]]

    assert seqs(await listed(ALERTS, own)) == [1, 3]
    assert seqs(await listed(ALERTS, both)) == [1, 2, 3]
    assert [hold["subjectId"] for hold in await listed("{ holds { subjectId } }", own)] == ["BFH-01"]
    assert len(await listed("{ holds { subjectId reason { value } } }", both)) == 2

    error = await world.error("{ events(first: 1) { edges { cursor } } }", token=world.token(Role.AUDITOR, ["BFH"]))
    assert error["code"] == "FORBIDDEN"
