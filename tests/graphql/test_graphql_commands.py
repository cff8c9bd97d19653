"""A command over the API: what reaches the gateway, and what its sender reads of the answer."""

from typing import Any
from uuid import UUID, uuid4

import pytest

import log_commits as log
from graphql_world import World, decision
from hepatrail_events.codec import read
from hepatrail_events.decisions import Code, Verdict
from hepatrail_events.errors import Unavailable
from hepatrail_infra.kafka_admin import EVENTS
from hepatrail_services.gateway import Pending

WITHDRAW = """mutation Withdraw($i: WithdrawAccessInput!) { withdrawAccess(input: $i) { __typename
  ... on CommandAccepted { commandId position version eventIds queries { rule message } }
  ... on CommandRejected { commandId code message rule field }
  ... on CommandPending { commandId } } }"""


def withdrawal(**changes: Any) -> dict[str, Any]:
    return {"commandId": str(uuid4()), "jti": "t-1", "reason": "lost laptop", **changes}


async def test_what_the_deciders_answer_is_what_the_sender_reads(world: World) -> None:
    given, event_id = withdrawal(), uuid4()
    command_id = UUID(given["commandId"])
    world.gateway.answer = decision(command_id, "study", version=4, eventids=(event_id,))
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandAccepted",
        "commandId": str(command_id),
        "position": "study@4",
        "version": 4,
        "eventIds": [str(event_id)],
        "queries": [],
    }
    world.gateway.answer = decision(
        command_id, "study", verdict=Verdict.REJECTED, code=Code.RULE, rule="STU-01", message="No.", field="jti"
    )
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandRejected",
        "commandId": str(command_id),
        "code": "RULE",
        "message": "No.",
        "rule": "STU-01",
        "field": "jti",
    }
    world.gateway.answer = Pending(command_id, "study")
    assert (await world.ask(WITHDRAW, {"i": given}))["withdrawAccess"] == {
        "__typename": "CommandPending",
        "commandId": str(command_id),
    }
    asked = f'{{ command(stream: "study", id: "{command_id}") {{ __typename }} }}'
    assert (await world.ask(asked))["command"] == {"__typename": "CommandPending"}


async def test_the_queries_that_a_command_opened_come_with_its_answer_or_null(world: World) -> None:
    log.publish(world.log)
    stream = log.enrol(world.log, "S-01")
    await world.project()
    session = log.start(world.log, stream, viable_cells=10**9)
    event_id = session_event_id(world)
    world.clock.at = world.log.now
    world.gateway.answer = decision(UUID(int=1), stream, version=3, eventids=(event_id,))
    answer = (await world.ask(WITHDRAW, {"i": withdrawal()}))["withdrawAccess"]
    assert answer["queries"] is None
    await world.project()
    answer = (await world.ask(WITHDRAW, {"i": withdrawal()}))["withdrawAccess"]
    assert [each["rule"] for each in answer["queries"]] == ["SES-07"], session
    assert answer["queries"][0]["message"]


def session_event_id(world: World) -> UUID:
    last = [each for each in world.log.records if each.topic == EVENTS][-1]
    assert last.value is not None
    return read(last.value).envelope.id


async def test_an_input_reaches_the_gateway_exactly_as_it_was_reported(world: World) -> None:
    given = {
        "commandId": str(uuid4()),
        "subjectId": "S-01",
        "collectedAt": "2026-03-10",
        "laboratory": "Central",
        "results": [
            {"code": "tbil", "value": "<0.20", "comparator": "<", "unit": "mg/dL", "low": "0.30", "high": "1.20"},
            {"code": "inr", "notDone": "HEMOLYSED", "fasting": None},
        ],
    }
    await world.ask("mutation($i: RecordLabResultsInput!) { recordLabResults(input: $i) { __typename } }", {"i": given})
    ((_, raw, _),) = world.gateway.sent
    given["results"][1].pop("fasting")  # type: ignore[attr-defined]
    assert raw == given

    session = {
        "commandId": str(uuid4()),
        "subjectId": "S-01",
        "startedAt": "2026-03-10T08:30:00+08:00",
        "accessVein": "FEMORAL",
        "side": "LEFT",
        "deviceLot": "D",
        "cellBatch": "C",
        "batchReleaseRef": "R",
        "viabilityPercent": "92.50",
        "viableCells": 10_020_000_000,
        "weightKg": "60.0",
        "weightMeasuredAt": "tomorrow",
    }
    await world.ask("mutation($i: StartSessionInput!) { startSession(input: $i) { __typename } }", {"i": session})
    raw = world.gateway.sent[-1][1]
    assert (raw["startedAt"], raw["viableCells"], raw["weightKg"]) == (
        "2026-03-10T00:30:00.000Z",
        10_020_000_000,
        "60.0",
    )
    assert raw["weightMeasuredAt"] == "tomorrow", "the command's own check names the field and the rule"


async def test_a_number_is_never_a_float(world: World) -> None:
    given = f'commandId: "{uuid4()}", subjectId: "S-1", collectedAt: "2026-03-10", laboratory: "C"'
    results = 'results: [{code: "tbil", value: "1", low: 0.3}]'
    error = await world.error(f"mutation {{ recordLabResults(input: {{ {given}, {results} }}) {{ __typename }} }}")
    assert error["code"] == "BAD_USER_INPUT"
    assert world.gateway.sent == []


async def test_a_mutation_without_its_shape_is_on_record(world: World) -> None:
    error = await world.error(WITHDRAW, {"i": {"jti": "t"}})
    assert error["code"] == "BAD_USER_INPUT"
    (refusal,) = world.access.refusals
    assert (refusal["actor"], refusal["command"], refusal["code"]) == ("investigator", "Withdraw", "BAD_USER_INPUT")
    assert len(refusal["bodyhash"]) == 64
    await world.error("{ nothing }")
    assert len(world.access.refusals) == 1


async def test_an_unexpected_error_shows_an_id_that_the_log_has_and_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.gateway.answer = RuntimeError("the patient's name is Li Wei")
    error = await world.error(WITHDRAW, {"i": withdrawal()})
    assert error["code"] == "INTERNAL"
    assert "Li Wei" not in str(error)
    (record,) = [record for record in caplog.records if record.name == "hepatrail_graphql.masking"]
    assert record.incident == error["id"]  # type: ignore[attr-defined]
    assert error["id"] in error["message"]


async def test_a_server_that_is_away_says_so(world: World) -> None:
    world.gateway.answer = Unavailable("Kafka at 10.0.0.7 does not answer")
    error = await world.error(WITHDRAW, {"i": withdrawal()})
    assert (error["code"], "10.0.0.7" in str(error)) == ("UNAVAILABLE", False)
